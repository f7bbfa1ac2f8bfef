# Included by the Makefile, or used alone: make -f infra/check.mk check-infra
.PHONY: check-infra
check-infra:
	infra/tests/run
