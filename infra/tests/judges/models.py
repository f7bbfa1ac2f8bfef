"""botocore's service models: the create call of each planned resource, composed from its values and walked member by member.

Terraform's arguments and AWS's members differ in spelling only, for the most part: `engine_version` is EngineVersion. Where they differ
more, `judges/shapes.py` says what becomes of an argument. An argument that finds no member is a finding, and so is whatever the model
does not accept: a member that is required and missing, a type, an enumeration, a length, a pattern or a range.
"""
import functools
import json
import re

import stack

from . import shapes

# What every resource has and no call: Terraform's own, or the provider's.
EVERYWHERE = {"id", "tags_all", "region", "timeouts", "force_destroy", "skip_destroy", "apply_immediately", "name_prefix"}
# What the provider makes up or hides where the configuration leaves it open, and sends.
MADE_UP = {"name", "value"}


@functools.lru_cache(None)
def model(service):
    import botocore.session
    return botocore.session.get_session().get_service_model(service)


@functools.lru_cache(None)
def schema(kind):
    return json.loads((stack.BUILD / "schema" / "resource" / (kind + ".json")).read_text())


def given(block, values, planned):
    """What the configuration says: no computed values, but those that the plan knew already."""
    out, planned = {}, planned or {}
    for name, a in block.get("attributes", {}).items():
        value = values.get(name)
        said = (a.get("optional") or a.get("required")) and (not a.get("computed") or planned.get(name) is not None or name in MADE_UP)
        if said and value not in (None, "", [], {}):
            out[name] = value
    for name, b in block.get("block_types", {}).items():
        inner, known = values.get(name), planned.get(name)
        if isinstance(inner, dict):
            inner, known = [inner], [known]
        if inner:
            known = known if isinstance(known, list) and len(known) == len(inner) else [{}] * len(inner)
            out[name] = [given(b["block"], v, k) for v, k in zip(inner, known)]
    return out


def plain(name):
    return re.sub(r"[_-]", "", name).lower()


def member(shape, name):
    """The member of a structure that an argument is called after, or None."""
    n = plain(name)
    spellings = [n, n + "s", n + "es", n[:-1] + "ies", n.removesuffix("s"), n + "list", n.removesuffix("s") + "list", n + "set", n + "specifications", n + "uration", n + "arn", n + "id", n.removesuffix("arn"), n.removesuffix("json")]
    known = {plain(m): m for m in shape.members}
    return next((known[s] for s in spellings if s in known), None)


def descend(shape, out, names):
    """(shape, container) below a path of members; a list on the way gets one item."""
    for n in names:
        if shape.type_name == "map":
            return shape, out
        shape = shape.members[n]
        out = out.setdefault(n, [{}] if shape.type_name == "list" else {})
        if shape.type_name == "list":
            shape, out = shape.member, out[0]
    return shape, out


class Walk:
    """One call being composed; `lost` are the arguments that found no member."""

    def __init__(self, row):
        self.row, self.lost = row, []

    def value(self, shape, v, path):
        if shape.type_name == "structure":
            return self.block(shape, v, path)
        if shape.type_name == "list":
            if isinstance(v, dict):
                names = list(shape.member.members)[:2]
                return [dict(zip(names, pair)) for pair in sorted(v.items())]
            return [self.value(shape.member, i, path) for i in (v if isinstance(v, list) else [v])]
        if shape.type_name == "map" and isinstance(v, dict):
            return {k: self.value(shape.value, x, path) for k, x in v.items()}
        return scalar(shape, v)

    def block(self, shape, v, path):
        items, first = shape.members.get("Items"), v[0] if isinstance(v, list) and v else v
        if items is not None and not (isinstance(v, list) and isinstance(first, dict) and any(member(shape, k) for k in first)):
            made = self.value(items, v, path)
            return dict({"Items": made}, **({"Quantity": len(made)} if "Quantity" in shape.members else {}))
        if isinstance(v, list):
            v = first if v else {}
        if items is not None and "Quantity" in shape.members:
            v = dict(v, quantity=len(v.get("items") or []))
        return self.structure(shape, v, path) if isinstance(v, dict) else v

    def structure(self, shape, values, path=""):
        out = {}
        for name, v in values.items():
            where = (path + "." + name).lstrip(".")
            target = self.row.names.get(where, member(shape, name))
            if v in (None, "", [], {}) or target == "":
                continue
            if target is None:
                self.lost.append(where)
            elif callable(target):
                for deep, x in target(v).items():
                    self.place(shape, out, deep, x, where)
            else:
                self.place(shape, out, target, v, where)
        return out

    def place(self, shape, out, target, v, where):
        """Puts a value at a path of members below a structure."""
        *folders, last = target.split(".")
        shape, out = descend(shape, out, folders)
        if v is None:
            return
        made = self.value(shape.value if shape.type_name == "map" else shape.members[last], v, where)
        out[last] = dict(made, **out[last]) if isinstance(made, dict) and isinstance(out.get(last), dict) else made


def scalar(shape, v):
    if shape.type_name in ("integer", "long") and isinstance(v, str) and re.fullmatch(r"-?\d+", v):
        return int(v)
    if shape.type_name in ("double", "float") and isinstance(v, (int, str)) and not isinstance(v, bool):
        return float(v)
    if shape.type_name == "boolean" and v in ("true", "false"):
        return v == "true"
    if shape.type_name == "string" and isinstance(v, bool):
        return str(v).lower()
    if shape.type_name == "string" and isinstance(v, (int, float)):
        return "%g" % v if isinstance(v, float) else str(v)
    if shape.type_name == "string" and isinstance(v, (list, dict)):
        return json.dumps(v)
    return v


