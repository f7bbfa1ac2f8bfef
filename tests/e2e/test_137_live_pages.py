"""The dashboard and pages of other origins show numbers live in real browsers, also over a rolling restart."""

import json

import pytest
from harness import wait
from harness.event_stream import EventStream
from harness.http_client import fetch
from harness.ports import HOST
from harness.site import Site

pytestmark = pytest.mark.ci
HEAD = '<!doctype html><meta charset="utf-8"><title>a page</title><link rel="icon" href="data:,">'


FOLLOW = """<p id="shown">-</p><script>
  window.heard = []; window.opened = 0
  const stream = new EventSource('{url}')
  stream.onopen = () => opened++
  stream.addEventListener('count', e => {{ heard.push(e.lastEventId); shown.textContent = JSON.parse(e.data).value }})
</script>"""


class Dashboard:
    def __init__(self, browser, server):
        self.browser = browser
        self.heard = len(browser.console)
        browser.open(f"http://{HOST}:{server.admin_port}/dashboard")

    def js(self, script):
        return self.browser.evaluate(script)

    def text(self, selector):
        return self.js(f"return document.querySelector({json.dumps(selector)}).innerText")

    def shows(self, selector, part):
        wait.until(lambda: part in self.text(selector), f"{part!r} in {selector}", 30)

    def said(self):
        return self.browser.console[self.heard:]


def test_it_shows_what_is_counted_and_its_console_is_silent(lab, browser):
    redis = lab.redis()
    server, other = lab.tallyd(redis), lab.tallyd(redis)
    assert other.fetch("/v1/hit/shop?key=/cart&n=1000").status == 204
    wait.until(lambda: server.value("shop", "%2Fcart") == 1000, "the other's hits are stored")
    for target in ("blog?key=/a&n=30", "blog?key=/b%20%3Cb%3E&n=20", "shop?key=/cart&n=5"):
        assert server.fetch(f"/v1/hit/{target}").status == 204
    page = Dashboard(browser, server)
    page.shows("#top", "1,005")
    page.shows("#namespaces", "blog")
    page.shows("#state", "ready")
    page.shows("#health", "balance")
    assert page.text("#top").index("/cart") < page.text("#top").index("/a") < page.text("#top").index("/b <b>")
    # By the keyboard: a namespace is a button.
    page.js("[...document.querySelectorAll('#namespaces button')].find(b => b.textContent == 'blog').focus(); document.activeElement.click()")
    page.shows("#top", "/a")
    assert "/cart" not in page.text("#top")
    exported = page.js("const answer = await fetch(document.querySelector('#export a').href); return await answer.text()")
    assert "blog,/a,30" in exported and "/cart" not in exported
    assert page.js("return document.activeElement.getAttribute('aria-pressed')") == "true", "the focus stays where it was"
    page.js("document.activeElement.click()")
    page.shows("#top", "/cart")
    # The curve is read point by point.
    wait.until(lambda: page.js("return document.querySelectorAll('#curve .line').length") == 1, "the curve is drawn", 30)
    page.js("""const curve = document.getElementById('curve'); curve.focus()
               curve.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true}))""")
    assert " at " in page.text("#said")
    assert page.js("return document.getElementById('curve').getAttribute('aria-label')").startswith("Hits a second over the last")
    assert page.said() == []


def test_a_server_that_nobody_hit_says_so_and_one_without_a_store_too(lab, browser):
    server = lab.tallyd()
    page = Dashboard(browser, server)
    page.shows("#top", "Pages appear with their first hit.")
    page.shows("#namespaces", "Nothing has been counted yet.")
    page.shows("#health", "none: this process holds all")
    server.fetch("/v1/hit/blog/a")
    page.shows("#top", "a")
    assert page.said() == []


def test_a_server_that_goes_away_is_said_and_so_is_its_return(lab, browser):
    server = lab.tallyd()
    server.fetch("/v1/hit/blog/a?n=7")
    page = Dashboard(browser, server)
    page.shows("#top", "7")
    server.kill()
    wait.until(lambda: not page.js("return document.getElementById('trouble').hidden"), "the trouble is said", 30)
    page.shows("#state", "away")
    assert "7" in page.text("#top"), "the last that was known stays"
    server.start()
    wait.until(lambda: page.js("return document.getElementById('trouble').hidden"), "it is taken back", 30)
    page.shows("#state", "ready")


