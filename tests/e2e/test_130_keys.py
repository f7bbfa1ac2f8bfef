"""A list of keys has every key at least once, page by page, for those who may read. All keys of a prefix can be deleted."""

import os
from urllib.parse import quote

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, fetch

READ, WRITE, OTHER = "read-token-of-the-tests-1", "write-token-of-the-tests-2", "other-token-of-the-tests-3"


def bearer(token):
    return [f"Authorization: Bearer {token}"] if token else []


@pytest.fixture
def tokens(lab):
    path = os.path.join(lab.folder, "tokens")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{READ} read\n{WRITE} write\n{OTHER} read:other write:other\n")
    return path


def page(server, query="", ns="blog", token=READ, port=None):
    return fetch(port or server.port, f"/v1/keys/{ns}{query}", fields=bearer(token))


def walk(server, prefix="", limit=None, ns="blog", **how):
    """All pages: the keys in the order in which they came, and how many pages."""
    query, cursor, keys, pages = f"?prefix={quote(prefix, '')}" + (f"&limit={limit}" if limit else ""), None, [], 0
    while True:
        answer = page(server, query + (f"&cursor={cursor}" if cursor else ""), ns, **how)
        assert answer.status == 200, f"{answer.status} {answer.body!r}"
        body = answer.json()
        assert set(body) == {"keys", "cursor"} and len(body["keys"]) <= (limit or 100)
        keys += [(one["key"], one["value"]) for one in body["keys"]]
        pages += 1
        if body["cursor"] is None:
            return keys, pages
        assert body["cursor"] != cursor
        cursor = body["cursor"]


