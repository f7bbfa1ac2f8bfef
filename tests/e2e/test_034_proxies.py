"""Behind real proxies, each as its users set it up, keys and clients are the same, and counts are exact."""

import http.client
import urllib.parse

import pytest
from harness import browsers, wait
from harness.front_proxies import KINDS, MISSING, FrontProxy
from harness.ports import HOST
from harness.site import Site

pytestmark = [pytest.mark.ci,
              pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (.ci/run does that)")]
KEYS = ["plain", "/a/page.html", "/img/logo.svg", "/posts/a b.gif", "50%-off", "a+b&c=d", "ü/é", "a%2Fb", "/deep//double/", "wp-login.php?x=1"]
CHAINS = [*([kind] for kind in KINDS), ["haproxy", "haproxy"], ["apache", "nginx", "haproxy"]]


def front_of(lab, chain, server):
    to = server.port
    for kind in reversed(chain):
        to = lab.keep(FrontProxy(lab.folder, kind, to)).port
    return to


def ask(port, method, target, source=HOST, fields=None):
    connection = http.client.HTTPConnection(HOST, port, timeout=30, source_address=(source, 0))
    connection.request(method, target, headers=fields or {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def quoted(key):
    return urllib.parse.quote(key, safe="")


@pytest.mark.parametrize("chain", CHAINS, ids="+".join)
def test_each_form_of_a_hit_keeps_its_key(lab, chain):
    server = lab.tallyd()
    port = front_of(lab, chain, server)
    for key in KEYS:
        assert ask(port, "POST", f"/v1/hit/blog?key={quoted(key)}&n=2").status == 204, key
        assert ask(port, "GET", f"/v1/hit/blog?key={quoted(key)}").status == 204, key
    assert ask(port, "GET", "/v1/hit/blog/in/a/path").status == 204
    for key in KEYS:
        counters = server.fetch(f"/v1/counters/blog?key={quoted(key)}").json()["counters"]
        assert [(item["key"], item["value"]) for item in counters] == [(key, 3)]
    assert server.metrics()["hits_accepted_total"] == 3 * len(KEYS) + 1


@pytest.mark.parametrize("chain", CHAINS, ids="+".join)
def test_each_client_has_a_rate_of_its_own(lab, chain):
    """All proxies are 127.0.0.1; clients are other addresses."""
    server = lab.tallyd(workers=1, trusted_proxies=HOST, rate_limit=1, rate_burst=3)
    port = front_of(lab, chain, server)
    target = "/v1/hit/blog?key=a"
    assert 429 in [ask(port, "POST", target, "127.0.0.5").status for _ in range(60)]
    assert ask(port, "POST", target, "127.0.0.6").status == 204
    # Who claims to be somebody else is still counted as who it is.
    assert ask(port, "POST", target, "127.0.0.7", {"X-Forwarded-For": "127.0.0.5"}).status == 204


@pytest.mark.skipif(not all(program for program, _ in browsers.BROWSERS.values()), reason="chromium and firefox-esr are not both installed")
@pytest.mark.parametrize("name", sorted(browsers.BROWSERS))
def test_both_browsers_count_through_every_proxy(lab, tmp_path_factory, name):
    server = lab.tallyd()
    site = lab.keep(Site('<!doctype html><link rel="icon" href="data:,">'))
    browser = lab.keep(browsers.BROWSERS[name][1](str(tmp_path_factory.mktemp(name))))
    for number, chain in enumerate(CHAINS):
        port = front_of(lab, chain, server)
        path = f"/page-{number}/50%-off.gif"
        site.pages[path] = "".join(f'<!doctype html><link rel="icon" href="data:,"><script defer src="http://{HOST}:{port}/{script}.js" data-ns="{script}"></script>'
                                   for script in ("tally", "hit"))
        browser.open(site.url + path)
        for script in ("tally", "hit"):
            def counted(script=script, path=path):
                return server.fetch(f"/v1/counters/{script}?key={quoted(path)}").json()["counters"]
            wait.until(counted, f"{script}.js is counted through {chain}", 30)
            assert counted()[0]["value"] == 1
        print(f"| {name} | {' → '.join(chain)} | 1 of 1 | 1 of 1 | {len(browser.console)} |")
    assert server.metrics()["hits_accepted_total"] == 2 * len(CHAINS)
    assert browser.console == []
