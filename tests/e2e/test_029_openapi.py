"""What /openapi.json says is what the server does: every path, method, status, header and field of it is met here."""

import json
import os

import pytest
from harness import wait
from harness.event_stream import EventStream
from harness.http_client import fetch

jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema: make test installs it")
pytestmark = pytest.mark.short
SOURCE = os.path.join(os.path.dirname(__file__), "../../src/web/openapi.json")
TOKEN = "token-of-the-openapi-tests-1"
OTHER = "token-of-the-openapi-tests-2"
BEARER = f"Authorization: Bearer {TOKEN}"
METHODS = ("get", "head", "post", "put", "delete")
ADMIN_PAGES = ("/metrics", "/livez", "/readyz", "/statusz", "/configz")
# Not met here: 2^56 hits of one key, and a write whose fate stays open for five seconds (tests/unit/test_writes.c).
UNMET = {(path, method, status) for path, method, status in [
    *[(f"/v1/hit/{{ns}}{key}", method, "409") for key in ("", "/{key}") for method in ("get", "post")],
    *[(f"/v1/counters/{{ns}}{key}", method, "504") for key in ("", "/{key}") for method in ("put", "delete")],
    ("/v1/keys/{ns}", "delete", "504"),
    *[("/v1/namespaces", method, "503") for method in ("get", "head")],  # before the first walk has ended
    ("/v1/export/{ns}", "get", "429"),  # test_131_export_import.py
    ("/v1/hits", "post", "503"),  # test_115_out_of_memory.py
    *[("/readyz", method, "503") for method in ("get", "head")]]}  # tests/unit/test_admin.c


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.met = set()

    def resolve(self, node):
        while "$ref" in node:
            at = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def statuses(self):
        return {(path, method, status) for path, method, operation in self.operations() for status in operation["responses"]}

    def check(self, schema, value):
        jsonschema.Draft202012Validator({**schema, "components": self.root["components"]}).validate(value)

    def meet(self, path, method, answer):
        """The answer is one of those that the document knows, in all that it says of it."""
        responses = self.root["paths"][path][method]["responses"]
        where = f"{method} {path}: {answer.status} {answer.body[:200]!r}"
        assert str(answer.status) in responses, where
        described = self.resolve(responses[str(answer.status)])
        for name, header in described.get("headers", {}).items():
            assert answer[name] is not None, f"{name} in {where}"
            self.check(self.resolve(header)["schema"], answer[name])
        content = described.get("content")
        if method != "head":
            assert bool(content) == bool(answer.body), where
        if content:
            assert answer["Content-Type"].split(";")[0] in content, where
        for media, body in (content or {}).items():
            if media == "application/json":
                self.check(body["schema"], json.loads(answer.body))
        self.met.add((path, method, str(answer.status)))


@pytest.fixture
def document(lab):
    return Document(lab.tallyd().admin("/openapi.json"))


def test_it_is_the_file_in_the_source_and_whole(document):
    with open(SOURCE, encoding="utf-8") as file:
        assert json.load(file) == document.root
    assert document.root["openapi"].startswith("3.1.")
    names = [operation["operationId"] for _, _, operation in document.operations()]
    assert len(names) == len(set(names))
    for schema in document.root["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)

    def walk(node):
        if isinstance(node, dict):
            document.resolve(node)
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document.root)


