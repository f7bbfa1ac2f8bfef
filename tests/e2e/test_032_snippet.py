"""A page with tally.js or hit.js counts once a view in real browsers, under each policy of the page, or warns."""

import urllib.parse

import pytest
from harness import browsers, wait
from harness.site import Site

pytestmark = [pytest.mark.ci,
              pytest.mark.skipif(not all(program for program, _ in browsers.BROWSERS.values()),
                                 reason="chromium and firefox-esr are not both installed (.ci/run does that)")]
HEAD = '<!doctype html><meta charset="utf-8"><title>a page</title><link rel="icon" href="data:,">'
SCRIPTS = ["tally", "hit"]


class Scene:
    """A tallyd, a site of another origin, a browser."""

    def __init__(self, lab, browser, **options):
        self.lab, self.browser = lab, browser
        browser.forget()
        self.site = lab.keep(Site(HEAD))
        self.server = lab.tallyd(**options)
        self.heard = len(browser.console)

    def script(self, name="tally", attributes='data-ns="site"'):
        return f'{HEAD}<script defer src="http://127.0.0.1:{self.server.port}/{name}.js" {attributes}></script>'

    def open(self, path, page, fields=()):
        self.site.pages[path] = page, dict(fields)
        self.browser.open(self.site.url + path)

    def value(self, key, ns="site"):
        answer = self.server.fetch(f"/v1/counters/{ns}?" + urllib.parse.urlencode({"key": key}, quote_via=urllib.parse.quote)).json()
        return answer["counters"][0]["value"] if answer["counters"] else 0

    def await_value(self, key, value, ns="site"):
        wait.until(lambda: self.value(key, ns) >= value, f"{key} is counted {value} times", 20)
        assert self.value(key, ns) == value

    def accepted(self):
        return self.server.metrics()["hits_accepted_total"]

    def said(self):
        return self.browser.console[self.heard:]

    def fence(self):
        """What the page sent before this has arrived: a browser sends in order, so a hit of the same page goes behind it."""
        key = f"fence-{self.lab.new_name('hit')}"
        self.browser.evaluate(f"await fetch('http://127.0.0.1:{self.server.port}/v1/hit/site/{key}', {{method: 'POST'}})")
        self.await_value(key, 1)
        return 1


@pytest.fixture
def scene(lab, browser):
    return Scene(lab, browser)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("policy", ["strict-origin-when-cross-origin", "no-referrer", "same-origin"])
def test_an_origin_rule_lets_the_page_count_under_each_referrer_policy(lab, browser, tmp_path, policy, script):
    rules = tmp_path / "access"
    scene = Scene(lab, browser, start=False, access_file=rules)
    rules.write_text(f"site origin {scene.site.url}\n")
    scene.server.start()
    scene.open("/page", scene.script(script), {"Referrer-Policy": policy})
    scene.await_value("/page", 1)
    assert scene.said() == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("path, key", [
    ("/plain/page.html", "/plain/page.html"), ("/a%20b/%C3%BC.gif", "/a b/ü.gif"), ("/sale-50%-off", "/sale-50%-off"),
    ("/guid/%7B3F25%7D/x", "/guid/%7B3F25%7D/x"), ("/nul%00", "/nul%00"), ("/bad%FFutf8", "/bad%FFutf8"), ("/", "/"),
    ("/a+b&c=d", "/a+b&c=d"), ("/deep//double/", "/deep//double/"), ("/half%2Fslash", "/half/slash")])
def test_each_path_is_counted_under_a_key_that_fits_the_rules(scene, path, key, script):
    scene.open(path, scene.script(script))
    scene.await_value(key, 1)
    assert scene.accepted() == 1 and scene.said() == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("path, attributes", [
    ("/" + "long/" * 60, 'data-ns="site"'), ("/", f'data-ns="{"n" * 77}"'), ("/", 'data-ns="site" data-key="a{b}"'),
    ("/", 'data-ns="two words"')], ids=["long key", "long namespace", "braces", "space"])
def test_what_no_key_can_be_is_said_in_the_console_and_not_sent(scene, path, attributes, script):
    scene.open(path, scene.script(script, attributes))
    wait.until(lambda: any("tallyd: not counted" in line for line in scene.said()), "the console says so")
    assert scene.fence() == scene.accepted() and len(scene.said()) == 1


