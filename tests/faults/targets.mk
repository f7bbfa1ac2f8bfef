# Faults on real processes; included by the Makefile. Summaries, and the files of failures: build/faults/.
SCHEDULES ?= 100
CLUSTER ?= 20
MINUTES ?= 10
SEEDED = $(if $(SEED),--seed $(SEED))
PROOFS := cuts kills stops stores rollbacks

faults: $(BIN) ## random faults, books exact: make faults SCHEDULES=100 CLUSTER=20 SEED=n LANES=3
	@TALLYD=$(BIN) $(PYTHON) tests/faults/run --schedules $(SCHEDULES) --cluster $(CLUSTER) --lanes $(LANES) $(SEEDED)

soak: $(BIN) ## load with a fault every 30 s, memory flat: make soak MINUTES=n SEED=n
	@TALLYD=$(BIN) $(PYTHON) tests/faults/soak --minutes $(MINUTES) $(SEEDED)

hostile: ## a store that lies, stalls and floods, alone and as a cluster, under ASan: make hostile MINUTES=10 SEED=n
	@$(MAKE) --no-print-directory MODE=asan all
	@TALLYD=build/asan/tallyd HOSTILE_SECONDS=$$(($(MINUTES) * 60)) $(PYTHON) -m pytest -q -n 2 tests/e2e/test_064_hostile.py $(SEEDED)

proofs: $(PROOFS:%=proof-%) ## one promise after the other, exhaustively: make proof-cuts, -kills, -stops, -stores, -rollbacks
$(PROOFS:%=proof-%): proof-%: $(BIN)
	@mkdir -p build/faults
	@TALLYD=$(BIN) TALLYD_LONG=1 $(PYTHON) -m pytest -q -n $(LANES) tests/e2e -m $* $(SEEDED) --junitxml=build/faults/proof-$*.xml

faults-planted: planted-binaries ## each planted bug must be caught by tests on real processes
	@$(PYTHON) tests/faults/planted $(B)/planted $(or $(SCHEDULES_EACH),500) $(LANES)

faults-table: ## tests/faults/RESULTS.md anew: what was tried so far (build/faults)
	tests/faults/table >tests/faults/RESULTS.md

.PHONY: faults soak hostile proofs $(PROOFS:%=proof-%) faults-planted faults-table