def write(lab, name, text):
    path = os.path.join(lab.folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def test_every_path_method_status_and_field_is_met(lab, document):
    redis = lab.redis()
    tokens = write(lab, "tokens", f"{TOKEN} write read\n{OTHER} write:other\n")
    access = write(lab, "access", "shop token\nsite key a\n")
    server = lab.tallyd(redis, token_file=tokens, access_file=access, max_keys=20)
    alone = lab.tallyd(token_file=tokens)

    def meet_one(path, method, target, fields, body, pod):
        document.meet(path, method, pod.fetch(target, method.upper(), fields, body))

    def meet(path, method, target=None, fields=(), body=None, pod=server):
        """With the key in the path, and in the query."""
        meet_one(path, method, target or path, fields, body, pod)
        by_query = path.replace("/{key}", "")
        if by_query != path and by_query in document.root["paths"] and method in document.root["paths"][by_query]:
            there, _, query = target.partition("?")
            where, key = there.rsplit("/", 1)
            form = path.partition("{key}")[2]
            if by_query != counters or method in ("put", "delete"):
                meet_one(by_query, method, f"{where}{form}?key={key.removesuffix(form) if form else key}&{query}", fields, body, pod)

    limited = lab.tallyd(workers=1, rate_limit=1, rate_burst=1)

    def meet_too_often(path, method):
        target = "/v1/hit/blog/a" if "{key}" in path else "/v1/hit/blog?key=a"
        document.meet(path, method, wait.until(
            lambda: (answer := limited.fetch(target, method.upper())).status == 429 and answer, "one hit is too many"))

    crowded = lab.tallyd(workers=1, max_conns=4, max_conns_client=4, namespaces="blog")
    held = lab.keep(EventStream(crowded.port, "/v1/stream/blog/a"))
    assert held.event()

    def meet_streams(path, method, target):
        """One that begins, one with a bad name, one too many, one of no namespace."""
        if method == "get":
            with EventStream(server.port, target % "blog") as stream:
                document.meet(path, method, stream.answer())
        else:
            document.meet(path, method, server.fetch(target % "blog", "HEAD"))
        document.meet(path, method, server.fetch(target % "b!", method.upper()))
        document.meet(path, method, crowded.fetch(target % "blog", method.upper()))
        document.meet(path, method, crowded.fetch(target % "shop", method.upper()))

    large = [f"Cookie: {'x' * 4000}"] * 5
    hit, counter, counters = "/v1/hit/{ns}/{key}", "/v1/counters/{ns}/{key}", "/v1/counters/{ns}"
    for method in ("get", "post"):
        for query in ("", "?n=2", "?value=1", "?ack=stored", "?n=0"):
            meet(hit, method, f"/v1/hit/blog/a{query}")
        meet(hit, method, "/v1/hit/shop/a")
        meet(hit, method, "/v1/hit/site/b")
    for method in ("get", "post", "head"):
        for path in (hit, "/v1/hit/{ns}"):
            meet_too_often(path, method)
    for target in ("blog/a", "blog/a?value=1", "blog/a?n=0", "shop/a", "site/b"):
        meet(hit, "head", f"/v1/hit/{target}")
    for form in (".gif", ".svg"):
        for method in ("get", "post", "head"):
            for query in ("", "?n=0", *(["?color=reddish"] if form == ".svg" else [])):
                meet(hit + form, method, f"/v1/hit/blog/a{form}{query}")
    for body in (b'{"hits":[{"ns":"blog","key":"a","n":3},{"ns":"!","key":"a"}]}', b"no hits",
                 b'{"hits":[' + b",".join([b"{}"] * 1001) + b"]}"):
        meet("/v1/hits", "post", fields=["Content-Type: text/plain"], body=body)
    for method in ("get", "head"):
        for target in ("blog/a", "blog/none", "blog/%7B"):
            meet(counter, method, f"/v1/counters/{target}")
        for target in ("blog?key=a&key=none", "blog", "b!?key=a", "blog?key=" + "a" * 9000, "blog?total=1", "none?total=1"):
            meet(counters, method, f"/v1/counters/{target}")
        for path, target in (("/v1/stream/{ns}/{key}", "%s/a"), ("/v1/stream/{ns}", "%s?key=a")):
            meet_streams(path, method, f"/v1/stream/{target}")
        for page in ("/", "/tally.js", "/hit.js", "/live.js", "/embed", "/dashboard", "/openapi.json"):
            meet(page, method)
    for method, body in (("put", b'{"value":1000}'), ("delete", None)):
        for fields in ([BEARER], [], [f"Authorization: Bearer {OTHER}"]):
            meet(counter, method, "/v1/counters/blog/a", fields, body)
        meet(counter, method, "/v1/counters/blog/a", [BEARER], body, alone)
        meet(counter, method, "/v1/counters/blog/a", [BEARER], body, limited)
        meet(counter, method, "/v1/counters/blog/%7B", [BEARER], body)
    for method in ("get", "head"):
        for fields in ([BEARER], [], [f"Authorization: Bearer {OTHER}"]):
            meet("/v1/namespaces", method, fields=fields)
    keys = "/v1/keys/{ns}"
    for method in ("get", "head", "delete"):
        for fields in ([BEARER], [], [f"Authorization: Bearer {OTHER}"]):
            meet(keys, method, "/v1/keys/blog?prefix=a&limit=2", fields)
        meet(keys, method, "/v1/keys/blog?prefix=a&limit=0", [BEARER])
    meet(keys, "delete", "/v1/keys/blog?prefix=a", [BEARER], pod=alone)
    export = "/v1/export/{ns}"
    for method in ("get", "head"):
        for fields in ([BEARER], [], [f"Authorization: Bearer {OTHER}"]):
            meet(export, method, "/v1/export/blog", fields)
        meet(export, method, "/v1/export/blog?format=xml", [BEARER])
    meet(keys, "delete", "/v1/keys/blog?prefix=a", [BEARER], pod=limited)
    for key in range(30):
        server.fetch(f"/v1/hit/blog/{key}")
    redis.kill()
    wait.until(lambda: server.metrics()["redis_connected"] == 0, "the loss is noticed")
    for method in ("get", "post"):
        meet(hit, method, "/v1/hit/blog/one-too-many")
        meet(hit, method, "/v1/hit/blog/a?ack=stored")
    for method in ("get", "head"):
        meet(counter, method, "/v1/counters/blog/unknown")
        meet(counters, method, "/v1/counters/blog?key=unknown")
    for method, body in (("put", b'{"value":1}'), ("delete", None)):
        meet(counter, method, "/v1/counters/blog/a", [BEARER], body)
    for method in ("get", "head", "delete"):
        meet(keys, method, "/v1/keys/blog?prefix=a", [BEARER])
    meet(export, "get", "/v1/export/blog", [BEARER])
    for page in ADMIN_PAGES:
        for method in ("get", "head"):
            document.meet(page, method, fetch(server.admin_port, page, method.upper()))
    for path, method, _ in filter(lambda one: one[2] == "431", document.statuses()):
        port = server.admin_port if path in ADMIN_PAGES else server.port
        document.meet(path, method, fetch(port, path.format(ns="blog", key="a"), method.upper(), large))
    assert document.statuses() - document.met == UNMET


def test_the_methods_of_each_path_are_those_of_the_document(lab, document):
    server = lab.tallyd(token_file=write(lab, "tokens", f"{TOKEN} write\n"))
    for path, item in document.root["paths"].items():
        if "servers" in item:
            continue
        target = path.replace("{ns}", "blog").replace("{key}", "a")
        allowed = set(server.fetch(target, "OPTIONS")["Allow"].split(", "))
        assert allowed == {method.upper() for method in METHODS if method in item} | {"OPTIONS"}, path
