# Random faults on real processes; included by the Makefile. Summaries and the files of failures: build/faults/.
SCHEDULES ?= 100
CLUSTER ?= 20
MINUTES ?= 10
LANES ?= 3
SEEDED = $(if $(SEED),--seed $(SEED))

faults: $(BIN) ## random faults, books exact: make faults SCHEDULES=100 CLUSTER=20 SEED=n LANES=3
	@TALLYD=$(BIN) $(PYTHON) tests/faults/run --schedules $(SCHEDULES) --cluster $(CLUSTER) --lanes $(LANES) $(SEEDED)

soak: $(BIN) ## load with a fault every 30 s, memory flat: make soak MINUTES=n SEED=n
	@TALLYD=$(BIN) $(PYTHON) tests/faults/soak --minutes $(MINUTES) $(SEEDED)

faults-table: ## what was tried so far (build/faults), as a table for the README
	@tests/faults/table

.PHONY: faults soak faults-table
