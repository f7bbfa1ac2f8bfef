"""The cluster, its nodes and their user data, and the images."""
import base64
import email
import pathlib
import re
import shutil
import subprocess
import tempfile

from .base import fail_if, rule


@rule()
def cluster_logs_everything(env):
    """All five control-plane logs, to a group that Terraform made (so that it is encrypted and does not last for ever)."""
    groups = {r["name"] for r in env.all("aws_cloudwatch_log_group")}
    for r in env.all("aws_eks_cluster"):
        missing = {"api", "audit", "authenticator", "controllerManager", "scheduler"} - set(r.get("enabled_cluster_log_types", []))
        yield r, fail_if(missing, "does not log %s" % sorted(missing)) or fail_if("/aws/eks/%s/cluster" % r["name"] not in groups, "its log group is not ours")


@rule()
def cluster_is_recent_and_kept(env):
    """Kubernetes 1.33 or newer (kernel 6.12: older ones hang io_uring tasks), access by entries only, protected from deletion in production."""
    for r in env.all("aws_eks_cluster"):
        v = tuple(int(x) for x in (r["version"] or "0.0").split("."))
        a = r.block("access_config")
        yield r, (fail_if(v < (1, 33), "runs %s" % r["version"])
                  or fail_if(a.get("authentication_mode") != "API", "still reads aws-auth")
                  or fail_if(a.get("bootstrap_cluster_creator_admin_permissions"), "makes its creator a hidden administrator")
                  or fail_if(env.production and not r["deletion_protection"], "can be deleted by mistake"))


@rule()
def cluster_has_its_addons(env):
    """Networking, DNS, proxy and the Pod Identity agent are add-ons with a pinned version."""
    for c in env.all("aws_eks_cluster"):
        mine = {r["addon_name"]: r for r in env.all("aws_eks_addon") if r["cluster_name"] == c["name"]}
        for name in ("vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent"):
            yield "%s %s" % (c, name), fail_if(name not in mine, "missing") or fail_if(not mine[name]["addon_version"], "has no version")


@rule(seed=":latest")
def images_are_pinned(env):
    """Nodes run a named image release, repositories refuse to overwrite a tag, and nothing is called latest."""
    for r in env.all("aws_eks_node_group"):
        yield r, fail_if(not r["release_version"], "runs whatever image is current") or fail_if("latest" in (r["release_version"] or ""), "runs :latest")
    for r in env.all("aws_ecr_repository"):
        yield r, fail_if(r["image_tag_mutability"] != "IMMUTABLE", "lets a tag be overwritten")
    for r in env.resources:
        for k, v in r.values.items():
            if isinstance(v, str) and (re.search(r":latest\b", v) or k in ("image_id", "ami_release_version") and "latest" in v):
                yield r, "%s is %s" % (k, v)


@rule()
def repositories_are_scanned_and_tidied(env):
    """Images are scanned on push and old ones expire."""
    registry = env.all("aws_ecr_registry_scanning_configuration")
    for r in env.all("aws_ecr_repository"):
        scan = r.block("image_scanning_configuration").get("scan_on_push") or registry
        policy = [p for p in env.all("aws_ecr_lifecycle_policy") if p["repository"] == r["name"]]
        yield r, (fail_if(not scan, "is not scanned") or fail_if(not policy, "keeps every image for ever") or fail_if(r["force_delete"] and env.production, "can be deleted with its images"))


def user_data_parts(text, plain=False):
    """(content type, body) of the parts of user data, which launch templates hold in base64."""
    raw = text.encode() if plain else base64.b64decode(text)
    message = email.message_from_bytes(raw)
    if not message.is_multipart():
        raise ValueError("user data is not multipart")
    return [(p.get_content_type(), p.get_payload(decode=True)) for p in message.walk() if not p.is_multipart()]


# What the shell part of the user data may call. Anything else, and it is not run here.
SHELL_TOOLS = ("mkdir", "install", "cat", "base64", "gzip", "gunzip", "zcat", "chmod", "chown", "mv", "rm", "sha256sum", "printf", "echo", "test", "dirname", "cut", "cmp", "mktemp")


def written_by(shell):
    """Runs the shell part with / moved to a scratch folder and a handful of tools; returns {path: bytes}."""
    text = shell.decode()
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        tools = root / "tools"
        tools.mkdir()
        for t in SHELL_TOOLS:
            real = shutil.which(t, path="/usr/bin:/bin")
            if real:
                (tools / t).symlink_to(real)
        # every absolute path moves below the scratch folder, but for the interpreter's line and the null device
        moved = "\n".join(line if line.startswith("#!") else re.sub(r"(?<![\w./<$}%-])/(?!dev/null)(?=(?:var|etc|opt|run|usr|srv|tmp|root|home)\b)", str(root / "fs") + "/", line)
                          for line in text.splitlines()) + "\n"
        (root / "fs").mkdir()
        bash = shutil.which("bash", path="/usr/bin:/bin")
        p = subprocess.run([bash, "-r"] if False else [bash, "-c", moved], env={"PATH": str(tools), "HOME": scratch, "TMPDIR": scratch}, cwd=scratch, capture_output=True, timeout=20,
                           stdin=subprocess.DEVNULL)
        if p.returncode:
            raise ValueError("the shell part fails: %s" % p.stderr.decode()[-400:])
        return {"/" + str(f.relative_to(root / "fs")): f.read_bytes() for f in (root / "fs").rglob("*") if f.is_file()}


SECCOMP_ON_NODE = "/var/lib/kubelet/seccomp/tallyd/tallyd.json"


def seccomp_source(env):
    return env.tree / "deploy" / "seccomp" / "tallyd.json"


def node_templates(env):
    """Launch templates that start EKS nodes."""
    used = {(b.get("id") or b.get("name")) for g in env.all("aws_eks_node_group") for b in g.blocks("launch_template")}
    return [r for r in env.all("aws_launch_template") if r["id"] in used or r["name"] in used]


@rule()
def nodes_get_the_seccomp_profile(env):
    """The user data really writes deploy/seccomp/tallyd.json, byte for byte, where kubelet looks for it, before nodeadm starts it: the shell part is run."""
    want = seccomp_source(env)
    for r in node_templates(env):
        try:
            files = {}
            for kind, body in user_data_parts(r["user_data"]):
                if kind == "text/x-shellscript":
                    files.update(written_by(body))
            got = files.get(SECCOMP_ON_NODE)
            yield r, (fail_if(not want.is_file(), "deploy/seccomp/tallyd.json is not in the repository")
                      or fail_if(got is None, "does not write %s, but %s" % (SECCOMP_ON_NODE, sorted(files)))
                      or fail_if(got != want.read_bytes(), "writes another profile than deploy/seccomp/tallyd.json"))
        except ValueError as e:
            yield r, str(e)


@rule()
def nodes_have_a_node_config(env):
    """The NodeConfig part is there; groups for tallyd have the static CPU manager with reserved CPUs."""
    static_seen = False
    for r in node_templates(env):
        try:
            configs = [b.decode() for k, b in user_data_parts(r["user_data"]) if k == "application/node.eks.aws"]
        except ValueError as e:
            yield r, str(e)
            continue
        text = "\n".join(configs)
        is_static = re.search(r"cpuManagerPolicy\"?: \"?static", text)
        static_seen = static_seen or bool(is_static)
        yield r, (fail_if(not configs, "has no NodeConfig") or fail_if("node.eks.aws/v1alpha1" not in text, "has an unknown NodeConfig")
                  or fail_if(is_static and "reservedSystemCPUs" not in text, "static CPU manager without reserved CPUs"))
