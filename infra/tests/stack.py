"""Runs Terraform with the stub provider over copies of infra/, and reads what it planned and applied.

A tree is a copy of infra/ (with the parts of the repository that modules read beside it); a mutation edits a copy.
An environment is planned and applied from nothing, stack after stack, against one `cloud` folder: what a stack
created is what the next stack's data sources find, and in strict mode they find nothing else.
"""
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

TESTS = pathlib.Path(__file__).resolve().parent
INFRA = TESTS.parent
REPO = INFRA.parent
BUILD = pathlib.Path(os.environ.get("INFRA_BUILD", REPO / "build" / "infra"))
STUB = BUILD / "stub"
STACKS = ("platform", "data", "edge")

# What modules read outside infra/ (relative to the repository).
BESIDE = ("deploy", "src/config", "src/admin", "docs/openapi.json", "openapi.json")


class Refused(Exception):
    """Terraform said no; str() is its message."""


def clean_env(**more):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "AWS_", "STUB_"))}
    keep.update(CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1", TF_INPUT="0", TF_CLI_CONFIG_FILE=str(STUB / "mirror.rc"),
                STUB_SCHEMA=str(BUILD / "schema"), STUB_OVERLAY=str(TESTS / "stub" / "overlay.json"),
                AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                # Terraform lives for seconds: collecting its garbage below a GiB is a third of its time
                GOGC="off", GOMEMLIMIT="1GiB")
    keep.update({k: str(v) for k, v in more.items()})
    return keep


