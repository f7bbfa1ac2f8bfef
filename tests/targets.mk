# What the tests can show beside passing; included by the Makefile.

conformance: $(BIN) ## RFC 9112 and 9110, rule by rule, on both engines, as a table
	@TALLYD=$(BIN) tests/e2e/conformance/table

honest: $(BIN) $(B)/bench/load ## an honest client's rate and p99 beside five attacks, both engines, directly and behind haproxy
	@TALLYD=$(BIN) LOAD=$(B)/bench/load tests/honest

proxies: $(BIN) ## visits of Chromium and Firefox through every proxy, counted once each, as a table
	@echo '| browser | through | tally.js | hit.js | lines in the console |'
	@echo '|---|---|---|---|---|'
	@TALLYD=$(BIN) $(PYTHON) -m pytest -q -s tests/e2e/test_034_proxies.py -k both_browsers

crowd: $(BIN) ## 14 000 clients fill the memory of a 512 MiB group, on both engines: others are served, all is exact (as root)
	@TALLYD_LONG=1 TALLYD=$(BIN) $(PYTHON) -m pytest -q -s tests/e2e/test_103_memory_budget.py -k crowd

probes: $(B)/tests/unit/test_sandbox ## what the sandbox allows and refuses: some eighty tries from inside, as a table
	@$<

slowloris: $(BIN) $(B)/bench/load ## the p99 of others beside 5000 slow clients (slowhttptest), on both engines
	@TALLYD=$(BIN) LOAD=$(B)/bench/load tests/slowloris

# All that reads bytes of others. The rest of redis/ carries bytes: TLS, say, which the end-to-end tests show.
COVERED := src/http src/owed src/ledger src/nodes src/recovery src/flush $(addprefix src/redis/,resp.c greeting.c link.c slots.c error.c url.c aws_keys.c aws_answers.c iam.c sigv4.c)

cov: ## line coverage of each folder, by the tests in C; http/, owed/, ledger/, nodes/, recovery/, flush/ and the parsing in redis/ must have 95 %
	@$(MAKE) --no-print-directory MODE=cov unit stress
	@tests/coverage 95 $(COVERED)

.PHONY: conformance crowd honest probes proxies slowloris cov
