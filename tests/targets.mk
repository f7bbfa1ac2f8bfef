# What the tests can show beside passing; included by the Makefile.

conformance: $(BIN) ## RFC 9112 and 9110, rule by rule, on both engines, as a table
	@TALLYD=$(BIN) tests/e2e/conformance/table

slowloris: $(BIN) $(B)/bench/load ## the p99 of others beside 5000 slow clients (slowhttptest), on both engines
	@TALLYD=$(BIN) LOAD=$(B)/bench/load tests/slowloris

cov: ## line coverage of each folder, by the tests in C; http/ and flush/ must have 95 %
	@$(MAKE) --no-print-directory MODE=cov unit stress
	@tests/coverage src/http 95 src/flush 95

.PHONY: conformance slowloris cov