def composed(row, values):
    """(row, shape of its input, parameters) and what was lost. With `at`, an argument that has no place there may have one at the top."""
    shape, params, walk, values = model(row.service).operation_model(row.operation).input_shape, {}, Walk(row), row.turns(values)
    inner, target = descend(shape, params, [n for n in row.at.split(".") if n])
    values = {k: v for k, v in values.items() if k != "tags" or member(shape, k) or member(inner, k)}
    above = {k for k in values if row.at and k not in row.names and not member(inner, k) and member(shape, k)}
    for k, path in row.top.items():
        if values.get(k):
            walk.place(shape, params, path, values[k], k)
    target.update(walk.structure(inner, {k: v for k, v in values.items() if k not in above and k not in row.top}))
    params.update(walk.structure(shape, {k: values[k] for k in above}))
    for path, v in row.adds.items():
        walk.place(shape, params, path, v, path)
    return (row, shape, params), walk.lost


def tagged(tags):
    """Tags that a create call does not take are judged as those of the service that tags everything."""
    row = shapes.call("resourcegroupstaggingapi.TagResources", adds={"ResourceARNList": ["arn:aws:x:::x"]})
    return composed(row, {"tags": tags})[0]


def compose(kind, values):
    """[(row, shape, parameters)] of a resource's calls, and the arguments that none of them takes."""
    values = {k: v for k, v in values.items() if k not in EVERYWHERE}
    rows = shapes.SHAPES[kind]
    elsewhere = set().union(*(r.taken for r in rows))
    calls, lost = [], []
    for row in rows:
        if row.each:
            parts = values.get(row.each, [])
        elif row.only:
            parts = [{k: v for k, v in values.items() if k in row.only}] if row.taken & set(values) else []
        else:
            parts = [{k: v for k, v in values.items() if k not in elsewhere}]
        for part in parts:
            made, gone = composed(row, part)
            calls.append(made)
            lost += gone
    if values.get("tags") and not member(calls[0][1], "tags"):
        calls.append(tagged(values["tags"]))
    return calls, sorted(set(lost) - set(shapes.ELSEWHERE.get(kind, {})))


def faults(shape, value, path=""):
    """What the model has against a value: types, members, enumerations, lengths, patterns, ranges."""
    where, m = path or "the call", shape.metadata
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            yield "%s is no structure: %r" % (where, value)
            return
        for r in m.get("required", []):
            if r not in value:
                yield "%s has no %s" % (where, r)
        for k, v in value.items():
            if k not in shape.members:
                yield "%s knows no %s" % (where, k)
            else:
                yield from faults(shape.members[k], v, (path + "." + k).lstrip("."))
    elif shape.type_name in ("list", "map"):
        if not isinstance(value, list if shape.type_name == "list" else dict):
            yield "%s is no %s: %r" % (where, shape.type_name, value)
            return
        if not m.get("min", 0) <= len(value) <= m.get("max", len(value)):
            yield "%s has %d items, not %s to %s" % (where, len(value), m.get("min", 0), m.get("max", "any number"))
        if shape.type_name == "map":
            for k in value:
                yield from scalar_faults(shape.key, k, "%s's key" % where)
        for i, v in enumerate(value) if shape.type_name == "list" else value.items():
            yield from faults(shape.member if shape.type_name == "list" else shape.value, v, "%s[%s]" % (path, i))
    else:
        yield from scalar_faults(shape, value, where)


KINDS = {"string": str, "integer": int, "long": int, "double": (int, float), "float": (int, float), "boolean": bool}


def scalar_faults(shape, value, where):
    kind, m = KINDS.get(shape.type_name), shape.metadata
    if kind and (not isinstance(value, kind) or isinstance(value, bool) and kind is not bool):
        yield "%s is no %s: %r" % (where, shape.type_name, value)
        return
    if isinstance(value, str):
        if m.get("enum") and value not in m["enum"]:
            yield "%s is none of %s: %s" % (where, ", ".join(m["enum"][:12]), value)
        if not m.get("min", 0) <= len(value) <= m.get("max", len(value)):
            yield "%s has %d characters, not %s to %s" % (where, len(value), m.get("min", 0), m.get("max", "any number"))
        if m.get("pattern") and not matches(m["pattern"], value):
            yield "%s does not match %s: %.80s" % (where, m["pattern"], value)
    elif not isinstance(value, bool) and isinstance(value, (int, float)):
        if not m.get("min", value) <= value <= m.get("max", value):
            yield "%s is %s, not %s to %s" % (where, value, m.get("min", "any"), m.get("max", "any"))


def matches(pattern, value):
    """Models write patterns for Java; one that Python cannot read is not judged."""
    pattern = re.sub(r"\\p\{(?:L|IsL|Alpha)\}", "a-zA-Z\u00c0-\u024f", pattern)
    pattern = re.sub(r"\\p\{(?:N|Z|M|P|S)\}", "", pattern.replace(r"\p{N}", "0-9").replace(r"\p{Z}", r"\s"))
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


def judge(resource, planned):
    """(calls, members looked at, findings) of one resource; `planned` are the values that its plan knew."""
    calls, lost = compose(resource.type, given(schema(resource.type), resource.values, planned))
    found = ["%s finds no member" % x for x in lost]
    for row, shape, params in calls:
        found += ["%s.%s: %s" % (row.service, row.operation, f) for f in faults(shape, params)]
    return len(calls), sum(size(p) for _, _, p in calls), found


def size(v):
    return sum(map(size, v.values())) if isinstance(v, dict) else sum(map(size, v)) if isinstance(v, list) else 1
