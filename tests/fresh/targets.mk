# Fresh machines; included by the Makefile.

check-fresh: ## new Debian 12 and 13 machines: make run, test, deb; root and user, offline, no io_uring; arm64 (as root): FRESH='--short trixie-dev'
	@tests/fresh/check $(FRESH)

check-arm64-unit: ## the arm64 build and its unit tests under qemu-user, part of check-fresh (as root)
	@tests/fresh/check bookworm-arm64

check-starts: $(BIN) ## 500 starts beside a full page cache: each serves, none ends with 78
	@TALLYD=$(BIN) tests/fresh/starts

.PHONY: check-fresh check-arm64-unit check-starts
