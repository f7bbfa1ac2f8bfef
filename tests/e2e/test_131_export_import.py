"""One answer exports all counters of a namespace, and files of counters can be imported."""

import csv
import io
import json
import os
import re
import socket

import pytest
from harness import checker, secrets, tallyd, wait
from harness.http_client import fetch
from harness.ports import HOST
from harness.process import Process

READ, WRITE = "read-token-of-the-tests-1", "write-token-of-the-tests-2"
BEARER = [f"Authorization: Bearer {READ}"]


@pytest.fixture
def tokens(lab):
    return lab.write("tokens", f"{READ} read\n{WRITE} write\n")


def export(server, form="csv", ns="blog", fields=BEARER, query=""):
    answer = fetch(server.port, f"/v1/export/{ns}?format={form}{query}", fields=fields, timeout=30)
    assert answer.status == 200, answer.body
    text = answer.body.decode()
    if form == "ndjson":
        rows = [json.loads(line) for line in text.splitlines()]
        return [(row["ns"], row["key"], row["value"]) for row in rows]
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert head == ["ns", "key", "value"]
    return [(ns, key, int(value)) for ns, key, value in rows]


def fill(redis, keys, ns="blog"):
    names = list(keys.items())
    for at in range(0, len(names), 5000):
        redis.command("MSET", *[word for key, value in names[at:at + 5000] for word in (f"tally:{ns}:{key}", value)])


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_export_has_every_key(lab, tokens, form):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    keys = {f"page/{n}": n for n in range(7000)} | {'a,b"c""': 1, "ä": 2, " x ": 3, "'": 4}
    fill(redis, keys)
    fill(redis, {"other": 1}, "blogs")
    server.hit("blog", "counted%20here", 5)
    checker.wait_drained(server)
    rows = export(server, form)
    assert {(ns, key): value for ns, key, value in rows} == {("blog", key): n for key, n in (keys | {"counted here": 5}).items()}
    assert sorted(key for _, key, _ in export(server, form, query="&prefix=page/1")) == sorted(key for key in keys if key.startswith("page/1"))
    assert export(server, form, "none") == []


def test_an_export_comes_in_chunks_and_leaves_the_connection_open(lab, tokens):
    server = lab.tallyd(token_file=tokens)
    server.hit("blog", "a", 2)
    with socket.create_connection((HOST, server.port), 10) as client:
        request = f"GET /v1/export/blog HTTP/1.1\r\nHost: x\r\n{BEARER[0]}\r\n\r\n".encode()
        for _ in range(3):
            client.sendall(request)
            text = b""
            while not text.endswith(b"\r\n0\r\n\r\n"):
                text += client.recv(65536)
            head, body = text.split(b"\r\n\r\n", 1)
            assert b"Transfer-Encoding: chunked" in head and b"Content-Length" not in head and b"text/csv" in head
            assert body == b"1c\r\nns,key,value\r\nblog,a,2\r\n\r\n0\r\n\r\n".replace(b"1c", b"18")
    head = fetch(server.port, "/v1/export/blog", "HEAD", BEARER)
    assert head.status == 200 and head["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("query,error", [("?format=xml", "bad_format"), ("?format=", "bad_format"), ("?format=csv&format=csv", "bad_format"),
                                         ("?prefix=%7B", "bad_prefix")])
def test_what_is_wrong_is_said_by_name(lab, tokens, query, error):
    server = lab.tallyd(token_file=tokens)
    answer = fetch(server.port, f"/v1/export/blog{query}", fields=BEARER)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_an_export_is_for_those_who_may_read_and_for_the_admin_port(lab, tokens):
    server = lab.tallyd(token_file=tokens)
    server.hit("blog", "a")
    assert fetch(server.port, "/v1/export/blog").status == 401
    assert fetch(server.port, "/v1/export/blog", fields=[f"Authorization: Bearer {WRITE}"]).status == 403
    assert fetch(server.port, "/v1/export/blog", "POST").status == 405
    answer = fetch(server.admin_port, "/v1/export/blog")
    assert answer.body == b"ns,key,value\r\nblog,a,1\r\n" and answer["Access-Control-Allow-Origin"] is None


