"""The server and a second reader take and refuse the same requests, and count the same, however the bytes are cut."""

import random
import re

import pytest
from differential import reader, streams
from harness import wait
from harness.http_client import HttpConnection, parse_head
from harness.tallyd import ENGINES

STREAMS = 5_000 if wait.LONG else 300
_HIT = re.compile(rb"/v1/hit/[a-z]+/[a-z0-9]+")
_N = re.compile(rb"n=([1-9][0-9]{0,3})")


def expected_hits(request):
    """How many hits a request counts; None: that is for the tests of the api to say."""
    plain = _HIT.fullmatch(request.path) and request.method in (b"GET", b"POST")
    n = _N.fullmatch(b"n=1" if request.query is None else request.query)
    return int(n[1]) if plain and n else None


def say(server, parts):
    """Sends it all, and then FIN; what came back. A server that has heard enough may reset."""
    with HttpConnection(server.port) as connection:
        try:
            for part in parts:
                connection.send(part)
            connection.finish()
        except OSError:
            pass
        return connection.rest()


def final_answers(text, events):
    """The heads of all answers but the interim ones."""
    heads = []
    while text:
        start, end, text = text.partition(b"\r\n\r\n")
        assert end, f"no answer: {start[:200]!r}"
        head = parse_head(start)
        if head.status == 100:
            continue
        event = events[len(heads)] if len(heads) < len(events) else None
        text = text[head.body_bytes(getattr(event, "method", b"GET").decode()):]
        heads.append(head)
    return heads


def accepted(server):
    return server.metrics()["hits_accepted_total"]


def check(server, events, parts, before):
    """`before`: what was counted by then. What is counted now."""
    heads = final_answers(say(server, parts), events)
    assert len(heads) == len(events), f"{[head.status for head in heads]} for {events}"
    hits = [0 if isinstance(event, reader.Refusal) else expected_hits(event) for event in events]
    for head, event, n in zip(heads, events, hits):
        if isinstance(event, reader.Refusal):
            assert (head.status, head.close) == (event.status, True)
        else:
            assert head.close != event.keep_alive and (head.status == 204 or not n)
    after = accepted(server)
    assert None in hits or after - before == sum(hits)
    return after


@pytest.mark.parametrize("engine", ENGINES)
def test_the_server_and_a_second_reader_agree_however_the_bytes_are_cut(lab, engine):
    server = lab.tallyd(io=engine, workers=1)
    seen, total = set(), 0
    for i in range(STREAMS):
        draws = random.Random(lab.seed + i)
        data = streams.stream(draws)
        events = reader.read(data)
        seen |= {getattr(event, "status", "request") for event in events}
        try:
            total = check(server, events, [data], total)
            total = check(server, events, streams.pieces(draws, data), total)
        except AssertionError as error:
            raise AssertionError(f"--seed {lab.seed + i}: {data!r}: {error}") from error
    assert {"request", 400} <= seen, seen


def test_a_reader_that_is_too_kind_is_noticed(lab):
    """The difference that a stream must show: here the second reader would take a bare line feed."""
    server = lab.tallyd(workers=1)
    data = b"GET /v1/hit/c/k HTTP/1.1\nHost: t\r\n\r\n"
    assert reader.read(data) == [reader.Refusal(400)]
    with pytest.raises(AssertionError):
        check(server, reader.read(data.replace(b"\n", b"\r\n", 1)), [data], 0)
