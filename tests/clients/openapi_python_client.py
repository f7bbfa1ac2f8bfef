"""The client that openapi-python-client wrote: counts, reads and batches at the address it is given."""

import sys

from tallyd_client import Client
from tallyd_client.api.counters import counter_in_path, counters
from tallyd_client.api.hits import badge, hit, hits, pixel
from tallyd_client.models import BadgeFormat, Hit, Hits, HitValue

client, key, ns = Client(base_url=sys.argv[1]), "/posts/a b.gif", "python"
counted = hit.sync_detailed(ns, client=client, key=key, n=2)
assert (counted.status_code, counted.headers["X-Hit-Status"]) == (204, "counted")
assert hit.sync(ns, client=client, key=key, value=HitValue("1")).value == 3
batch = hits.sync(client=client, body=Hits(hits=[Hit(ns=ns, key=key, n=4), Hit(ns="b!", key=key)]))
assert (batch.accepted, batch.errors[0].index, batch.errors[0].error) == (1, 1, "bad_namespace")
many = counters.sync(ns, client=client, key=[key, "none"])
assert ([one.value for one in many.counters], many.missing) == ([7], ["none"])
assert counter_in_path.sync(ns, key, client=client).value == 7
assert b">8<" in badge.sync_detailed(ns, client=client, key=key, format_=BadgeFormat.SHORT).content
assert len(pixel.sync_detailed(ns, client=client, key=key).content) == 43
assert hit.sync(ns, client=client, key=key, n=0).error == "bad_n"
