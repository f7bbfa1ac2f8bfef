"""IAM: moto's grammar of policies, the lists of actions and condition keys, and the simulator of @cloud-copilot/iam-simulate."""
import functools
import json
import pathlib
import re
import subprocess

import stack

# Characters without blanks. Inline policies of a role count together.
LIMITS = {"aws_iam_policy": 6144, "assume_role_policy": 2048, "aws_iam_role_policy": 10240, "aws_sqs_queue_policy": 12288, "aws_s3_bucket_policy": 20480, "aws_kms_key": 32768}
MANAGED = re.compile(r"^arn:aws[\w-]*:iam::aws:policy/(?:[\w-]+/)?([\w-]+)$")


def ask(question):
    p = subprocess.run(["node", str(stack.BUILD / "npm" / "simulate.mjs")], input=json.dumps(question), text=True, capture_output=True, timeout=300)
    assert p.returncode == 0, p.stderr[-2000:]
    return json.loads(p.stdout)


def grammar(document, trust=False):
    """What IAM's own grammar has against a document, or None. A policy of a resource is judged without its principals, which moto knows for roles only."""
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator
    judge = IAMTrustPolicyDocumentValidator if trust else IAMPolicyDocumentValidator
    doc = json.loads(json.dumps(document))
    if not trust:
        for st in doc["Statement"] if isinstance(doc["Statement"], list) else [doc["Statement"]]:
            if st.pop("Principal", None) or st.pop("NotPrincipal", None):
                st.setdefault("Resource", "*")
    try:
        judge(json.dumps(doc)).validate()
    except MalformedPolicyDocument as e:
        return str(e.message)
    return None


@functools.lru_cache(None)
def managed_policies():
    """Documents of AWS's managed policies by name, as moto ships them."""
    from moto.iam import aws_managed_policies as module
    return {name: entry["Document"] for name, entry in json.loads(module.aws_managed_policies_data).items()}


def managed(arn):
    """The document of a managed policy of AWS, or None where the ARN is one of ours."""
    m = MANAGED.match(arn or "")
    if not m:
        return None
    found = managed_policies().get(m.group(1))
    assert found, "no text of the managed policy %s is known" % arn
    return found


def size(text):
    return len(re.sub(r"\s", "", text))


_DESCRIBED = {}


def described(actions):
    """Kinds of resources that AWS compares for each action; a call for many at once is as dear as one for one."""
    actions = list(actions)
    new = sorted(set(actions) - set(_DESCRIBED))
    if new:
        _DESCRIBED.update(ask({"describe": new})["describe"])
    return {a: _DESCRIBED[a] for a in actions}


def concrete(template, account, region, partition="aws", project="tallyd"):
    """An ARN of ours for a template of IAM's data."""
    known = {"Partition": partition, "Region": region, "Account": account, "BucketName": project + "-x", "RoleNameWithPath": project + "/x", "PolicyNameWithPath": project + "/x",
             "InstanceProfileNameWithPath": project + "/x"}
    return re.sub(r"\$\{(\w+)\}", lambda m: known.get(m.group(1), "x"), template)


def targets(action, account, region, partition="aws"):
    """The resources that one call of an action is compared with: those that AWS requires, or the first kind, or "*" where it knows none."""
    kinds = described([action])[action]
    assert kinds is not None, "IAM knows no action %s" % action
    meant = [k for k in kinds if "accesspoint" not in k["arn"]]
    # Where any one of several kinds may be concerned: a bucket, a load balancer.
    usual = [k for k in meant if ":::${BucketName}" in k["arn"] or ":loadbalancer/app/" in k["arn"]]
    wanted = [k for k in meant if k["required"]] or usual[:1] or meant[:1]
    return [concrete(k["arn"], account, region, partition) for k in wanted] or ["*"]
