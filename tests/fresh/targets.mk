# Fresh machines; included by the Makefile.

check-fresh: ## new Debian 12 and 13 machines: make run, test, deb; root and user, offline, no io_uring; arm64 (as root): FRESH='--short trixie-dev'
	@tests/fresh/check $(FRESH)

check-arm64: ## the arm64 build and its unit tests under qemu-user, part of check-fresh (as root)
	@tests/fresh/check bookworm-arm64

.PHONY: check-fresh check-arm64
