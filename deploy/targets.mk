# Targets of deploy/ and docker/; included by the Makefile, called by the pipelines.
IMAGE ?= localhost/tallyd

check-deploy: ## manifests, chart, rules, dashboards, image, pipelines: by the field's own tools
	@deploy/check

check-events: ## name the events in deploy/events/calendar.yaml that are over
	@deploy/events/windows --over

deps-check:
	@deploy/scripts/deps build test check

image: ## build the image and its SBOM (buildah or Docker)
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/build

image-debug: ## the same with gdb, bpftrace, perf
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/build debug

image-check: ## start the image's root, hit it, drain it; what is in it and what is not
	@DEPLOY_SERVER=no deploy/check -k 'image or docker'

image-scan: ## known faults in what the image holds (asks a vulnerability database)
	@docker/scan

image-push: ## push it under its version; build/image/digest is what deploy/pin wants
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish push

image-sign: ## sign the digest, attach the SBOM (cosign, keyless in a pipeline)
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish sign

.PHONY: check-deploy check-events deps-check image image-debug image-check image-scan image-push image-sign
