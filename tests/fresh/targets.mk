# Fresh machines; included by the Makefile.

check-fresh: ## new Debian 12 and 13 machines: make run, test, deb; root and user, offline, no io_uring; arm64 (as root)
	@tests/fresh/check $(FRESH)

.PHONY: check-fresh