def test_every_key_is_shown_once_with_its_value(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    counted = {f"page/{i}": i % 7 + 1 for i in range(950)}
    for key, n in counted.items():
        server.hit("blog", key, n)
    server.hit("blo", "page/x", 5)
    server.hit("blogs", "page/y", 5)
    checker.wait_drained(server)
    for limit in (1000, 333, 100, 7):
        keys, pages = walk(server, limit=limit)
        assert dict(keys) == counted and len(keys) == len(counted)
        assert pages >= len(counted) / limit
    assert server.metrics()["keys_listed_total"] == 4 * len(counted)
    assert dict(walk(server, ns="blo")[0]) == {"page/x": 5}
    assert walk(server, ns="none") == ([], 1)


def test_a_prefix_is_no_pattern(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens, prefix="a*[b]?:")
    keys = ["*", "**", "a", "a*b", "[a]", "?", "\\", "\\*", "ä", "a b", "a/b", "a-z", "[^x]", "x"]
    for key in keys:
        server.fetch(f"/v1/hit/blog?key={quote(key, '')}")
    checker.wait_drained(server)
    assert sorted(key for key, _ in walk(server)[0]) == sorted(keys)
    for prefix in keys:
        assert sorted(key for key, _ in walk(server, prefix)[0]) == sorted(key for key in keys if key.startswith(prefix)), prefix


def test_what_was_not_counted_here_is_listed_and_what_is_no_counter_is_not(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    redis.command("MSET", "tally:blog:there", "41", "tally:blog:text", "hello", "other:blog:x", "1", "tally:blog:", "1")
    redis.command("LPUSH", "tally:blog:list", "1")
    server.hit("blog", "here", 2)
    checker.wait_drained(server)
    assert sorted(walk(server)[0]) == [("here", 2), ("there", 41)]


@pytest.mark.parametrize("query,error", [
    ("?limit=0", "bad_limit"), ("?limit=1001", "bad_limit"), ("?limit=-1", "bad_limit"), ("?limit=ten", "bad_limit"), ("?limit=", "bad_limit"),
    ("?limit=99999999999999999999", "bad_limit"), ("?limit=1&limit=2", "bad_limit"), ("?cursor=", "bad_cursor"), ("?cursor=x", "bad_cursor"),
    ("?cursor=1.2.3", "bad_cursor"), ("?cursor=1.2.3.4.", "bad_cursor"), ("?cursor=1.2.3.4.5", "bad_cursor"),
    ("?cursor=11111111111111111.2.3.4", "bad_cursor"), ("?cursor=0.0.0.0&cursor=0.0.0.0", "bad_cursor"), ("?prefix=%7B", "bad_prefix"),
    ("?prefix=%0", "bad_prefix"), ("?prefix=" + "a" * 257, "bad_prefix"), ("?prefix=a&prefix=b", "bad_prefix")])
def test_what_is_wrong_is_said_by_name(lab, tokens, query, error):
    server = lab.tallyd(token_file=tokens)
    answer = page(server, query)
    assert (answer.status, answer.json()["error"]) == (400, error)
    assert page(server, "?v=1&prefix=&limit=1").status == 200


@pytest.mark.parametrize("cursor", ["ffffffffffffffff.1.1.1", "5.0.ffffffff.0", "0.0.0.0.1.0", "1.1.1.1.0.ffffffffffffffff.8.8.4.4.2.2"])
def test_any_cursor_is_safe(lab, tokens, cursor):
    server = lab.tallyd(lab.redis(), token_file=tokens)
    server.hit("blog", "a")
    checker.wait_drained(server)
    answer = page(server, f"?cursor={cursor}")
    assert answer.status == 200 and answer.json()["keys"] in ([], [{"key": "a", "value": 1}])


def test_names_are_shown_to_those_who_may_read_them(lab, tokens):
    server = lab.tallyd(token_file=tokens)
    server.hit("blog", "a")
    for token, status, error in [(None, 401, "no_token"), ("wrong-token-of-the-tests", 401, "wrong_token"),
                                 (WRITE, 403, "forbidden"), (OTHER, 403, "forbidden")]:
        answer = page(server, token=token)
        assert (answer.status, answer.json()["error"]) == (status, error)
        assert (answer["WWW-Authenticate"] is not None) == (status == 401)
    assert page(server, ns="other", token=OTHER).status == 200
    closed = lab.tallyd()
    assert page(closed, token=None).status == 401 and page(closed).status == 401
    wait.until(lambda: walk(closed, token=None, port=closed.admin_port) == ([], 1), "the admin port shows them")


def test_the_admin_port_shows_names_to_no_page_of_the_web(lab):
    server = lab.tallyd(lab.redis())
    server.hit("blog", "a")
    checker.wait_drained(server)
    answer = page(server, token=None, port=server.admin_port)
    assert answer.json()["keys"] == [{"key": "a", "value": 1}] and answer["Access-Control-Allow-Origin"] is None
    assert page(server, "?limit=0", token=None, port=server.admin_port)["Access-Control-Allow-Origin"] is None
    with HttpConnection(server.admin_port) as connection:
        connection.send(b"GET /v1/keys/blog HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert connection.answer().status == 421
    for method in ("DELETE", "POST", "OPTIONS"):
        assert fetch(server.admin_port, "/v1/keys/blog?prefix=a", method).status == 405
    assert fetch(server.admin_port, "/v1/hit/blog/a").status == 404
    assert server.value("blog", "a") == 1


def test_without_a_store_names_come_from_memory(lab, tokens):
    server = lab.tallyd(token_file=tokens, workers=3)
    counted = {f"k{i}": i + 1 for i in range(250)}
    for key, n in counted.items():
        server.hit("blog", key, n)
        server.hit("blog", key)  # by another worker perhaps
    for limit in (1000, 49):
        keys, _ = walk(server, limit=limit)
        assert dict(keys) == {key: n + 1 for key, n in counted.items()} and len(keys) == len(counted)
    assert sorted(key for key, _ in walk(server, "k1", limit=5)[0]) == sorted(key for key in counted if key.startswith("k1"))
    answer = fetch(server.port, "/v1/keys/blog?prefix=k", "DELETE", bearer(WRITE))
    assert (answer.status, answer.json()["error"]) == (501, "no_store")


def delete(server, prefix, token=WRITE, query=""):
    return fetch(server.port, f"/v1/keys/blog?prefix={prefix}{query}", "DELETE", bearer(token))


def test_a_prefix_is_deleted_up_to_a_thousand_keys_at_once(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    for n in range(300):
        server.hit("blog", f"old/{n}")
    server.hit("blog", "new/1", 3)
    checker.wait_drained(server)
    redis.command("MSET", *[word for n in range(300, 2400) for word in (f"tally:blog:old/{n}", "1")])
    for token, status in ((None, 401), (READ, 403), (OTHER, 403)):
        assert delete(server, "old", token).status == status
    assert (delete(server, "").status, delete(server, "").json()["error"]) == (400, "no_prefix")
    gone, cursor, calls = 0, None, 0
    while True:
        answer = delete(server, "old", query=f"&cursor={cursor}" if cursor else "")
        assert answer.status == 200, answer.body
        gone, cursor, calls = gone + answer.json()["deleted"], answer.json()["cursor"], calls + 1
        assert answer.json()["deleted"] <= 1000
        if cursor is None:
            break
    assert (gone, calls) == (2400, 3)
    assert walk(server)[0] == [("new/1", 3)]
    server.hit("blog", "old/1", 2)
    checker.wait_drained(server)
    assert sorted(walk(server)[0]) == [("new/1", 3), ("old/1", 2)]


def test_while_the_store_is_away_lists_say_so_and_come_back(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    server.hit("blog", "a")
    checker.wait_drained(server)
    assert walk(server)[0] == [("a", 1)]
    redis.kill()
    wait.until(lambda: server.metrics()["redis_connected"] == 0, "the loss is noticed")
    answer = page(server)
    assert (answer.status, answer.json()["error"]) == (503, "store_unreachable") and answer["Retry-After"]
    redis.restart()
    wait.until(lambda: page(server).status == 200, "lists work again")


def test_a_cursor_of_another_process_of_the_store_begins_again_and_misses_nothing(lab, tokens):
    redis = lab.redis(settings=["appendonly yes", "appendfsync always"])
    server = lab.tallyd(redis, token_file=tokens)
    for n in range(400):
        server.hit("blog", f"k{n}")
    checker.wait_drained(server)
    first = page(server, "?limit=150").json()
    redis.kill()
    redis.restart()
    keys = {one["key"] for one in first["keys"]}
    wait.until(lambda: page(server).status == 200, "lists work again")
    cursor = first["cursor"]
    while cursor:
        body = page(server, f"?limit=150&cursor={cursor}").json()
        keys |= {one["key"] for one in body["keys"]}
        cursor = body["cursor"]
    assert keys == {f"k{n}" for n in range(400)}


def test_a_table_that_grows_between_two_pages_hides_nothing(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    redis.command("MSET", *[word for n in range(500) for word in (f"tally:blog:k{n}", "1")])
    keys, cursor, n = set(), None, 0
    while True:
        body = page(server, "?limit=20" + (f"&cursor={cursor}" if cursor else "")).json()
        keys |= {one["key"] for one in body["keys"]}
        cursor, n = body["cursor"], n + 1
        if cursor is None:
            break
        redis.command("MSET", *[word for i in range(400) for word in (f"tally:more:{n}-{i}", "1")])
        if n == 10:
            redis.command("DEL", *[f"tally:more:{m}-{i}" for m in range(1, n + 1) for i in range(400)])
    assert keys == {f"k{i}" for i in range(500)}
