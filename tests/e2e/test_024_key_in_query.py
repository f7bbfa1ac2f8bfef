"""Every route that takes {key} in its path takes ?key= too, which no proxy rewrites and every generated client can say."""

import json
import os
from urllib.parse import quote, quote_plus

import pytest
from harness import checker

pytestmark = pytest.mark.short
TOKEN = "write-token-of-the-key-tests-1"
# As a path these are other keys behind some proxy, or other forms: slashes, spaces, suffixes, dots, escapes, 4-byte UTF-8.
KEYS = ["/", "/posts/a b.gif", "/img/logo.svg", "a.gif", "//x", "/a/../b", ".", "..", "a+b", "50%-off", "%2F", "a&b=c?d#e",
        "/käse/🧀", "key=a", "\\", "x" * 256]


@pytest.fixture
def server(lab):
    return lab.tallyd()


@pytest.mark.parametrize("write", [quote_plus, lambda key: quote(key, safe="")], ids=["plus", "percent"])
def test_any_key_is_counted_under_its_own_name_in_every_form(server, write):
    for key in KEYS:
        for target, status in (("blog?key=", 204), ("blog/?key=", 204), ("blog.gif?key=", 200), ("blog.svg?key=", 200)):
            answer = server.fetch(f"/v1/hit/{target}{write(key)}&n=2")
            assert (answer.status, answer["X-Hit-Status"]) == (status, "counted"), (key, target)
        assert server.fetch(f"/v1/hit/blog?n=3&key={write(key)}&value=1", "POST").json()["value"] == 11, key
        for target in ("blog?key=", "blog/?key="):
            counters = server.fetch(f"/v1/counters/{target}{write(key)}").json()["counters"]
            assert [(c["key"], c["value"]) for c in counters] == [(key, 11)]
    assert checker.checked_metrics(server)["hits_accepted_total"] == 11 * len(KEYS)


def test_an_address_means_the_same_however_its_letters_are_written(server):
    for target, n in (("blog?k%65y=a", 1), ("blog?%6Bey=%61&n=%35", 5), ("blog/a?%6e=7", 7), ("blog/a?v%61lue=%31&n=2", 2),
                      ("blog/a?%76alue=0&n=%31%30", 10), ("bl%6fg/%61", 1), ("blog/a?ac%6B=s%74ored", 1)):
        before = server.value("blog", "a") or 0
        assert server.fetch(f"/v1/hit/{target}").status in (200, 202, 204), target
        assert server.value("blog", "a") == before + n, target
    assert server.fetch("/v1/counters/blog?k%65y=a").json()["counters"][0]["value"] == 27
    for target in ("blog/a?n=5&%6e=5", "blog?key=a&k%65y=a", "blog/a?n=%30", "blog/a?n=%3", "blog/a?n=%3%35", "blog/a?%76alue=2"):
        assert server.fetch(f"/v1/hit/{target}").status == 400, target


@pytest.mark.parametrize("route", ["counters", "stream"])
def test_a_read_names_one_key_in_one_place(server, route):
    server.fetch("/v1/hit/blog/a")
    for target, error in (("blog/a?key=b", "too_many_keys"), ("blog/a?k%65y=a", "too_many_keys"), ("blog/%7B?key=a", "bad_key")):
        answer = server.fetch(f"/v1/{route}/{target}")
        assert (answer.status, answer.json()["error"]) == (400, error), target
    assert server.fetch("/v1/stream/blog?key=a&key=a").status == 400
    assert server.fetch(f"/v1/{route}/blog?k%65y=%61", "HEAD").status == 200
    assert server.fetch(f"/v1/{route}/blog/a?n=1", "HEAD").status == 200


def test_both_addresses_are_one_counter(server):
    assert server.fetch("/v1/hit/blog/posts/a%20b?n=2").status == 204
    assert server.fetch("/v1/hit/blog?key=posts/a+b&value=1").json()["value"] == 3
    assert server.fetch("/v1/hit/bl%6Fg?key=posts%2Fa%20b&value=1").json()["value"] == 4


@pytest.mark.parametrize("target,reason", [
    ("blog", "no_key"), ("blog/", "no_key"), ("blog?key=", "no_key"), ("blog?key", "no_key"), ("blog?n=1", "no_key"),
    ("blog/?key=", "no_key"), ("blog?key=a&key=a", "bad_query"), ("blog/a?key=a", "bad_query"), ("blog/a?key=b", "bad_query"),
    ("blog?key=%00", "bad_key"), ("blog?key={a}", "bad_key"), ("blog?key=%7", "bad_escape"), ("blog?key=" + "x" * 257, "too_long"),
    ("b!?key=a", "bad_namespace"), ("?key=a", "bad_namespace"), ("blog//?key=a", "bad_query"), ("x" * 65 + "?key=a", "too_long")])
def test_what_is_no_key_is_refused_in_every_form(server, target, reason):
    path, _, query = target.partition("?")
    for form, status in (("", 400), (".gif", 200), (".svg", 200)):
        if form and (not path or path.endswith("/")):
            continue
        answer = server.fetch(f"/v1/hit/{path}{form}?{query}")
        assert (answer.status, answer["X-Hit-Status"]) == (status, f"refused;reason={reason}"), form
    assert checker.checked_metrics(server)["hits_accepted_total"] == 0


def test_a_missing_key_is_said_to_be_missing(server):
    error = server.fetch("/v1/hit/blog").json()
    assert error["error"] == "no_key" and "the key is missing: /v1/hit/NAMESPACE/KEY" in error["detail"]


def test_seeds_and_resets_take_the_key_too(lab):
    redis = lab.redis()
    path = os.path.join(lab.folder, "tokens")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{TOKEN} write:blog\n")
    server = lab.tallyd(redis, token_file=path)
    bearer = [f"Authorization: Bearer {TOKEN}"]
    seed = json.dumps({"value": 1000}).encode()
    for key in KEYS:
        target = f"/v1/counters/blog?key={quote_plus(key)}"
        answer = server.fetch(target, "PUT", bearer, seed)
        assert (answer.status, answer.json()) == (200, {"ns": "blog", "key": key, "value": 1000})
        assert redis.command("GET", b"tally:blog:" + key.encode()) == b"1000"
        assert server.fetch(target, "DELETE", bearer).status == 204
        assert redis.command("GET", b"tally:blog:" + key.encode()) is None
    assert server.fetch("/v1/counters/other?key=a", "PUT", bearer, seed).status == 403
    assert server.fetch("/v1/counters/blog?key=a", "PUT", [], seed).status == 401
    for query in ("?key=a&key=b", "", "?key=", "?key=%7B", "/a?key=b"):
        for method in ("PUT", "DELETE"):
            assert server.fetch(f"/v1/counters/blog{query}", method, bearer, seed).status == 400, query
