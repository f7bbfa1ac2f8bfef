# Targets of bench/; included by the Makefile.
BENCH := $(B)/bench/load $(B)/bench/floor $(B)/bench/core $(B)/bench/incr $(B)/bench/day

$(B)/bench/load: $(patsubst %,$(B)/bench/%.o,load answer histogram keys)
$(B)/bench/floor $(B)/bench/core $(B)/bench/incr $(B)/bench/day: $(B)/bench/%: $(B)/bench/%.o $(LIB)
$(BENCH):
	$(call say,LD $@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL) -lm

bench-build: $(BIN) $(BENCH)

# Not in Debian's versions: built where cargo and go are, by their lock files, and left out elsewhere.
bench-rivals-build:
	@! command -v cargo >/dev/null || cargo build --quiet --release --locked --manifest-path bench/rivals/rust/Cargo.toml --target-dir build/rivals/rust
	@! command -v go >/dev/null || { mkdir -p build/rivals/go && cd bench/rivals/go && CGO_ENABLED=0 go build -mod=readonly -trimpath -o ../../../build/rivals/go/rival . ; }

bench-rivals: bench-rivals-build ## tallyd beside counters that gather in memory, too: make bench-rivals [BENCH_ARGS='--rounds 5 --profiles keep-64,uniform-16']
	@$(MAKE) --no-print-directory bench BENCH_ARGS="--parts http --peers tallyd,rival,engine,nginx $(or $(BENCH_ARGS),--rounds 5 --seconds 1)"

bench: ## measure beside the peers: make bench [MINUTES=20] [BENCH_ARGS='--rounds 7 --seconds 2']
	@deploy/scripts/deps build bench
	@$(MAKE) --no-print-directory bench-build
	@$(PYTHON) bench/run $(if $(MINUTES),--minutes $(MINUTES)) $(BENCH_ARGS)

bench-reference: ## the run that is committed, on a machine with nothing else to do: make bench-reference [MINUTES=20]
	@$(MAKE) --no-print-directory bench MINUTES=$(or $(MINUTES),20) \
		BENCH_ARGS="--seconds 1 --warm-up 0.3 --out bench/results/reference-$$(date +%Y%m%d) $(BENCH_ARGS)"

bench-smoke: ## every profile very short: is the harness right, do the books balance
	@deploy/scripts/deps build bench
	@$(MAKE) --no-print-directory bench-build
	@$(PYTHON) bench/run --smoke

bench-pods: bench-build ## what many pods cost their store, beside the model: make bench-pods [BENCH_ARGS='--pods 1,20 --seconds 5']
	@TALLYD=$(BIN) $(PYTHON) bench/pods $(BENCH_ARGS)

bench-months: $(BIN) ## 20 minutes of 5 M pages through 200 k keys: make bench-months [BENCH_ARGS='--minutes 1 --distinct 500000']
	@TALLYD=$(BIN) $(PYTHON) bench/months $(BENCH_ARGS)

bench-forgetting: bench-build ## p99.9 of hits while keys are forgotten ÷ without, in turn: make bench-forgetting [BENCH_ARGS='--rounds 21']
	@TALLYD=$(BIN) BENCH_LOAD=$(B)/bench/load $(PYTHON) bench/forgetting $(BENCH_ARGS)

bench-day: $(B)/bench/day ## 24 simulated hours of 5 M pages through 200 k keys: make bench-day [DAY='2 1500 5000000 200000']
	@$< $(DAY)

# Not in Debian; a Go module, built where it is wanted and nowhere else. A k6 on the PATH is taken as it is.
K6_VERSION := v1.8.1
build/bin/k6-$(K6_VERSION):
	@command -v go >/dev/null || { echo "k6: install k6 itself, or Go to build it" >&2; exit 69; }
	GOBIN=$(abspath $(@D)) go install go.k6.io/k6@$(K6_VERSION)
	@mv $(@D)/k6 $@ && ln -sf $(@F) $(@D)/k6

k6: $(if $(BASE),,bench-build) ## k6's scenarios, with books: make k6 [SECONDS=30] [K6_ARGS='peak -e RATE=2000'] [BASE=URL of your own server]
	@command -v k6 >/dev/null || $(MAKE) --no-print-directory build/bin/k6-$(K6_VERSION)
	@$(PYTHON) bench/k6/run --seconds $(or $(SECONDS),30) $(if $(BASE),--base $(BASE)) $(K6_ARGS)

.PHONY: k6 bench bench-rivals bench-rivals-build bench-day bench-forgetting bench-months bench-pods bench-build bench-reference bench-smoke
-include $(wildcard $(B)/bench/*.d)