def run(cmd, cwd=None, env=None, check=True, timeout=120):
    p = subprocess.run([str(c) for c in cmd], cwd=cwd, env=env, text=True, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
    if check and p.returncode:
        raise Refused((p.stderr or "")[-6000:] + (p.stdout or "")[-2000:])
    return p


def unwrap(text):
    """Terraform wraps its messages; matching wants them on one line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return re.sub(r"\s+", " ", re.sub(r"^[\s│╷╵]*", " ", text, flags=re.M))


def terraform(*args, cwd, env, check=True, timeout=300):
    return run(["terraform", *args], cwd=cwd, env=env, check=check, timeout=timeout)


def snippet(folder, text, *args, env=None):
    """init + the given command over one file; returns the process."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(text)
    e = clean_env(STUB_SCAN=folder, **(env or {}))
    p = terraform("init", "-no-color", cwd=folder, env=e, check=False)
    if p.returncode or not args:
        return p
    return terraform(*args, "-no-color", cwd=folder, env=e, check=False)


@functools.lru_cache(None)
def tree_digest():
    """Of everything that a plan depends on."""
    h = hashlib.sha256()
    roots = [INFRA] + [REPO / b for b in BESIDE]
    for root in roots:
        files = [root] if root.is_file() else sorted(root.rglob("*")) if root.is_dir() else []
        for f in files:
            rel = f.relative_to(REPO)
            if not f.is_file() or ".terraform" in rel.parts or (rel.parts[:2] == ("infra", "tests") and "stub" not in rel.parts):
                continue
            if "__pycache__" in rel.parts or rel.suffix == ".md" or rel.parts[:2] in (("infra", "scripts"), ("infra", "runbooks")):
                continue
            h.update(str(rel).encode() + b"\0" + f.read_bytes() + b"\0")
    for stamp in (STUB / "stamp", BUILD / "schema" / "stamp", TESTS / "stack.py"):
        h.update(stamp.read_bytes())
    return h.hexdigest()[:32]


def copy_tree(dest):
    """A copy of infra/ at dest/infra with what it reads beside it."""
    dest = pathlib.Path(dest)
    if dest.exists():
        shutil.rmtree(dest)

    def leave_out(folder, names):
        rel = pathlib.Path(folder).relative_to(INFRA)
        out = {n for n in names if n in (".terraform", ".terraform.lock.hcl", "__pycache__", "node_modules")}
        if rel == pathlib.Path("."):
            out.add("tests")
        return out

    shutil.copytree(INFRA, dest / "infra", ignore=leave_out)
    for b in BESIDE:
        src = REPO / b
        if src.is_dir():
            shutil.copytree(src, dest / b, symlinks=True)
        elif src.is_file():
            (dest / b).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(src, dest / b)
    return dest


def modules():
    folder = INFRA / "modules"
    return sorted(d.name for d in folder.iterdir() if (d / "versions.tf").is_file() and list(d.glob("main.tf"))) if folder.is_dir() else []


def environments():
    live = INFRA / "live"
    return sorted(d.name for d in live.iterdir() if d.is_dir()) if live.is_dir() else []


def stacks_of(env, tree=None):
    """The stacks an environment has variables for, in the order of creation."""
    base = (pathlib.Path(tree) if tree else REPO) / "infra"
    return [s for s in STACKS if (base / "stacks" / s).is_dir() and var_files(env, s, base)]


def var_files(env, stack, base=INFRA):
    """common.tfvars first, then the stack's own."""
    folder = base / "live" / env
    own = folder / (stack + ".tfvars")
    if not own.is_file():
        own = folder / stack / "terraform.tfvars"
    if not own.is_file():
        return []
    common = folder / "common.tfvars"
    return ([common] if common.is_file() else []) + [own]


class Applied:
    """One stack of one environment: its plan and the state after the apply."""

    def __init__(self, stack, plan, state):
        self.stack, self.plan, self.state = stack, plan, state

    @property
    def created(self):
        return sum(1 for c in self.plan.get("resource_changes", []) if c["mode"] == "managed" and c["change"]["actions"] == ["create"])


def apply_stack(tree, env, stack, cloud, strict=True, planned=True):
    """Plans the stack from an empty state, applies it and returns both; raises Refused. Without `planned` the plan is not read."""
    tree = pathlib.Path(tree)
    folder = tree / "infra" / "stacks" / stack
    work = tree / "work" / env / stack
    work.mkdir(parents=True, exist_ok=True)
    (folder / "zz_tests_override.tf").write_text('terraform {\n  backend "local" {\n    path = "%s"\n  }\n}\n' % (work / "terraform.tfstate"))
    e = clean_env(TF_DATA_DIR=work / "data", STUB_SCAN=tree / "infra", STUB_CLOUD=cloud, STUB_STRICT="1" if strict else "0")
    (folder / ".terraform.lock.hcl").unlink(missing_ok=True)     # another stub may have written it
    terraform("init", "-no-color", "-reconfigure", cwd=folder, env=e)
    files = ["-var-file=%s" % f for f in var_files(env, stack, tree / "infra")]
    plan = {}
    if planned:
        terraform("plan", "-no-color", "-out", work / "plan", *files, cwd=folder, env=e)
        plan = json.loads(terraform("show", "-json", work / "plan", cwd=folder, env=e).stdout)
        files = [work / "plan"]
    terraform("apply", "-no-color", "-auto-approve", *files, cwd=folder, env=e)
    return Applied(stack, plan, json.loads(terraform("show", "-json", cwd=folder, env=e).stdout))


class Resource:
    def __init__(self, stack, raw):
        self.stack = stack
        self.address = stack + ":" + raw["address"]
        self.mode, self.type, self.name = raw["mode"], raw["type"], raw["name"]
        # As the configuration calls it, without indexes; and what must be there before it.
        self.config_address = re.sub(r"\[[^\]]*\]", "", raw["address"])
        self.depends_on = raw.get("depends_on", [])
        self.values = raw.get("values") or {}

    def __getitem__(self, key):
        return self.values.get(key)

    def get(self, key, default=None):
        v = self.values.get(key)
        return default if v is None else v

    def block(self, key):
        """The first nested block of that name, or {}."""
        v = self.values.get(key)
        if isinstance(v, dict):
            return v
        return v[0] if v else {}

    def blocks(self, key):
        v = self.values.get(key)
        return [v] if isinstance(v, dict) else list(v or [])

    def __repr__(self):
        return self.address


class Environment:
    """Everything an environment created, over all its stacks."""

    def __init__(self, name, applied, tree, mutated=False):
        self.name, self.applied, self.tree, self.mutated = name, applied, pathlib.Path(tree), mutated
        self.resources, self.data_sources, self.outputs = [], [], {}
        for a in applied:
            root = a.state.get("values", {})
            for raw in walk(root.get("root_module", {})):
                (self.resources if raw["mode"] == "managed" else self.data_sources).append(Resource(a.stack, raw))
            self.outputs[a.stack] = {k: v.get("value") for k, v in root.get("outputs", {}).items()}

    @property
    def production(self):
        return self.name.startswith("prod")

    def all(self, *types):
        return [r for r in self.resources if r.type in types]

    @functools.cached_property
    def by_id(self):
        out = {}
        for r in self.resources:
            for k in ("id", "arn"):
                if r[k]:
                    out.setdefault(r[k], r)
        return out

    @functools.cached_property
    def bootstrap(self):
        """What bootstrap/ makes in this environment's account."""
        return load_bootstrap(self.name)

    def counts(self):
        return {a.stack: a.created for a in self.applied}


def walk(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from walk(child)


@functools.lru_cache(None)
def load_environment(env):
    """From the cache when nothing has changed since; raises Refused. Safe for several processes. Shared: who changes it copies it first."""
    import fcntl
    digest = tree_digest()
    base = BUILD / "live" / env
    base.mkdir(parents=True, exist_ok=True)
    with open(base / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, refused = base / "stamp", base / "refused"
        if refused.is_file() and refused.read_text().startswith(digest):
            raise Refused(refused.read_text()[len(digest):])        # no better the second time
        if not (stamp.is_file() and stamp.read_text() == digest):
            stamp.unlink(missing_ok=True)
            refused.unlink(missing_ok=True)
            for old in list(base.glob("*.json")):
                old.unlink()
            tree = copy_tree(base / "tree")
            cloud = base / "cloud"
            shutil.rmtree(cloud, ignore_errors=True)
            for stack in stacks_of(env):
                # the cloud as it was before this stack, for the mutations that start there
                shutil.rmtree(base / ("cloud-before-" + stack), ignore_errors=True)
                if cloud.is_dir():
                    shutil.copytree(cloud, base / ("cloud-before-" + stack))
                try:
                    a = apply_stack(tree, env, stack, cloud)
                except Refused as e:
                    refused.write_text("%s%s, %s: %s" % (digest, env, stack, e))
                    raise
                (base / (stack + ".plan.json")).write_text(json.dumps(a.plan))
                (base / (stack + ".state.json")).write_text(json.dumps(a.state))
            stamp.write_text(digest)
    applied = [Applied(s, json.loads((base / (s + ".plan.json")).read_text()), json.loads((base / (s + ".state.json")).read_text()))
               for s in stacks_of(env)]
    return Environment(env, applied, base / "tree")


@functools.lru_cache(None)
def load_bootstrap(env):
    """What bootstrap/ makes in the account of an environment: the boundary and the operators' policies."""
    import fcntl
    variables = account_of(env)
    base = BUILD / "bootstrap" / env
    base.mkdir(parents=True, exist_ok=True)
    stamp, digest = base / "stamp", tree_digest()
    with open(base / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.is_file() and stamp.read_text() == digest):
            tree = copy_tree(base / "tree")
            apply_bootstrap(tree, env, variables, base)
            stamp.write_text(digest)
    return Environment("bootstrap", [Applied("bootstrap", json.loads((base / "plan.json").read_text()), json.loads((base / "state.json").read_text()))], base / "tree")


def account_of(env):
    """Region and account of an environment, as its variables say."""
    return {k: v["value"] for k, v in load_environment(env).applied[0].plan.get("variables", {}).items() if "value" in v}


def apply_bootstrap(tree, env, variables, base):
    """Applies bootstrap/ of a tree and leaves plan.json and state.json in base."""
    base.mkdir(parents=True, exist_ok=True)
    folder = tree / "infra" / "bootstrap"
    pipelines = {may: {"host": "github", "subjects": ["repo:example/tallyd:" + subject], "environments": [env], "may": may}
                 for may, subject in (("apply", "environment:" + env), ("plan", "pull_request"), ("compare", "ref:refs/heads/main"))}
    given = {"region": variables["region"], "account_id": variables["account_id"], "partition": variables.get("partition", "aws"),
             "regions": json.dumps(sorted({variables["region"], variables.get("backup_replica_region") or variables["region"]})),
             "environments": json.dumps([env]), "pipelines": json.dumps(pipelines)}
    given = ["-var=%s=%s" % pair for pair in given.items()]
    e2 = clean_env(TF_DATA_DIR=base / "data", STUB_SCAN=tree / "infra")
    (folder / "terraform.tfstate").unlink(missing_ok=True)
    terraform("init", "-no-color", cwd=folder, env=e2)
    terraform("plan", "-no-color", "-out", base / "plan", *given, cwd=folder, env=e2)
    (base / "plan.json").write_text(terraform("show", "-json", base / "plan", cwd=folder, env=e2).stdout)
    terraform("apply", "-no-color", "-auto-approve", base / "plan", cwd=folder, env=e2)
    (base / "state.json").write_text(terraform("show", "-json", cwd=folder, env=e2).stdout)
    return Environment("bootstrap", [Applied("bootstrap", json.loads((base / "plan.json").read_text()), json.loads((base / "state.json").read_text()))], base / "tree")
