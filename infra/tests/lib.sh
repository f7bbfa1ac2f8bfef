# shellcheck shell=bash
# What the tests install, each part once and only when missing. Sourced, never run.
# Everything lands in <repo>/build/infra, which git ignores.

tests_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
infra_dir=$(dirname "$tests_dir")
repo_dir=$(dirname "$infra_dir")
build=${INFRA_BUILD:-$repo_dir/build/infra}
# shellcheck source-path=SCRIPTDIR source=versions.env
. "$tests_dir/versions.env"

schema_dir=$build/schema
stub_dir=$build/stub
mirror=$build/mirror
export CHECKPOINT_DISABLE=1

log() { printf '%s\n' "infra: $*" >&2; }

# fresh STAMP FILE…: true when STAMP was written for exactly these files
digest() { cat "$@" | sha256sum | cut -c1-32; }
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

install_bindings() {
	local tgz=$build/pkg/bindings-$BINDINGS_VERSION.tgz tmp sum
	bindings=$tgz
	[ -f "$tgz" ] && return 0
	log "fetching the AWS provider's typed bindings $BINDINGS_VERSION"
	tmp=$(mktemp -d "$build/pack.XXXXXX")
	(cd "$tmp" && npm pack --silent "$BINDINGS_PACKAGE@$BINDINGS_VERSION" >/dev/null 2>"$tmp/err") || { cat "$tmp/err" >&2; return 1; }
	sum=sha512-$(openssl dgst -sha512 -binary "$tmp"/*.tgz | base64 -w0)
	[ "$sum" = "$BINDINGS_INTEGRITY" ] || { log "the bindings package is not the pinned one: $sum"; return 1; }
	mkdir -p "$build/pkg"
	mv "$tmp"/*.tgz "$tgz"
	rm -rf "$tmp"
}

install_schemas() {
	local want tmp
	want=$BINDINGS_VERSION-$(digest "$tests_dir/stub/extract.py" "$tests_dir/stub/overlay.json")
	fresh "$schema_dir/stamp" "$want" && return 0
	install_bindings || return 1
	log "reading the provider's schemas"
	tmp=$(mktemp -d "$build/schema.XXXXXX")
	nice /usr/bin/python3 "$tests_dir/stub/extract.py" "$bindings" "$tests_dir/stub/overlay.json" "$tmp" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; return 1; }
	grep -q "\"version\": \"$PROVIDER_VERSION\"" "$tmp/index.json" || { log "the bindings are not of provider $PROVIDER_VERSION"; return 1; }
	printf %s "$want" >"$tmp/stamp"
	rm -rf "$schema_dir"
	mv "$tmp" "$schema_dir"
}

install_stub() {
	local want host platform
	want=$(digest "$tests_dir"/stub/*.go "$tests_dir/stub/go.mod" "$tests_dir/stub/go.sum")-$PROVIDER_VERSION
	fresh "$stub_dir/stamp" "$want" && return 0
	log "building the stub provider"
	mkdir -p "$stub_dir"
	(cd "$tests_dir/stub" && nice go build -o "$stub_dir/terraform-provider-aws.new" .) || return 1
	mv "$stub_dir/terraform-provider-aws.new" "$stub_dir/terraform-provider-aws"
	# a mirror, so that init checks the version constraints; Terraform itself says which host the address means
	mkdir -p "$stub_dir/ask"
	printf 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n' >"$stub_dir/ask/main.tf"
	host=$(terraform -chdir="$stub_dir/ask" providers 2>/dev/null | sed -n 's/.*provider\[\(.*\)\/hashicorp\/aws\].*/\1/p')
	[ -n "$host" ] || { log "terraform does not say where hashicorp/aws lives"; return 1; }
	platform=$(terraform version -json 2>/dev/null | sed -n 's/.*"platform": "\(.*\)".*/\1/p')
	rm -rf "$mirror"
	mkdir -p "$mirror/$host/hashicorp/aws/$PROVIDER_VERSION/$platform"
	cp "$stub_dir/terraform-provider-aws" "$mirror/$host/hashicorp/aws/$PROVIDER_VERSION/$platform/terraform-provider-aws_v$PROVIDER_VERSION"
	cat >"$stub_dir/mirror.rc" <<-RC
		disable_checkpoint = true
		provider_installation {
		  filesystem_mirror {
		    path = "$mirror"
		  }
		}
	RC
	cat >"$stub_dir/override.rc" <<-RC
		disable_checkpoint = true
		provider_installation {
		  dev_overrides {
		    "hashicorp/aws" = "$stub_dir"
		  }
		  filesystem_mirror {
		    path = "$mirror"
		  }
		}
	RC
	printf %s "$want" >"$stub_dir/stamp"
}

# Terraform itself comes from its makers (infra/scripts/tools says where): no package registry has it, and its source may not be built for this.
need_terraform() {
	"$infra_dir/scripts/tools" terraform >&2
}

# install_terraform_stub: what `tf` needs. Two callers at once take turns.
install_terraform_stub() {
	need_terraform || return 1
	mkdir -p "$build"
	export TF_CLI_CONFIG_FILE=/dev/null
	exec 9>"$build/lock"
	flock 9
	if ! { install_schemas && install_stub; }; then
		exec 9>&-
		return 1
	fi
	exec 9>&-
	export STUB_SCHEMA=$schema_dir STUB_OVERLAY=$tests_dir/stub/overlay.json
	# no account, no profile, no metadata service: nothing here may reach AWS
	export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
}

install_node() {
	local want
	want=$(digest "$tests_dir/npm/package.json" "$tests_dir/npm/package-lock.json")
	if ! fresh "$build/npm/stamp" "$want"; then
		log "installing the IAM simulator and JSONata"
		rm -rf "$build/npm"
		mkdir -p "$build/npm"
		cp "$tests_dir/npm/package.json" "$tests_dir/npm/package-lock.json" "$build/npm/"
		(cd "$build/npm" && npm ci --silent --ignore-scripts --no-audit --no-fund >log 2>&1) || { cat "$build/npm/log" >&2; return 1; }
		printf %s "$want" >"$build/npm/stamp"
	fi
	# the scripts have to lie beside node_modules, and are copied each time: they are small
	cp "$tests_dir"/npm/*.mjs "$build/npm/"
}

install_python() {
	local want
	want=$(digest "$tests_dir/requirements.txt")
	fresh "$build/venv/stamp" "$want" && return 0
	log "installing pytest"
	rm -rf "$build/venv"
	/usr/bin/python3 -m venv "$build/venv" 2>/dev/null || python3 -m venv "$build/venv" || return 1
	"$build/venv/bin/pip" install -q --no-input -r "$tests_dir/requirements.txt" || return 1
	printf %s "$want" >"$build/venv/stamp"
}

# The kubelet's validation, from Kubernetes' own modules.
install_kubelet() {
	local want
	want=$(digest "$tests_dir"/kubelet/main.go "$tests_dir"/kubelet/go.mod "$tests_dir"/kubelet/go.sum "$tests_dir"/kubelet/build)
	[ -x "$build/kubelet/kubelet-validate" ] && fresh "$build/kubelet/stamp" "$want" && return 0
	log "building the kubelet's validation (a minute, once)"
	mkdir -p "$build"
	nice "$tests_dir/kubelet/build" "$build/kubelet" >"$build/kubelet.log" 2>&1 || { tail -20 "$build/kubelet.log" >&2; return 1; }
	printf %s "$want" >"$build/kubelet/stamp"
}

# The linters below are large. What cannot be had is reported by the tests as skipped, with the reason.
install_tflint() {
	[ -x "$build/bin/tflint-$TFLINT_VERSION" ] && return 0
	log "building tflint $TFLINT_VERSION (three minutes, once)"
	mkdir -p "$build/bin" "$build/gobin"
	GOBIN=$build/gobin nice go install "github.com/terraform-linters/tflint@$TFLINT_VERSION" >"$build/tflint.log" 2>&1 || return 1
	mv "$build/gobin/tflint" "$build/bin/tflint-$TFLINT_VERSION"
}

install_checkov() {
	[ -x "$build/checkov-$CHECKOV_VERSION/bin/checkov" ] && [ -f "$build/checkov-$CHECKOV_VERSION/stamp" ] && return 0
	log "installing checkov $CHECKOV_VERSION (two minutes, once)"
	rm -rf "$build/checkov-$CHECKOV_VERSION"
	/usr/bin/python3 -m venv "$build/checkov-$CHECKOV_VERSION" 2>/dev/null || python3 -m venv "$build/checkov-$CHECKOV_VERSION" || return 1
	nice "$build/checkov-$CHECKOV_VERSION/bin/pip" install -q --no-input "checkov==$CHECKOV_VERSION" >"$build/checkov.log" 2>&1 || return 1
	touch "$build/checkov-$CHECKOV_VERSION/stamp"
}

# Debian's linters, when they are missing and apt is there.
install_linters() {
	local missing=()
	command -v shellcheck >/dev/null || missing+=(shellcheck)
	command -v yamllint >/dev/null || missing+=(yamllint)
	[ ${#missing[@]} -eq 0 ] && return 0
	command -v apt-get >/dev/null || { log "cannot install ${missing[*]} here"; return 1; }
	log "installing ${missing[*]}"
	"$repo_dir/deploy/scripts/install" "${missing[@]}" >"$build/apt.log" 2>&1
}
