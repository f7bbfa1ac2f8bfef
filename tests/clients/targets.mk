# What generated clients and a fuzzer of APIs make of openapi.json; included by the Makefile.

check-clients: $(BIN) ## three generated clients count, read and batch; the document is clean; SECONDS=120 of schemathesis besides, with EXAMPLES=100 a kind
	@EXAMPLES=$(or $(EXAMPLES),100) tests/clients/run $(BIN) $(or $(SECONDS),0)

.PHONY: check-clients
