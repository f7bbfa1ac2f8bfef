# Included by the Makefile, or used alone: make -f infra/check.mk check-infra
.PHONY: check-infra check-infra-long
check-infra:
	infra/tests/run
# Each deliberate mistake by itself, tflint, checkov: half an hour more.
check-infra-long:
	INFRA_LONG=1 infra/tests/run
