# Included by the Makefile, or used alone: make -f infra/check.mk check-infra
.PHONY: check-infra check-infra-long
check-infra:
	infra/tests/run
# Each deliberate mistake by itself, tflint, checkov: half an hour more.
check-infra-long:
	INFRA_LONG=1 infra/tests/run
# What today's judges have against the commit in which the faults were found.
.PHONY: check-infra-then
check-infra-then:
	INFRA_LONG=1 INFRA_SKIP_LINTERS=1 infra/tests/run test_history.py