def test_the_dashboard_fits_each_width(lab, browser):
    server = lab.tallyd()
    server.fetch(f"/v1/hit/{'n' * 64}?key={'/long' * 50}")
    page = Dashboard(browser, server)
    page.shows("#top", "/long")
    try:
        for width in (320, 390, 768, 1280, 3840):  # Firefox has a least width of its own
            browser.resize(width, 900)
            wait.until(lambda: page.js("return document.documentElement.scrollWidth <= innerWidth"), f"nothing sticks out at {width}", 20)
    finally:
        browser.resize(1280, 900)


def test_its_colours_have_contrast_in_both_schemes(lab):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text, against each ground that it stands on."""
    css = fetch(lab.tallyd().admin_port, "/dashboard.css").body.decode()
    light, dark = (dict(part.split(": ") for part in block.replace("\n", " ").strip().rstrip(";").split("; ")) for block in
                   (css.partition(":root {")[2].partition("}")[0], css.partition("dark)")[2].partition(":root {")[2].partition("}")[0]))

    def parts(colour):
        digits = colour.strip().lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        return [int(digits[i:i + 2], 16) / 255 for i in range(0, len(digits), 2)]

    def over(top, ground):
        *rgb, alpha = [*parts(top), 1][:4] if len(parts(top)) == 3 else parts(top)
        return [alpha * a + (1 - alpha) * b for a, b in zip(rgb, ground)]

    def luminance(rgb):
        r, g, b = (c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4 for c in rgb)
        return .2126 * r + .7152 * g + .0722 * b

    for scheme in (light, dark):
        colours = {name.strip().removeprefix("--"): value for name, value in scheme.items()}
        panel, paper = parts(colours["panel"]), parts(colours["paper"])
        grounds = {"paper": paper, "panel": panel, "bar": over(colours["tint"], panel), "trouble": over(colours["bad-tint"], paper)}
        for ink, on in [("ink", grounds), ("soft", grounds), ("mark", ["panel"]), ("good", ["panel", "paper"]),
                        ("warn", ["panel", "paper"]), ("bad", ["panel", "paper", "trouble"])]:
            for ground in on:
                light_one, dark_one = sorted((luminance(parts(colours[ink])), luminance(grounds[ground])), reverse=True)
                assert (light_one + .05) / (dark_one + .05) >= 4.5, (ink, ground, colours)


def test_its_files_allow_no_other_origin_and_no_code_in_the_page(lab):
    server = lab.tallyd()
    answer = fetch(server.admin_port, "/dashboard")
    policy = answer["content-security-policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    assert b"style=" not in answer.body and b"<style" not in answer.body and b"onclick" not in answer.body
    for name, kind in (("dashboard.js", "text/javascript"), ("dashboard.css", "text/css"), ("dashboard.json", "application/json")):
        assert fetch(server.admin_port, f"/{name}")["content-type"].startswith(kind)
    assert server.fetch("/dashboard.json").json() == {"public": True}, "no number without a token on the public port"
    assert fetch(server.admin_port, "/dashboard", fields=["Host: evil.example"]).status in (400, 421)


def test_a_page_of_another_origin_follows_over_a_rolling_restart(lab, browser):
    redis = lab.redis()
    server, other = lab.tallyd(redis), lab.tallyd(redis)
    site = lab.keep(Site(HEAD + FOLLOW.format(url=f"http://{HOST}:{server.port}/v1/stream/blog?key=a")))
    server.fetch("/v1/hit/blog/a?n=41")
    browser.open(f"{site.url}/page")

    def shows(value):
        wait.until(lambda: browser.evaluate("return document.getElementById('shown').textContent") == str(value), f"{value} shows", 30)

    shows(41)
    server.fetch("/v1/hit/blog/a")
    shows(42)
    assert server.stop() == 0
    other.fetch("/v1/hit/blog/a?n=8")
    wait.until(lambda: other.value("blog", "a") == 50, "the other has it")
    server.start()
    wait.until(lambda: browser.evaluate("return opened") >= 2, "the browser came again by itself", 60)
    shows(50)
    heard = [int(number) for number in browser.evaluate("return heard")]
    assert heard == sorted(heard), "it never went back"
    server.fetch("/v1/hit/blog/a")
    shows(51)


def shows(browser, selector, text, seconds=30):
    wait.until(lambda: browser.evaluate(f"return document.querySelector({json.dumps(selector)}).textContent") == text,
               f"{text} in {selector}", seconds)


def test_the_visit_page_counts_itself_and_follows(lab, browser):
    server = lab.tallyd()
    heard = len(browser.console)
    browser.open(f"http://{HOST}:{server.port}/")
    shows(browser, "#count", "1")
    wait.until(lambda: server.metrics()["streams"] == 1, "the page follows", 30)
    server.fetch("/v1/hit/site/home?n=1233")
    shows(browser, "#count", browser.evaluate("return (1234).toLocaleString()"))
    wait.until(lambda: " a second" in browser.evaluate("return document.getElementById('note').textContent"), "the rate is said", 30)
    wait.until(lambda: browser.evaluate("return document.querySelector('#curve polyline').getAttribute('points')"), "the curve is drawn", 30)
    assert browser.console[heard:] == []


def test_the_visit_page_asks_where_there_is_no_room_for_a_stream(lab, browser):
    server = lab.tallyd(io="epoll", workers=1, max_conns=64, max_conns_client=60)
    held = [EventStream(server.port, "/v1/stream/site/home") for _ in range(4)]
    browser.open(f"http://{HOST}:{server.port}/")
    shows(browser, "#count", "1")
    wait.until(lambda: server.metrics()["streams_refused_total"] >= 1, "there is no room", 30)
    server.fetch("/v1/hit/site/home")
    shows(browser, "#count", "2")
    for stream in held:
        stream.close()


def test_counts_in_a_page_of_another_origin_share_streams_and_leave_connections_to_others(lab, browser):
    server = lab.tallyd()
    count = '<tally-count ns="site" key="{0}" id="{1}"></tally-count>'.format
    page = (HEAD + f'<script defer src="http://{HOST}:{server.port}/live.js"></script>'
            f'<script defer src="http://{HOST}:{server.port}/tally.js" data-ns="site" data-key="page"></script>'
            + count("a", "a1") + count("a", "a2") + count("b", "b") + count("c", "c"))
    site = lab.keep(Site(page))
    heard = len(browser.console)
    browser.open(f"{site.url}/page")
    for name in ("a1", "a2", "b", "c"):
        shows(browser, f"#{name}", "0")
    assert server.metrics()["streams"] == 2, "a and b; c asks"
    for key in "abc":
        server.fetch(f"/v1/hit/site/{key}?n=5")
    for name in ("a1", "a2", "b", "c"):
        shows(browser, f"#{name}", "5")
    browser.evaluate("document.getElementById('b').remove()")
    wait.until(lambda: server.metrics()["streams"] == 1, "its stream ends with it", 30)
    assert server.value("site", "page") == 1, "tally.js counts beside it"
    assert browser.console[heard:] == []


def test_a_count_without_a_key_is_that_of_the_namespace(lab, browser):
    server = lab.tallyd(lab.redis(), workers=1, max_conns=64, io="epoll")
    site = lab.keep(Site(HEAD + f'<script defer src="http://{HOST}:{server.port}/live.js"></script><tally-count ns="blog"></tally-count>'))
    heard = len(browser.console)
    browser.open(f"{site.url}/page")
    shows(browser, "tally-count", "0")
    server.fetch("/v1/hit/blog/a?n=40")
    server.fetch("/v1/hit/blog/b?n=2")
    shows(browser, "tally-count", "42")
    browser.open(f"http://{HOST}:{server.port}/embed?ns=blog&label=all")
    shows(browser, "tally-count", "42")
    server.fetch("/v1/hit/blog/c?n=8")
    shows(browser, "tally-count", "50")
    assert browser.console[heard:] == []
    # Where there is no room for a stream it asks.
    browser.open(f"http://{HOST}:{server.port}/openapi.json")
    wait.until(lambda: server.metrics()["streams"] == 0, "the frame's stream is over", 30)
    held = [EventStream(server.port, "/v1/stream/blog") for _ in range(4)]
    browser.open(f"{site.url}/page")
    shows(browser, "tally-count", "50")
    for stream in held:
        stream.close()


def test_a_frame_of_any_page_shows_a_number(lab, browser):
    server = lab.tallyd()
    server.fetch("/v1/hit/blog?key=%26a/%C3%BC&n=41")
    site = lab.keep(Site(HEAD + f"""<iframe src="http://{HOST}:{server.port}/embed?ns=blog&amp;key=%26a/%C3%BC&amp;label=reads" title="reads"></iframe>"""))
    browser.open(f"{site.url}/page")
    wait.until(lambda: server.metrics()["streams"] == 1, "the frame follows", 30)
    browser.open(f"http://{HOST}:{server.port}/embed?ns=blog&key=%26a/%C3%BC&label=reads")
    shows(browser, "tally-count", "41")
    shows(browser, "#label", "reads")
    server.fetch("/v1/hit/blog?key=%26a/%C3%BC")
    shows(browser, "tally-count", "42")
