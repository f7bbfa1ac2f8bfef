#!/usr/bin/python3
"""Reads the schemas of the AWS provider out of the npm package of its typed bindings.

The bindings are generated from the provider's own schema: for every resource and data
source the generated source says each attribute's name, type and whether it is required,
optional or computed, and which members are nested blocks. The package ships that source
inside the source maps of lib/*/index.js, so the tarball is read as it is, without unpacking.

  extract.py PACKAGE.tgz OVERLAY.json OUTDIR

writes OUTDIR/resource/TYPE.json, OUTDIR/data/TYPE.json and OUTDIR/provider.json in the shape of
`terraform providers schema -json` (one "block" each), and OUTDIR/index.json with the version.
What the bindings do not say (and so is not checked through the stub): conflicts between
arguments, accepted values, defaults, which change forces a replacement, item counts above one.
"""
import base64
import json
import os
import re
import sys
import tarfile

MAP = re.compile(rb"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) \{$", re.M)
MEMBER = re.compile(r"^  // (\S+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.M)
PRIVATE = re.compile(r"private _?\w+\?: ([^;\n]+);")
NESTED = re.compile(r"private _?\w+ = new (\w+)\(this, \"(\w+)\"(?:, (true|false))?\)")
GETTER = re.compile(r"public get \w+\(\)[^{]*\{\s*return ([^;]+);")
BLOCKFLAG = re.compile(r"^\s+\"?(\w+)\"?: cdktf\.(?:listMapper|hashMapper)\((\w+)(?:, (true|false))?\)", re.M)
HCLATTR = re.compile(
    r"^\s+\"?(\w+)\"?: \{\n\s+value: .*\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\",", re.M)
KIND = re.compile(r"tfResourceType = \"(\w+)\"")

PRIMITIVE = {"string": "string", "number": "number", "boolean": "bool"}

# Arguments the provider marks as sensitive; the bindings do not carry the mark.
SENSITIVE = {"secret_string", "secret_binary", "passwords", "password", "auth_token", "random_password",
             "secret_key", "token", "private_key", "client_secret"}


class Odd(Exception):
    pass


class Source:
    """One generated source file."""

    def __init__(self, text):
        self.text = text
        self.classes = {}
        found = list(CLASS.finditer(text))
        for i, m in enumerate(found):
            end = found[i + 1].start() if i + 1 < len(found) else len(text)
            self.classes[m.group(1)] = (m.group(2), text[m.start():end])
        # listMapper(f, true) marks a block, listMapper(f, false) an attribute holding objects
        self.is_block = {}
        for m in BLOCKFLAG.finditer(text):
            self.is_block[(m.group(1), m.group(2))] = m.group(3) != "false"

    def hcl(self, body_or_iface, is_main):
        """attribute -> (is_block, list|set|map|simple|struct, storage class)"""
        if is_main:
            part = body_or_iface[body_or_iface.find("synthesizeHclAttributes"):]
        else:
            fn = "function %s%sToHclTerraform(" % (body_or_iface[0].lower(), body_or_iface[1:])
            at = self.text.find(fn)
            if at < 0:
                return {}
            part = self.text[at:self.text.find("\n}\n", at)]
        return {m.group(1): (m.group(2) == "true", m.group(3), m.group(4)) for m in HCLATTR.finditer(part)}

    def block(self, cls, is_main=False):
        kind, body = self.classes[cls]
        iface = cls[:-len("OutputReference")] if cls.endswith("OutputReference") else cls
        hcl = self.hcl(body if is_main else iface, is_main)
        attrs, blocks = {}, {}
        marks = list(MEMBER.finditer(body))
        for i, m in enumerate(marks):
            name = m.group(1)
            computed, optional, required = (g == "true" for g in m.groups()[1:])
            part = body[m.end():marks[i + 1].start() if i + 1 < len(marks) else len(body)]
            spec = {}
            if required:
                spec["required"] = True
            if optional:
                spec["optional"] = True
            if computed:
                spec["computed"] = True
            nested = NESTED.search(part)
            if nested and not nested.group(1).startswith("cdktf"):
                self.nested(name, nested, spec, hcl.get(name), attrs, blocks)
                continue
            declared = PRIVATE.search(part)
            named = declared and re.fullmatch(r"(\w+)(\[\])?(?: \| cdktf\.IResolvable)?", declared.group(1).strip())
            if named and "export interface %s {" % named.group(1) in self.text:
                # the provider's own nested blocks have an interface but no class
                b = {"nesting_mode": hcl[name][1], "block": self.interface(named.group(1))}
                if not named.group(2):
                    b["max_items"] = 1
                blocks[name] = b
                continue
            spec["type"] = self.simple_type(name, part, hcl.get(name))
            if name in SENSITIVE or name.endswith("_wo"):
                spec["sensitive"] = True
            if name.endswith("_wo"):
                spec["write_only"] = True
            attrs[name] = spec
        out = {}
        if attrs:
            out["attributes"] = attrs
        if blocks:
            out["block_types"] = blocks
        return out

    def interface(self, iface):
        at = self.text.find("export interface %s {" % iface)
        body = self.text[at:self.text.find("\n}\n", at)]
        hcl = self.hcl(iface, False)
        attrs = {}
        for m in re.finditer(r"#(\w+) \w+#\w+\}\n  \*/\n  readonly \w+(\??): ([^;]+);", body):
            name, optional, ts = m.groups()
            coll = hcl.get(name, (0, "list"))[1]
            t = ts_type(ts.replace(" | cdktf.IResolvable", ""), coll)
            if t is None:
                raise Odd("type of %s.%s: %s" % (iface, name, ts))
            attrs[name] = {"type": t, "optional" if optional else "required": True}
        return {"attributes": attrs}

    def nested(self, name, match, spec, hcl, attrs, blocks):
        cls, wraps_set = match.group(1), match.group(3) == "true"
        if cls not in self.classes:
            raise Odd("unknown class %s" % cls)
        base = self.classes[cls][0]
        if base == "ComplexObject":
            many, mode, ref = False, None, cls
        elif base == "ComplexList":
            many, mode, ref = True, "set" if wraps_set else "list", cls[:-len("List")] + "OutputReference"
        elif base == "ComplexMap":
            many, mode, ref = True, "map", cls[:-len("Map")] + "OutputReference"
        else:
            raise Odd("base %s" % base)
        inner = self.block(ref)
        if hcl and hcl[1] != "simple":
            mode = hcl[1]
        iface = ref[:-len("OutputReference")]
        if spec.get("computed"):
            attribute = True
        elif many:
            attribute = not self.is_block.get((name, iface[0].lower() + iface[1:] + "ToTerraform"), True)
        else:
            attribute = False
        if attribute:
            obj = as_type(inner)
            if base == "ComplexObject" and not hcl:
                spec["type"] = obj            # a computed single object
            else:
                spec["type"] = [{"struct": "list"}.get(mode, mode or "list"), obj]
            attrs[name] = spec
            return
        if not many and mode in (None, "struct"):
            blocks[name] = {"nesting_mode": "single", "block": inner}
            return
        b = {"nesting_mode": mode, "block": inner}
        if spec.get("required"):
            b["min_items"] = 1
        if not many:
            b["max_items"] = 1
        blocks[name] = b

    def simple_type(self, name, part, hcl):
        declared = PRIVATE.search(part)
        nested = NESTED.search(part) or re.search(r"= new cdktf\.(\w+)\(", part)
        getter = GETTER.search(part)
        expr = getter.group(1) if getter else ""
        is_set = "tolist(" in expr or bool(hcl and hcl[1] == "set") or bool(
            re.search(r"new cdktf\.\w+List\(this, \"\w+\", true\)", part))
        coll = "set" if is_set else "list"
        helper = re.search(r"= new cdktf\.(\w+)\(", part)
        if helper:
            t = {"StringMap": ["map", "string"], "BooleanMap": ["map", "bool"], "NumberMap": ["map", "number"],
                 "StringMapList": [coll, ["map", "string"]], "StringListMap": ["map", ["list", "string"]],
                 "NumberMapList": [coll, ["map", "number"]], "BooleanMapList": [coll, ["map", "bool"]],
                 "AnyMap": ["map", "dynamic"], "NumberListList": [coll, ["list", "number"]],
                 "StringListList": [coll, ["list", "string"]]}.get(helper.group(1))
            if t:
                return t
            if helper.group(1) == "AnyMapList":
                return [coll, ["map", "dynamic"]]
            raise Odd("helper %s" % helper.group(1))
        ts = declared.group(1).strip().replace(" | cdktf.IResolvable", "") if declared else None
        if ts:
            t = ts_type(ts, coll)
            if t:
                return t
        for pattern, t in (("getStringMapAttribute", ["map", "string"]), ("getNumberMapAttribute", ["map", "number"]),
                           ("getBooleanMapAttribute", ["map", "bool"]), ("getNumberListAttribute", [coll, "number"]),
                           ("getListAttribute", [coll, "string"]), ("getStringAttribute", "string"),
                           ("getNumberAttribute", "number"), ("getBooleanAttribute", "bool"),
                           ("interpolationForAttribute", "dynamic")):
            if pattern in expr:
                return t
        raise Odd("type of %s: %r %r" % (name, ts, expr[:80]))


def ts_type(ts, coll):
    ts = ts.strip()
    while ts.startswith("(") and ts.endswith(")"):
        ts = ts[1:-1].strip()
    if ts in PRIMITIVE:
        return PRIMITIVE[ts]
    if ts == "any":
        return "dynamic"
    for pattern, shape in ((r"\{ \[key: string\]: (.+) \}\[\]", lambda t: [coll, ["map", t]]),
                           (r"\{ \[key: string\]: (.+) \}", lambda t: ["map", t]),
                           (r"Array<(.+)>", lambda t: [coll, t]), (r"(.+)\[\]", lambda t: [coll, t])):
        m = re.fullmatch(pattern, ts)
        if m:
            inner = ts_type(m.group(1), "list")
            return None if inner is None else shape(inner)
    return None


def as_type(block):
    """The object type of a block that is really an attribute."""
    fields = {k: v["type"] for k, v in block.get("attributes", {}).items()}
    for k, b in block.get("block_types", {}).items():
        t = as_type(b["block"])
        fields[k] = t if b["nesting_mode"] == "single" else [b["nesting_mode"], t]
    return ["object", fields]


SHORT = re.compile(r"(\[?)(string|number|bool)\]?([!?])")


def merge(into, extra):
    for k, v in extra.items():
        if v is None:
            into.pop(k, None)
        elif isinstance(v, dict) and isinstance(into.get(k), dict):
            merge(into[k], v)
        else:
            into[k] = v


def expand(node, shared):
    """Resolves {"$ref": "name", "depth": n} of the overlay: recursive blocks down to a depth."""
    def walk(v, depths):
        if isinstance(v, dict):
            if "$ref" in v:
                name = v["$ref"]
                left = depths.get(name, v.get("depth", 1))
                if left <= 0:
                    return None
                return walk(shared[name], {**depths, name: left - 1})
            out = {}
            for k, x in v.items():
                y = walk(x, depths)
                # a block whose body ends the recursion disappears
                if y is None and isinstance(x, dict):
                    if k == "block":
                        return None
                    continue
                out[k] = y
            return out
        if isinstance(v, list):
            return [walk(x, depths) for x in v]
        short = SHORT.fullmatch(v) if isinstance(v, str) else None
        if short:       # "string!" a required string, "[string]?" an optional list of them
            many, prim, need = short.groups()
            return {"type": ["list", prim] if many else prim, "required" if need == "!" else "optional": True}
        return v
    return walk(node, {})


def dynamic_in_set(block, inside=False):
    if inside and "dynamic" in json.dumps([a["type"] for a in block.get("attributes", {}).values()]):
        return True
    return any(dynamic_in_set(n["block"], inside or n["nesting_mode"] == "set") for n in block.get("block_types", {}).values())


def main():
    package, overlay_path, out = sys.argv[1:4]
    overlay = json.load(open(overlay_path))
    os.makedirs(out + "/resource", exist_ok=True)
    os.makedirs(out + "/data", exist_ok=True)
    version, count, odd = None, {"resource": 0, "data": 0}, []
    with tarfile.open(package, "r:gz") as tar:
        for entry in tar:
            m = re.fullmatch(r"package/lib/([\w.-]+)/index\.js", entry.name)
            if not m:
                continue
            found = MAP.search(tar.extractfile(entry).read())
            if not found:
                continue
            text = json.loads(base64.b64decode(found.group(1)))["sourcesContent"][0]
            src = Source(text)
            main_cls = [(c, b) for c, (k, b) in src.classes.items()
                        if k in ("TerraformResource", "TerraformDataSource", "TerraformProvider")]
            if not main_cls:
                continue
            cls, body = main_cls[0]
            kind = src.classes[cls][0]
            typ = KIND.search(body).group(1)
            version = version or re.search(r"providerVersion: '([\d.]+)'", body).group(1)
            try:
                block = src.block(cls, True)
            except Odd as e:
                odd.append("%s: %s" % (m.group(1), e))
                continue
            if kind == "TerraformProvider":
                path, sort = out + "/provider.json", None
            else:
                sort = "resource" if kind == "TerraformResource" else "data"
                path = "%s/%s/%s.json" % (out, sort, typ)
                count[sort] += 1
                extra = overlay.get(sort, {}).get(typ)
                if extra:
                    merge(block, expand(extra, overlay.get("shared", {})))
            if sort and dynamic_in_set(block):
                odd.append("%s: the bindings leave a nested block untyped" % typ)
                continue
            with open(path, "w") as f:
                json.dump(block, f, separators=(",", ":"))
    json.dump({"version": version, "resources": count["resource"], "data": count["data"], "unreadable": odd},
              open(out + "/index.json", "w"), indent=1)
    print("provider %s: %d resources, %d data sources, %d unreadable" % (
        version, count["resource"], count["data"], len(odd)))
    for line in odd:
        print("  " + line, file=sys.stderr)


if __name__ == "__main__":
    main()
