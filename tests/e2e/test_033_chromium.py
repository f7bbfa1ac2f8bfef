"""A page of another origin counts by snippet, pixel, badge and sendBeacon in a real browser, whose console stays silent."""

import urllib.parse

import pytest
from harness import chromium, wait
from harness.site import Site

pytestmark = [pytest.mark.ci,
              pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium: apt-get install chromium (.ci/run does)")]

PAGE = """<!doctype html><meta charset="utf-8"><title>a page</title><link rel="icon" href="data:,">
<p id="shown">nothing yet</p>
<script defer src="{tally}/tally.js" data-ns="site" data-key="snippet"></script>
<script defer src="{tally}/tally.js" data-ns="site" data-key="snippet"></script>
<script defer src="{tally}/tally.js" data-ns="site" data-key="a b/ü.gif" data-n="3"></script>
<script defer src="{tally}/tally.js" data-ns="site" data-key="shown" data-n="5" data-show="#shown"></script>
<script defer src="{tally}/tally.js"></script>
<img src="{tally}/v1/hit/site/pixel.gif" alt="">
<img src="{tally}/v1/hit/site/badge.svg?label=visits" alt="" onload="this.title = this.naturalWidth">
<script>
  navigator.sendBeacon('{tally}/v1/hit/site/beacon')
  navigator.sendBeacon('{tally}/v1/hits', JSON.stringify({{hits: [{{ns: 'site', key: 'batch', n: 7}}]}}))
  fetch('{tally}/v1/hits', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
    body: JSON.stringify({{hits: [{{ns: 'site', key: 'preflight'}}]}})}})
</script>
"""
WANTED = {"snippet": 1, "a b/ü.gif": 3, "shown": 5, "pixel": 1, "badge": 1, "beacon": 1, "batch": 7, "preflight": 1}


@pytest.fixture
def browsed(lab):
    """The server, the page as the browser left it, its console."""
    server = lab.tallyd()
    site = lab.keep(Site(PAGE.format(tally=f"http://127.0.0.1:{server.port}")))
    dom, console = chromium.open_page(lab.folder, f"{site.url}/some/page")
    return server, dom, console


def test_a_page_of_another_origin_counts_in_every_form_exactly_and_its_console_is_silent(browsed):
    server, dom, console = browsed

    def counted():
        answer = server.fetch("/v1/counters/site?" + urllib.parse.urlencode([("key", key) for key in WANTED]))
        return {item["key"]: item["value"] for item in answer.json()["counters"]}

    wait.until(lambda: counted().keys() == WANTED.keys(), "every form has arrived")
    assert counted() == WANTED
    assert server.value("127.0.0.1", "%2Fsome/page") == 1
    assert server.metrics()["hits_accepted_total"] == sum(WANTED.values()) + 1
    assert console == []
    assert '<p id="shown">5</p>' in dom
    assert 'title="' in dom, "the badge is an image that the browser can draw"


def test_the_harness_hears_what_a_console_says(lab):
    site = lab.keep(Site("<script>undefinedFunction()</script>"))
    _, console = chromium.open_page(lab.folder, site.url)
    assert any("undefinedFunction is not defined" in line for line in console)
