"""The client that openapi-generator wrote: counts, reads and batches at the address it is given."""

import sys

import tallyd_api
from tallyd_api.models import Hit, Hits

with tallyd_api.ApiClient(tallyd_api.Configuration(host=sys.argv[1])) as client:
    count, read = tallyd_api.HitsApi(client), tallyd_api.CountersApi(client)
    key, ns = "/posts/a b.gif", "generator"
    counted = count.hit_with_http_info(ns, key, n=2)
    assert (counted.status_code, counted.headers["X-Hit-Status"]) == (204, "counted")
    assert count.hit(ns, key, value="1").value == 3
    batch = count.hits(Hits(hits=[Hit(ns=ns, key=key, n=4), Hit(ns=ns, key="x", n=1)]))
    assert (batch.accepted, batch.errors) == (2, [])
    many = read.counters(ns=ns, key=[key, "none"])
    assert ([one.value for one in many.counters], many.missing) == ([7], ["none"])
    assert read.counter_in_path(ns, key).value == 7
    assert b">8<" in count.badge(ns, key, format="short")
    assert len(count.pixel(ns, key)) == 43
    try:
        count.hit_in_path(ns, "a", ack="stored", value="1")
        raise AssertionError("ack with value was taken")
    except tallyd_api.ApiException as refused:
        assert refused.status == 400 and "bad_query" in refused.body