def begin(server, fields=BEARER):
    """An export whose client does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((HOST, server.port))
    client.sendall(f"GET /v1/export/blog HTTP/1.1\r\nHost: x\r\n{fields[0]}\r\n\r\n".encode())
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def test_one_export_at_a_time_and_who_leaves_makes_room(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    fill(redis, {"x" * 200 + str(n): n for n in range(30000)})
    slow = begin(server)
    answer = fetch(server.port, "/v1/export/blog", fields=BEARER)
    assert (answer.status, answer.json()["error"]) == (429, "export_under_way") and int(answer["Retry-After"]) > 0
    assert fetch(server.port, "/v1/keys/blog", fields=BEARER).status == 200
    slow.close()
    wait.until(lambda: fetch(server.port, "/v1/export/none", fields=BEARER).status == 200, "there is room again")


def test_a_client_that_does_not_read_costs_two_pages_and_is_cut(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens, send_timeout="2s")
    fill(redis, {"x" * 200 + str(n): n for n in range(30000)})
    export(server, ns="none")
    before = server.resident_kib()
    slow = begin(server)
    wait.until(lambda: fetch(server.port, "/v1/export/none", fields=BEARER).status == 200, "the slow one is cut", 20)
    assert server.resident_kib() - before < 3 << 10  # of 6 MiB, and what sockets hold is the kernel's
    slow.close()


def test_an_export_that_the_store_ends_is_seen_to_be_cut(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    fill(redis, {"x" * 200 + str(n): n for n in range(30000)})
    slow = begin(server)
    redis.kill()
    text = b""
    while data := slow.recv(1 << 20):
        text += data
    assert not text.endswith(b"\r\n0\r\n\r\n")
    metrics = server.metrics()
    assert (metrics["exports_total"], metrics["exports_cut_total"]) == (1, 1)
    redis.restart()
    wait.until(lambda: fetch(server.port, "/v1/export/none", fields=BEARER).status == 200, "exports work again")


def test_a_drain_does_not_wait_for_an_export(lab, tokens):
    redis = lab.redis()
    server = lab.tallyd(redis, token_file=tokens)
    fill(redis, {"x" * 200 + str(n): n for n in range(30000)})
    with begin(server) as slow:
        server.terminate()
        text = b""
        while data := slow.recv(1 << 20):
            text += data
        assert not text.endswith(b"\r\n0\r\n\r\n")
    assert server.join() == 0


# ---- in ----
def store_of(lab, redis):
    return ["--redis", redis.url, "--redis-password-file", lab.write("import.password", secrets.PASSWORD + "\n")]


def run_import(lab, redis, path, *more, code=0, seconds=60):
    got, out, err = tallyd.run(lab.folder, [*store_of(lab, redis), "--import", path, *more], seconds=seconds)
    assert got == code, f"{got}: {out} {err}"
    return out, err


def counters(redis, prefix=b"tally:"):
    return {key[len(prefix):].decode(): int(redis.command("GET", key)) for key in redis.command("KEYS", prefix + b"[^!]*")}


def test_what_was_exported_comes_back(lab, tokens):
    first, second = lab.redis(), lab.redis()
    server = lab.tallyd(first, token_file=tokens)
    keys = {f"page/{n}": n for n in range(300)} | {'a,b"c""': 1, "ä": 2, " x ": 3, "max": 2 ** 63 - 1}
    fill(first, keys)
    body = fetch(server.port, "/v1/export/blog", fields=BEARER).body.decode()
    path = lab.write("export.csv", body)
    out, _ = run_import(lab, second, path)
    assert out == f"imported {len(keys)} counters, skipped 0 lines\n" and not os.path.exists(path + ".progress")
    assert counters(second) == {f"blog:{key}": n for key, n in keys.items()}


@pytest.mark.parametrize("text,more,expected", [
    ("blog,a,1\nblog,b,2", [], {"blog:a": 1, "blog:b": 2}),
    ('blog,"a,""b""",1\r\n\r\nblog,"c",0\r\n', [], {'blog:a,"b"': 1, "blog:c": 0}),
    ("namespace,key,value\nshop,a,7\n", [], {"shop:a": 7}),
    ("Value,Key\n7,a\n", ["--import-ns", "old"], {"old:a": 7}),
    ("K:blog:a:b,12\nK:shop:c,3\n", [], {"blog:a:b": 12, "shop:c": 3}),
    ("blog,a,1\nblog,a,5\n", [], {"blog:a": 5}),
])
def test_tables_of_other_programs_are_imported(lab, text, more, expected):
    redis = lab.redis()
    run_import(lab, redis, lab.write("table.csv", text), *more)
    assert counters(redis) == expected


GOAT = "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date\n"


