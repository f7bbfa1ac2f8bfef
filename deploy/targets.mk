# Targets of deploy/ and docker/; included by the Makefile, called by the pipelines.
IMAGE ?= localhost/tallyd

check-deploy: ## manifests, chart, rules, dashboards, image, pipelines: by the field's own tools
	@deploy/check

check-drill: ## a rolling restart behind a balancer that forgets 120 s late, with the manifests' own delay (six minutes)
	@DRILL_FORGETS=120 DEPLOY_SERVER=no DEPLOY_IMAGE=no deploy/check -n 0 -s -k drill

check-events: ## name the events in deploy/events/calendar.yaml that are over
	@deploy/events/windows --over

check-release: ## signature, provenance and bills of materials of a release in a registry on loopback
	@DEPLOY_RELEASE=yes DEPLOY_SERVER=no deploy/check -n 0 -k 'release or signature'

check-nodes: ## the real kube-scheduler places every overlay's pods, and every event's, on the nodes of infra/live
	@DEPLOY_NODES=yes DEPLOY_IMAGE=no deploy/check -n 0 -s -k 'nodes or placed'

check-cluster: ## every overlay in a cluster of the real controllers: placement, drains, a lost zone, an event day
	@DEPLOY_CLUSTER=yes DEPLOY_IMAGE=no deploy/check -n 0 -s -k test_cluster.py

check-rollouts: ## blue-green by Argo Rollouts' own controller in such a cluster: judged, promoted, refused, begun on a live Deployment
	@DEPLOY_ROLLOUTS=yes DEPLOY_IMAGE=no deploy/check -n 0 -s -k test_rollouts.py

check-arm64: ## the image for arm64, built and run by Debian's emulator
	@DEPLOY_ARM64=yes DEPLOY_SERVER=no deploy/check -n 0 -s -k test_arm64.py

ci: ## everything that CI runs: .ci/run
	@bash .ci/run

deps-release:
	@deploy/scripts/install buildah git golang-go awscli

deps-check:
	@deploy/scripts/deps build test check

release-notes: ## what CHANGELOG.md says of VERSION; a release that it says nothing of is refused
	@deploy/scripts/changes "$(VERSION)"

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

image-attest: ## attach the bill of materials to it
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish attest

image-index: ## join what the machines of every platform have pushed
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish index

image-sign: ## sign the digest, attach the provenance (cosign, keyless in a pipeline)
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish sign

image-login: ## keep the password of IMAGE's registry for image-copy
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish login

image-copy: ## carry the release, with signature and chart, into another account's registry (COPY)
	@IMAGE=$(IMAGE) VERSION=$(VERSION) docker/publish copy

chart-push: ## push the chart, with that image in it, beside the image
	@IMAGE=$(IMAGE) VERSION=$(VERSION) deploy/helm/publish

propose: ## a pull request that pins that digest in every environment
	@deploy/propose "$(VERSION)" "$$(cat build/image/digest)"

.PHONY: release-notes check-deploy check-drill check-nodes check-cluster check-rollouts check-release check-arm64 check-events ci deps-check deps-release image image-debug image-check image-scan image-push \
	image-attest image-index image-sign image-login image-copy chart-push propose