@pytest.mark.parametrize("key", ["'half an emoji \\ud83d'", "'\\udc00'", "''", "undefined", "'a\\nb'", "'k'.repeat(257)"])
def test_a_page_that_counts_what_is_no_key_goes_on_and_is_told(scene, key):
    scene.open("/calls", scene.script())
    scene.await_value("/calls", 1)
    assert scene.browser.evaluate(f"tally({key}); return 'goes on'") == "goes on"
    wait.until(lambda: any("tallyd: not counted" in line for line in scene.said()), "the console says so")
    assert scene.fence() + 1 == scene.accepted()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_host_that_is_no_namespace_becomes_one(lab, scene, script):
    site = lab.keep(Site(scene.script(script, ""), host="::1"))
    scene.browser.open(site.url + "/page")
    scene.await_value("/page", 1, "-1-")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_page_that_includes_it_twice_counts_once(scene, script):
    scene.open("/twice", scene.script(script) + scene.script(script))
    scene.await_value("/twice", 1)
    assert scene.fence() + 1 == scene.accepted()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_module_and_an_inserted_script_count(scene, script):
    scene.open("/module", scene.script(script, 'data-ns="site" type="module"'))
    scene.await_value("/module", 1)
    insert = (f"<script>const s = document.createElement('script'); s.src = 'http://127.0.0.1:{scene.server.port}/{script}.js';"
              "s.dataset.ns = 'site'; document.head.append(s)</script>")
    scene.open("/inserted", HEAD + insert)
    scene.await_value("/inserted", 1)
    assert scene.said() == []


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("allowed", [True, False])
def test_a_content_security_policy_lets_it_count_or_the_console_says_why_not(scene, script, allowed):
    server = f"http://127.0.0.1:{scene.server.port}"
    policy = f"default-src 'none'; img-src data:; script-src {server}" + (f"; connect-src {server}" if allowed else "")
    scene.open("/guarded", scene.script(script), {"Content-Security-Policy": policy})
    if allowed:
        scene.await_value("/guarded", 1)
        assert scene.said() == []
    else:
        wait.until(lambda: any("tallyd: not counted" in line for line in scene.said()), "the console says so")
        assert scene.value("/guarded") == 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_page_that_comes_back_is_counted_again(scene, script):
    witness = "<script>addEventListener('pageshow', e => { window.back = e.persisted })</script>"
    scene.open("/first", scene.script(script) + witness)
    scene.await_value("/first", 1)
    scene.open("/second", scene.script(script))
    scene.await_value("/second", 1)
    scene.browser.back()
    scene.await_value("/first", 2)
    if not scene.browser.evaluate("return window.back"):
        pytest.skip("this browser loaded the page anew: its back/forward cache is off")


def test_each_address_of_a_single_page_application_is_counted_once_a_visit(scene):
    scene.open("/app", scene.script(attributes='data-ns="site" data-spa'))
    scene.await_value("/app", 1)
    for address in ("/app/one", "/app/one?q=1#x", "/app/two"):
        scene.browser.evaluate(f"history.pushState({{}}, '', '{address}')")
        scene.browser.settle()
    scene.await_value("/app/one", 1)
    scene.await_value("/app/two", 1)
    scene.browser.back()
    scene.await_value("/app/one", 2)
    assert scene.fence() + 4 == scene.accepted() and scene.said() == []


def test_without_data_spa_a_pushed_address_is_not_counted(scene):
    scene.open("/app", scene.script())
    scene.await_value("/app", 1)
    scene.browser.evaluate("history.pushState({}, '', '/app/one')")
    assert scene.fence() + 1 == scene.accepted()


def test_pages_count_and_show_by_function_attribute_and_element(scene):
    scene.server.hit("site", "shown", 1234)
    scene.open("/show", scene.script(attributes='data-ns="site" data-key="seen" data-n="5" data-show="#s"')
               + '<b id="s"></b><tally-count ns="site" key="shown"></tally-count><i><tally-count key="never"></tally-count></i>')
    scene.await_value("seen", 5)
    shown = "return [document.querySelector('#s'), ...document.querySelectorAll('tally-count')].map(e => e.textContent).join()"
    wait.until(lambda: scene.browser.evaluate(shown).replace(",", "").replace(".", "") in ("512340", "5 1234 0"), "numbers show", 20)
    scene.browser.evaluate("tally('clicked', 3); tally('clicked')")
    scene.await_value("clicked", 4)
    scene.server.hit("site", "shown", 1)
    wait.until(lambda: "235" in scene.browser.evaluate(shown), "the element follows", 30)
    assert scene.said() == []


def test_a_prerendered_page_is_counted_when_it_is_shown(lab, scene):
    if not isinstance(scene.browser, browsers.Chromium):
        pytest.skip("only Chromium prerenders")
    rules = '<script type="speculationrules">{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>'
    scene.site.pages["/next"] = scene.script() + "<script>window.ahead = document.prerendering</script>"
    scene.open("/before", scene.script() + rules)
    scene.await_value("/before", 1)
    assert scene.value("/next") == 0
    scene.browser.evaluate("location.href = '/next'")
    scene.await_value("/next", 1)


@pytest.mark.parametrize("script, bytes_max", [("tally", 2048), ("hit", 1024), ("live", 2048)])
def test_scripts_are_small(lab, script, bytes_max):
    assert len(lab.tallyd().fetch(f"/{script}.js").body) <= bytes_max


def test_a_page_whose_requests_a_tracer_marks_reads_what_became_of_them(scene):
    """The fields that tracers add need a preflight, and the page sees no field of the answer that is not exposed to it."""
    scene.open("/traced", HEAD)
    mark = "method: 'POST', headers: {traceparent: '00-1-2-00', baggage: 'a=b', 'sentry-trace': '1-2'}"
    ask = f"const answer = await fetch('http://127.0.0.1:{scene.server.port}/v1/hit/%s', {{{mark}}}); "
    assert scene.browser.evaluate(ask % "site/traced" + "return answer.headers.get('X-Hit-Status')") == "counted"
    assert "namespace" in scene.browser.evaluate(ask % "b!/a" + "return (await answer.json()).detail")
    scene.await_value("traced", 1)