def test_page_views_of_goatcounter_are_added_up_without_bots(lab):
    redis = lab.redis()
    view = '{},"A title, and\nmore",0,Mozilla,Firefox,Linux,s,{},,,,NL,1,2026-11-30T00:00:00Z\n'
    text = GOAT + view.format("/a.html", 0) * 3 + view.format("/b", 0) + view.format("/a.html", 7) + view.format('"/c,d"', 0)
    path = lab.write("goat.csv", text)
    run_import(lab, redis, path, code=78)  # no namespace
    assert counters(redis) == {}
    out, _ = run_import(lab, redis, path, "--import-ns", "site")
    assert counters(redis) == {"site:/a.html": 3, "site:/b": 1, "site:/c,d": 1}
    assert out == "imported 3 counters, skipped 0 lines\n"


def test_rows_that_are_no_counters_are_skipped_and_the_first_is_told(lab):
    redis = lab.redis()
    text = "ns,key,value\nblog,a,1\nblog,{,1\nblog,b,-1\nblog,c\nb!,d,1\nblog,e,9223372036854775808\nblog,f,6\n"
    out, err = run_import(lab, redis, lab.write("some.csv", text), code=1)
    assert counters(redis) == {"blog:a": 1, "blog:f": 6}
    assert out == "imported 2 counters, skipped 5 lines\n" and "line 3 is the first" in err


@pytest.mark.parametrize("text,why", [("", "no line"), ("what is this\n", "neither"), ('blog,"a,1\n', "quote"), ('blog,a"b,1\n', "quote")])
def test_what_is_no_table_ends_the_import(lab, text, why):
    redis = lab.redis()
    _, err = run_import(lab, redis, lab.write("bad.csv", text), code=78)
    assert why in err


def test_an_import_needs_a_store_and_a_file(lab):
    path = lab.write("a.csv", "blog,a,1\n")
    code, _, err = tallyd.run(lab.folder, ["--import", path])
    assert code == 64 and "--redis" in err
    assert "No such file" in run_import(lab, lab.redis(), path + "x", code=78)[1]


def spawn_import(lab, redis, path):
    return Process([tallyd.BINARY, *store_of(lab, redis), "--import", path, "--allow-root"], lab.folder, "import", os.environ)


def rows_done(path):
    if not os.path.exists(path + ".progress"):
        return float("inf")
    with open(path + ".progress", encoding="ascii") as file:
        return int(re.fullmatch(r"tallyd import 1 [0-9a-f]{16} ([0-9]{20})\n", file.read())[1])


def test_an_import_that_was_killed_goes_on_and_sets_nothing_again_that_was_done(lab):
    redis = lab.redis()
    for rows in (6000, 24000, 96000, 384000):
        redis.command("FLUSHALL")
        path = lab.write(f"long-{rows}.csv", "".join(f"blog,k{n},{n}\n" for n in range(rows)))
        process = spawn_import(lab, redis, path)
        wait.until(lambda: redis.command("DBSIZE") > 500, "it is at work", 30)
        process.kill()
        done = rows_done(path)
        if done < rows:  # else it was done before this test came to it
            break
    assert 0 < done < rows
    redis.command("INCRBY", "tally:blog:k0", "1000")  # hits that came since
    run_import(lab, redis, path, seconds=120)
    assert counters(redis) == {f"blog:k{n}": n + (1000 if n == 0 else 0) for n in range(rows)}
    assert not os.path.exists(path + ".progress")


def test_progress_of_another_file_is_not_taken_for_ours(lab):
    redis = lab.redis()
    path = lab.write("a.csv", "blog,a,1\n")
    lab.write("a.csv.progress", "tallyd import 1 0123456789abcdef 00000000000000000001\n")
    assert "another file" in run_import(lab, redis, path, code=78)[1]
    assert counters(redis) == {}


def test_a_store_that_is_away_for_a_while_is_waited_for(lab):
    redis = lab.redis(settings=["appendonly yes", "appendfsync always"])
    path = lab.write("long.csv", "".join(f"blog,k{n},{n}\n" for n in range(3000)))
    process = spawn_import(lab, redis, path)
    wait.until(lambda: redis.command("DBSIZE") > 100, "it is at work", 30)
    redis.kill()
    redis.restart()
    assert process.join(90) == 0
    assert counters(redis) == {f"blog:k{n}": n for n in range(3000)}


def test_hits_go_on_during_an_import_and_come_on_top(lab):
    redis = lab.redis()
    server = lab.tallyd(redis)
    server.hit("blog", "a", 5)
    checker.wait_drained(server)
    run_import(lab, redis, lab.write("a.csv", "blog,a,1000\n"))
    server.hit("blog", "a", 2)
    checker.wait_drained(server)
    assert counters(redis) == {"blog:a": 1002}
