"""The server does what /openapi.json says, for every path, method, status, header and field."""

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
ADMIN_PAGES = ("/metrics", "/livez", "/readyz", "/statusz", "/configz", "/docs")
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


HIT, COUNTER, COUNTERS = "/v1/hit/{ns}/{key}", "/v1/counters/{ns}/{key}", "/v1/counters/{ns}"
KEYS, EXPORT, TOP = "/v1/keys/{ns}", "/v1/export/{ns}", "/v1/top/{ns}"
WRITES = (("put", b'{"value":1000}'), ("delete", None))
CREDENTIALS = ([BEARER], [], [f"Authorization: Bearer {OTHER}"])


class Meetings:
    """A server, and three that lack something: a Redis, patience with one client, room."""

    def __init__(self, lab, document):
        self.document = document
        self.redis = lab.redis()
        tokens = lab.write("tokens", f"{TOKEN} write read\n{OTHER} write:other\n")
        access = lab.write("access", "shop token\nsite key a\n")
        self.server = lab.tallyd(self.redis, token_file=tokens, access_file=access, max_keys=20, top="blog")
        self.alone = lab.tallyd(token_file=tokens)
        self.limited = lab.tallyd(workers=1, rate_limit=1, rate_burst=1)
        self.crowded = lab.tallyd(workers=1, max_conns=4, max_conns_client=4, namespaces="blog")
        self.held = lab.keep(EventStream(self.crowded.port, "/v1/stream/blog/a"))
        assert self.held.event()

    def meet(self, path, method, target=None, fields=(), body=None, pod=None):
        """With the key in the path, and in the query."""
        target, pod = target or path, pod or self.server
        self.document.meet(path, method, pod.fetch(target, method.upper(), fields, body))
        by_query = path.replace("/{key}", "")
        if by_query == path or method not in self.document.root["paths"].get(by_query, ()):
            return
        if by_query == COUNTERS and method not in ("put", "delete"):
            return
        there, _, query = target.partition("?")
        where, key = there.rsplit("/", 1)
        form = path.partition("{key}")[2]
        target = f"{where}{form}?key={key.removesuffix(form) if form else key}&{query}"
        self.document.meet(by_query, method, pod.fetch(target, method.upper(), fields, body))

    def hits(self):
        for method in ("get", "post"):
            for query in ("", "?n=2", "?value=1", "?ack=stored", "?n=0"):
                self.meet(HIT, method, f"/v1/hit/blog/a{query}")
            self.meet(HIT, method, "/v1/hit/shop/a")
            self.meet(HIT, method, "/v1/hit/site/b")
        for target in ("blog/a", "blog/a?value=1", "blog/a?n=0", "shop/a", "site/b"):
            self.meet(HIT, "head", f"/v1/hit/{target}")
        for form in (".gif", ".svg"):
            for method in ("get", "post", "head"):
                for query in ("", "?n=0", *(["?color=reddish"] if form == ".svg" else [])):
                    self.meet(HIT + form, method, f"/v1/hit/blog/a{form}{query}")
        for body in (b'{"hits":[{"ns":"blog","key":"a","n":3},{"ns":"!","key":"a"}]}', b"no hits",
                     b'{"hits":[' + b",".join([b"{}"] * 1001) + b"]}"):
            self.meet("/v1/hits", "post", fields=["Content-Type: text/plain"], body=body)

    def hits_too_often(self):
        for method in ("get", "post", "head"):
            for path, target in ((HIT, "/v1/hit/blog/a"), ("/v1/hit/{ns}", "/v1/hit/blog?key=a")):
                self.document.meet(path, method, wait.until(
                    lambda: (answer := self.limited.fetch(target, method.upper())).status == 429 and answer, "one hit is too many"))

    def reads(self):
        for method in ("get", "head"):
            for target in ("blog/a", "blog/none", "blog/%7B"):
                self.meet(COUNTER, method, f"/v1/counters/{target}")
            for target in ("blog?key=a&key=none", "blog", "b!?key=a", "blog?key=" + "a" * 9000, "blog?total=1", "none?total=1"):
                self.meet(COUNTERS, method, f"/v1/counters/{target}")
            for page in ("/", "/tally.js", "/hit.js", "/live.js", "/embed", "/dashboard", "/openapi.json"):
                self.meet(page, method)

    def streams(self):
        for path, target in (("/v1/stream/{ns}/{key}", "/v1/stream/%s/a"), ("/v1/stream/{ns}", "/v1/stream/%s?key=a")):
            with EventStream(self.server.port, target % "blog") as stream:
                self.document.meet(path, "get", stream.answer())
            self.document.meet(path, "head", self.server.fetch(target % "blog", "HEAD"))
            for method in ("get", "head"):  # a bad name, one stream too many, a namespace that is not there
                self.document.meet(path, method, self.server.fetch(target % "b!", method.upper()))
                self.document.meet(path, method, self.crowded.fetch(target % "blog", method.upper()))
                self.document.meet(path, method, self.crowded.fetch(target % "shop", method.upper()))

    def writes(self):
        for method, body in WRITES:
            for fields in CREDENTIALS:
                self.meet(COUNTER, method, "/v1/counters/blog/a", fields, body)
            self.meet(COUNTER, method, "/v1/counters/blog/a", [BEARER], body, self.alone)
            self.meet(COUNTER, method, "/v1/counters/blog/a", [BEARER], body, self.limited)
            self.meet(COUNTER, method, "/v1/counters/blog/%7B", [BEARER], body)

    def lists(self):
        for fields in CREDENTIALS:
            for method in ("get", "head"):
                self.meet("/v1/namespaces", method, fields=fields)
                self.meet(EXPORT, method, "/v1/export/blog", fields)
                self.meet(TOP, method, "/v1/top/blog?n=5", fields)
            for method in ("get", "head", "delete"):
                self.meet(KEYS, method, "/v1/keys/blog?prefix=a&limit=2", fields)
        for method in ("get", "head", "delete"):
            self.meet(KEYS, method, "/v1/keys/blog?prefix=a&limit=0", [BEARER])
        for method in ("get", "head"):
            self.meet(EXPORT, method, "/v1/export/blog?format=xml", [BEARER])
            for target in ("blog?n=0", "blog?window=week", "b!", "other"):
                self.meet(TOP, method, f"/v1/top/{target}", [BEARER])
        for pod in (self.alone, self.limited):
            self.meet(KEYS, "delete", "/v1/keys/blog?prefix=a", [BEARER], pod=pod)

    def without_redis(self):
        for key in range(30):
            self.server.fetch(f"/v1/hit/blog/{key}")
        self.redis.kill()
        wait.until(lambda: self.server.metrics()["redis_connected"] == 0, "the loss is noticed")
        for method in ("get", "post"):
            self.meet(HIT, method, "/v1/hit/blog/one-too-many")
            self.meet(HIT, method, "/v1/hit/blog/a?ack=stored")
        for method in ("get", "head"):
            self.meet(COUNTER, method, "/v1/counters/blog/unknown")
            self.meet(COUNTERS, method, "/v1/counters/blog?key=unknown")
        for method, body in WRITES:
            self.meet(COUNTER, method, "/v1/counters/blog/a", [BEARER], body)
        for method in ("get", "head", "delete"):
            self.meet(KEYS, method, "/v1/keys/blog?prefix=a", [BEARER])
        self.meet(EXPORT, "get", "/v1/export/blog", [BEARER])
        for method in ("get", "head"):
            self.meet(TOP, method, "/v1/top/blog", [BEARER])

    def admin_pages(self):
        for page in ADMIN_PAGES:
            for method in ("get", "head"):
                self.document.meet(page, method, fetch(self.server.admin_port, page, method.upper()))

    def heads_too_large(self):
        large = [f"Cookie: {'x' * 4000}"] * 5
        for path, method, _ in filter(lambda one: one[2] == "431", self.document.statuses()):
            port = self.server.admin_port if path in ADMIN_PAGES else self.server.port
            self.document.meet(path, method, fetch(port, path.format(ns="blog", key="a"), method.upper(), large))


def test_every_path_method_status_and_field_is_met(lab, document):
    meetings = Meetings(lab, document)
    meetings.hits()
    meetings.hits_too_often()
    meetings.reads()
    meetings.streams()
    meetings.writes()
    meetings.lists()
    meetings.without_redis()
    meetings.admin_pages()
    meetings.heads_too_large()
    assert document.statuses() - document.met == UNMET


def test_the_methods_of_each_path_are_those_of_the_document(lab, document):
    server = lab.tallyd(token_file=lab.write("tokens", f"{TOKEN} write\n"))
    for path, item in document.root["paths"].items():
        if "servers" in item:
            continue
        target = path.replace("{ns}", "blog").replace("{key}", "a")
        allowed = set(server.fetch(target, "OPTIONS")["Allow"].split(", "))
        assert allowed == {method.upper() for method in METHODS if method in item} | {"OPTIONS"}, path
