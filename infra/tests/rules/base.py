"""What must hold in every environment: each rule looks at everything it concerns and says what is wrong with it.

A rule yields (object, problem) for every object it looked at; problem is None when all is well. A rule that saw
nothing at all is a failure of its own (see `needs`): a check that cannot fail proves nothing.
`seed` names the fault of the five systems this one learnt from, where the rule would have caught it.
"""
import json

PUBLIC_PORT, ADMIN_PORT, REDIS_PORT = 8080, 9090, 6379
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
WORLD = ("0.0.0.0/0", "::/0")
READY = "/readyz"

RULES = {}


class Rule:
    def __init__(self, check, needs, seed):
        self.name = check.__name__.replace("_", "-")
        self.text = " ".join((check.__doc__ or "").split())
        self.check, self.needs, self.seed = check, needs, seed

    def look(self, env):
        """(number of objects seen, problems)"""
        seen, problems = 0, []
        for what, problem in self.check(env):
            seen += 1
            if problem:
                problems.append("%s: %s" % (what, problem))
        return seen, problems


def rule(needs="every", seed=None):
    """needs: 'every' environment must have something to look at, 'some' of them, or a tuple of names."""
    def wrap(f):
        r = Rule(f, needs, seed)
        RULES[r.name] = r
        return f
    return wrap


def fail_if(condition, text):
    return text if condition else None


def listed(v):
    return v if isinstance(v, list) else [] if v is None else [v]


POLICY_ARGUMENTS = ("policy", "assume_role_policy", "inline_policy", "access_policy", "resource_policy", "policy_text")


def documents(env):
    """(resource, argument, parsed document) of every policy in the environment."""
    for r in env.resources:
        for arg in POLICY_ARGUMENTS:
            text = r[arg]
            if isinstance(text, str) and text.strip().startswith("{"):
                doc = json.loads(text)
                if doc.get("Statement"):
                    yield r, arg, doc
        for b in r.blocks("inline_policy") if isinstance(r["inline_policy"], list) else []:
            if b.get("policy"):
                yield r, "inline_policy", json.loads(b["policy"])


def statements(env, kinds=None):
    for r, arg, doc in documents(env):
        if kinds and r.type not in kinds:
            continue
        for st in listed(doc["Statement"]):
            yield r, arg, st


def label(r, st):
    return "%s [%s]" % (r, st.get("Sid", "no sid"))


def is_identity(r, arg):
    """A policy attached to a principal (as opposed to one on a resource)."""
    return arg != "assume_role_policy" and r.type in (
        "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role", "aws_iam_group_policy", "aws_iam_user_policy", "aws_ssoadmin_permission_set_inline_policy")


def values_of(st, part="Condition"):
    """Every (operator, key, values) of a statement's condition."""
    for op, keys in (st.get(part) or {}).items():
        for key, vals in keys.items():
            yield op, key, listed(vals)


FENCES = ("aws:principalaccount", "aws:sourceaccount", "aws:sourcearn", "aws:principalorgid", "aws:sourceowner", "kms:calleraccount",
          "aws:principalarn", "aws:resourceaccount", "aws:sourcevpce", "aws:sourcevpc", "kms:viaservice", "token.actions.githubusercontent.com:sub",
          "kms:encryptioncontext:aws:logs:arn")


def fenced(st):
    """A condition that ties the request to known accounts or resources, positively, and not by a bare star."""
    for op, key, vals in values_of(st):
        k = key.lower()
        if (k in FENCES or k.endswith(":sub")) and "Not" not in op and not op.endswith("IfExists") and vals and all(v not in ("*", "") for v in vals):
            return True
    return False
