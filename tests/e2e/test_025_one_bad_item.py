"""One bad item of POST /v1/hits costs only that item, and the answer names a misspelt member."""

import json

import pytest
from harness import checker

pytestmark = pytest.mark.short
GOOD = b'{"ns":"blog","key":"good","n":2}'
BAD = [b'"n":9223372036854775808', b'"n":-9223372036854775809', b'"n":1e400', b'"n":0', b'"n":5.5', b'"n":2147483648', b'"n":"5"',
       b'"n":null', b'"n":1,"n":1', b'"ns":"blog"', b'"x":1e400', b'"x":99999999999999999999', b'"x":"\\ud800"', b'"x":"\\u0000"',
       b'"\\u0000":1', b'"\\ud800":1', b'"x":{"a":1,"a":1}', b'"x":"\xff"', b'"n":01', b'"n":+1', b'"n":NaN', b'"n":tru', b'"n"', b'n:1',
       b'"x":[1,{"y":"]}"}]', b'"count":3', b'"n":3,' + b",".join(b'"m%d":1' % i for i in range(20))]


def post(server, body):
    return server.fetch("/v1/hits", "POST", ["Content-Type: application/json"], body)


def batch(*items):
    return b'{"hits":[' + b",".join(items) + b"]}"


def bad_items():
    return [b'{"ns":"blog","key":"bad",' + bad + b"}" for bad in BAD] + [
        b'{"ns":"blog","key":"\\u0000"}', b'{"ns":"blog","key":"\\udc00x"}', b'{"ns":"blog"}', b'{"key":"bad"}', b"{}", b"[]", b"1",
        b"null", b'"x"', b"nonsense", b"{]", b'{"ns":1,"key":"bad"}', b"[" * 100 + b"]" * 100]


def test_each_bad_item_costs_itself(lab):
    server = lab.tallyd()
    for number, bad in enumerate(bad_items(), 1):
        answer = post(server, batch(GOOD, bad, GOOD))
        assert answer.status == 202, bad
        result = answer.json()
        assert (result["accepted"], result["rejected"], [e["index"] for e in result["errors"]]) == (2, 1, [1]), bad
        assert server.value("blog", "good") == 4 * number, bad
    everything = post(server, batch(*bad_items(), GOOD)).json()
    assert (everything["accepted"], everything["rejected"]) == (1, len(bad_items()))
    assert server.value("blog", "bad") is None
    assert checker.checked_metrics(server)["hits_accepted_total"] == 4 * len(bad_items()) + 2


@pytest.mark.parametrize("item,member", [
    ({"count": 3}, "count"), ({"amount": 3}, "amount"), ({"N": 3}, "N"), ({"": 3}, ""), ({'q"\n': 1}, 'q"\n'), ({"n ": 3}, "n ")])
def test_a_misspelt_member_is_named(lab, item, member):
    server = lab.tallyd()
    result = post(server, json.dumps({"hits": [{"ns": "blog", "key": "a", **item}]}).encode()).json()
    assert result["errors"] == [{"index": 0, "error": "unknown_member", "member": member}]
    assert server.value("blog", "a") is None


def test_a_misspelt_member_of_the_body_is_refused(lab):
    server = lab.tallyd()
    for body in (b'{"hits":[],"hit":[]}', b'{"hit":[' + GOOD + b"]}", b'{"hits":[' + GOOD + b'],"x":1e400}'):
        answer = post(server, body)
        assert (answer.status, answer.json()["error"]) == (400, "unknown_member"), body
        assert answer.json()["member"] in ("hit", "x") and answer["X-Hit-Status"] == "refused;reason=unknown_member"
    long = post(server, json.dumps({"m" * 1000: 1, "hits": []}).encode()).json()
    assert long["member"] == "m" * 64
    for body in (batch(GOOD) + batch(GOOD), b'{"hits":[' + GOOD, b'{"hits":[],"hits":[' + GOOD + b"]}", b"[" + GOOD + b"]"):
        assert (post(server, body).status, server.value("blog", "good")) == (400, None), body


def test_a_body_may_begin_with_a_mark_and_write_its_names_with_escapes(lab):
    server = lab.tallyd()
    for number, body in enumerate((batch(GOOD), b"\xef\xbb\xbf" + batch(GOOD), batch(GOOD).replace(b"hits", b"h\\u0069ts"),
                                   batch(GOOD).replace(b'"n"', b'"\\u006e"')), 1):
        assert (post(server, body).status, server.value("blog", "good")) == (202, 2 * number), body


def test_a_whole_number_is_one_however_it_is_written(lab):
    server = lab.tallyd()
    result = post(server, batch(*[b'{"ns":"blog","key":"a","n":%s}' % n for n in (b"5.0", b"5e0", b"0.5e1", b"5")])).json()
    assert (result["accepted"], server.value("blog", "a")) == (4, 20)
