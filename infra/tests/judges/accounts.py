"""The roles of an environment with everything that decides for them: their policies, those of AWS, the boundary, and keys' own policies."""
import functools
import json
import re

import stack

from . import iam

ALLOW, DENY = True, False


class Account:
    """The roles of an environment with everything that decides for them."""

    def __init__(self, env):
        self.take(stack.load_environment(env), stack.load_bootstrap(env))

    @classmethod
    def of(cls, env):
        """The account of an environment that need not be the one on the disk."""
        out = cls.__new__(cls)
        out.take(env, env.bootstrap)
        return out

    def take(self, env, bootstrap):
        self.env, self.bootstrap = env, bootstrap
        cluster = self.env.all("aws_eks_cluster")[0]
        self.region, self.account = cluster["arn"].split(":")[3:5]
        self.prefix = cluster["name"]
        self.policies = {r["arn"]: json.loads(r["policy"]) for r in self.env.all("aws_iam_policy") + self.bootstrap.all("aws_iam_policy")}

    @functools.cached_property
    def facts(self):
        """What the matrix calls by name; an object that an environment has not got makes its rows fall away."""
        out = {"region": self.region, "account": self.account, "prefix": self.prefix, "env": self.env.name}
        for name, kind, key, pattern in (("repository", "aws_ecr_repository", "name", ""), ("memorydb_secret", "aws_secretsmanager_secret", "name", "redis/tallyd$|memorydb/tallyd$"),
                                         ("token_secret", "aws_secretsmanager_secret", "name", "token"), ("memorydb_user", "aws_memorydb_user", "user_name", "tallyd$"),
                                         ("memorydb_cluster", "aws_memorydb_cluster", "name", ""), ("backup_bucket", "aws_s3_bucket", "bucket", "backup|snapshot"),
                                         ("metrics_bucket", "aws_s3_bucket", "bucket", "metrics"), ("workspace", "aws_prometheus_workspace", "alias", ""),
                                         ("blue", "aws_lb_target_group", "name", "blue"), ("green", "aws_lb_target_group", "name", "green"),
                                         ("rotation", "aws_lambda_function", "function_name", "rotat"), ("queue", "aws_sqs_queue", "name", "karpenter")):
            found = [r for r in self.env.all(kind) if re.search(pattern, r[key] or "")]
            if found:
                out[name] = found[0]["arn"]
        for alias in self.env.all("aws_kms_alias"):
            if alias["name"] == "alias/%s-data" % self.prefix:
                out["data_key"] = next(k["arn"] for k in self.env.all("aws_kms_key") if alias["target_key_id"] in (k["id"], k["key_id"], k["arn"]))
        return out

    def key_policy(self, action, resource):
        """KMS asks the key's own policy first: without its consent IAM counts for nothing."""
        if not action.startswith("kms:"):
            return None
        keys = [k for k in self.env.all("aws_kms_key") if k["arn"] == resource]
        return json.loads(keys[0]["policy"]) if keys else None

    def has(self, *texts):
        return all(n in self.facts for t in texts for n in re.findall(r"\{(\w+)\}", t))

    def fill(self, text):
        return text.format(**self.facts)

    def role(self, pattern):
        # {env} in a role's pattern is not needed: names carry it
        found = [r for r in self.env.all("aws_iam_role") if re.fullmatch(self.fill(pattern), r["name"])]
        return found[0] if found else None

    def own(self, role):
        """Its policies but those of AWS, for which the rule the-boundary-leaves-managed-policies-their-use asks."""
        managed = [iam.managed(r["policy_arn"]) for r in self.env.all("aws_iam_role_policy_attachment") if r["role"] in (role["name"], role["id"])]
        return [d for d in self.identity(role) if d not in managed]

    def identity(self, role):
        docs = [json.loads(r["policy"]) for r in self.env.all("aws_iam_role_policy") if r["role"] in (role["name"], role["id"])]
        docs += [self.policies.get(r["policy_arn"]) or iam.managed(r["policy_arn"]) for r in self.env.all("aws_iam_role_policy_attachment")
                 if r["role"] in (role["name"], role["id"])]
        return docs

    def boundary(self, role):
        arn = role["permissions_boundary"]
        if not arn:
            return None
        assert arn in self.policies, "%s has a boundary that bootstrap does not make: %s" % (role, arn)
        return [self.policies[arn]]


@functools.lru_cache(None)
def account(env):
    return Account(env)


def filled(a, context):
    return {a.fill(k): [a.fill(x) for x in v] if isinstance(v, list) else a.fill(v) for k, v in context.items()}


def simulation(a, role, action, resource, context):
    return {"principal": role["arn"], "action": action, "resource": a.fill(resource), "resourcePolicy": a.key_policy(action, a.fill(resource)), "resourceAccount": a.account if "999999999999" not in resource else "999999999999",
            "context": filled(a, context), "identity": a.identity(role), "boundary": a.boundary(role)}


def compare(a, cases):
    """cases: (text, simulation, expected)"""
    answers = iam.ask({"simulations": [c[1] for c in cases]})["simulations"]
    wrong = []
    for (text, _, expected), answer in zip(cases, answers):
        if "error" in answer:
            wrong.append("%s: %s" % (text, answer["error"][:400]))
        elif (answer["result"] == "Allowed") != expected:
            wrong.append("%s: %s, expected %s" % (text, answer["result"], "Allowed" if expected else "denied"))
    assert not wrong, "\n".join(wrong)
    return len(cases)
