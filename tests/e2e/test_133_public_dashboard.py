"""On the public port the dashboard shows what the reader's token may read, and no address has the token in it."""

import json
import os

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, fetch, request_bytes
from harness.ports import HOST

ALL, BLOG, WRITES = "reads-all-of-them-1", "reads-the-blog-only-2", "writes-but-never-reads-3"


def bearer(token):
    return [f"Authorization: Bearer {token}"] if token else []


@pytest.fixture
def tokens(lab):
    path = os.path.join(lab.folder, "tokens")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{ALL} read\n{BLOG} read:blog read:empty\n{WRITES} write hit\n")
    return path


def namespaces(server, token=ALL, port=None):
    answer = fetch(port or server.port, "/v1/namespaces", fields=bearer(token))
    assert answer.status == 200, answer.body
    assert list(answer.json()) == ["namespaces"]
    return answer.json()["namespaces"]


def counted(server, *expected, **how):
    """What was counted a moment ago may not be in the last ranking."""
    def same():
        return [(n["ns"], n["keys"], n["value"], [(p["key"], p["value"]) for p in n["top"]]) for n in namespaces(server, **how)] == list(expected)
    wait.until(same, f"{expected} is shown")


@pytest.mark.short
@pytest.mark.parametrize("store", ["redis", "alone"])
def test_a_token_shows_the_namespaces_that_it_may_read(lab, tokens, store):
    server = lab.tallyd(lab.redis() if store == "redis" else None, token_file=tokens, workers=2)
    assert namespaces(server) == []
    for target in ("blog?key=/a&n=30", "blog?key=/b&n=20", "shop?key=/cart&n=70"):
        assert server.fetch(f"/v1/hit/{target}").status == 204
    blog, shop = ("blog", 2, 50, [("/a", 30), ("/b", 20)]), ("shop", 1, 70, [("/cart", 70)])
    counted(server, shop, blog)
    counted(server, blog, token=BLOG)
    counted(server, shop, blog, token=None, port=server.admin_port)
    assert all(sorted(n) == ["counted", "keys", "ns", "top", "value"] for n in namespaces(server))
    assert [n["counted"] for n in namespaces(server)] == [70, 50]
    checker.wait_drained(server)
    counted(server, shop, blog)


def test_who_may_not_read_is_told_why(lab, tokens):
    server = lab.tallyd(token_file=tokens)
    for token, status, error in [(None, 401, "no_token"), ("not-a-token-of-the-file", 401, "wrong_token"), (WRITES, 403, "forbidden")]:
        answer = fetch(server.port, "/v1/namespaces", fields=bearer(token))
        assert (answer.status, answer.json()["error"]) == (status, error)
        assert (answer["www-authenticate"] or "").startswith("Bearer") == (status == 401)
    assert fetch(server.port, f"/v1/namespaces?token={ALL}").status == 401, "an address is no place for it"
    assert fetch(lab.tallyd().port, "/v1/namespaces", fields=bearer(ALL)).status == 401, "without --token-file nobody may"
    assert server.fetch("/v1/namespaces", "POST").status == 405
    assert fetch(server.port, "/v1/namespaces", "HEAD", fields=bearer(ALL)).status == 200
    preflight = server.fetch("/v1/namespaces", "OPTIONS", fields=["Origin: http://a.example", "Access-Control-Request-Method: GET",
                                                                  "Access-Control-Request-Headers: authorization"])
    assert preflight.status == 204 and "authorization" in preflight["access-control-allow-headers"].lower()


def test_the_257th_namespace_is_among_the_others_for_who_reads_all_alone(lab, tokens):
    server = lab.tallyd(token_file=tokens, workers=1)
    for i in range(257):
        server.hit(f"n{i}" if i < 256 else "blog", "a", 2 if i < 256 else 9)
    wait.until(lambda: len(namespaces(server)) == 257, "all are ranked")
    assert (namespaces(server)[0]["ns"], namespaces(server)[0]["value"], namespaces(server)[0]["top"]) == (None, 9, [])
    assert namespaces(server, token=BLOG) == []


def test_many_ask_at_once_and_one_walk_answers_them(lab, tokens):
    server = lab.tallyd(token_file=tokens, workers=2)
    server.hit("blog", "a", 5)
    connections = [HttpConnection(server.port) for _ in range(30)]
    for connection in connections:
        connection.send(request_bytes("GET", "/v1/namespaces", bearer(ALL)))
    for connection in connections:
        assert connection.answer().json()["namespaces"][0]["value"] == 5
        connection.close()
    gone = HttpConnection(server.port)
    gone.send(request_bytes("GET", "/v1/namespaces", bearer(ALL)))
    gone.reset()
    assert server.stop() == 0


def test_its_files_allow_no_other_origin_and_hold_no_secret(lab, tokens):
    server = lab.tallyd(token_file=tokens)
    policy = server.fetch("/dashboard")["content-security-policy"]
    assert policy == fetch(server.admin_port, "/dashboard")["content-security-policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "form-action 'none'" in policy
    for name in ("dashboard", "dashboard.js", "dashboard.css"):
        answer = server.fetch(f"/{name}")
        assert answer.status == 200 and answer.body == fetch(server.admin_port, f"/{name}").body
        assert answer["access-control-allow-origin"] is None
    assert server.fetch("/dashboard.json").json() == {"public": True}, "what it shows needs a token"
    assert " name=" not in server.fetch("/dashboard").body.decode().partition('<form id="door"')[2].partition("</form>")[0], "a form never sends it"


def test_what_the_recipe_for_grafana_asks_is_there(lab, tokens):
    """Infinity itself is not here: its paths of names are followed as JSONata does, which flattens lists."""
    with open(os.path.join(os.path.dirname(__file__), "../../deploy/README.md"), encoding="utf-8") as file:
        panels = json.loads(file.read().partition("```json")[2].partition("```")[0])
    server = lab.tallyd(token_file=tokens)
    for target in ("blog?key=/a&n=30", "shop?key=/cart&n=70"):
        assert server.fetch(f"/v1/hit/{target}").status == 204
    wait.until(lambda: len(namespaces(server)) == 2, "both are ranked")
    shown = {}
    for panel in panels:
        [asked] = panel["targets"]
        params = "&".join(f"{one['key']}={one['value']}" for one in asked["url_options"].get("params", []))
        rows = [fetch(server.port, f"{asked['url']}?{params}", asked["url_options"]["method"], bearer(ALL)).json()]
        for name in filter(None, asked["root_selector"].removeprefix("$").split(".")):
            found = [row[name] for row in rows]
            rows = [one for many in found for one in (many if isinstance(many, list) else [many])]
        shown[panel["title"]] = [[row[column["selector"]] for column in asked["columns"]] for row in rows]
    assert shown == {"Namespaces": [["shop", 1, 70], ["blog", 1, 30]], "Pages": [["/cart", 70], ["/a", 30]], "blog": [[30]]}


# ---- in browsers ----

def shows(browser, selector, part):
    wait.until(lambda: part in browser.evaluate(f"return document.querySelector({json.dumps(selector)}).innerText"), f"{part!r} in {selector}", 30)


def until(browser, condition, what):
    wait.until(lambda: browser.evaluate(f"return Boolean({condition})"), what, 30)


def enter(browser, token, keep=False):
    until(browser, "document.activeElement.id == 'token'", "the field has the focus")
    browser.evaluate(f"""document.getElementById('keep').checked = {json.dumps(keep)}
                         document.activeElement.value = {json.dumps(token)}
                         document.querySelector('#door button').click()""")


@pytest.mark.ci
def test_a_reader_gives_the_token_and_sees_his_namespaces(lab, tokens, browser):
    server = lab.tallyd(lab.redis(), token_file=tokens)
    for target in ("blog?key=/a&n=30", "shop?key=/cart&n=7000"):
        assert server.fetch(f"/v1/hit/{target}").status == 204
    heard = len(browser.console)
    browser.open(f"http://{HOST}:{server.port}/dashboard")
    browser.evaluate("sessionStorage.clear()")
    enter(browser, BLOG)
    shows(browser, "#top", "/a")
    shows(browser, "#namespaces", "blog")
    shows(browser, "#state", "live")
    assert "cart" not in browser.evaluate("return document.body.innerText")
    until(browser, "document.querySelector('#curve .line')", "the curve is drawn")
    server.fetch("/v1/hit/blog?key=/a&n=400")
    wait.until(lambda: float(browser.evaluate("return document.getElementById('rate').textContent").replace(",", "") .replace("\u2013", "0")) > 0, "the rate rises", 30)
    for hidden in (".health", "#figures", "a.admin"):
        assert browser.evaluate(f"return getComputedStyle(document.querySelector('{hidden}')).display") == "none"
    # The file is fetched with the token, and saved by a click.
    saved = browser.evaluate("""let file, name; URL.createObjectURL = blob => { file = blob; return 'data:,' }
        HTMLAnchorElement.prototype.click = function () { name = this.download }
        document.querySelector('#export button').click()
        for (let i = 0; i < 600 && !name; i++) await new Promise(r => setTimeout(r, 50))
        return name + ' ' + await file.text()""")
    assert saved.startswith("blog.csv ns,key,value") and "blog,/a," in saved
    assert browser.evaluate("return location.href").endswith("/dashboard")
    assert browser.evaluate("return sessionStorage.length") == 0, "it is kept where the reader said so only"
    assert browser.console[heard:] == []


@pytest.mark.ci
def test_a_wrong_token_is_said_and_a_kept_one_is_there_until_it_is_forgotten(lab, tokens, browser):
    server = lab.tallyd(token_file=tokens)
    server.fetch("/v1/hit/shop?key=/cart&n=70")
    browser.open(f"http://{HOST}:{server.port}/dashboard")
    browser.evaluate("sessionStorage.clear()")
    enter(browser, "not-a-token-of-the-file")
    shows(browser, "#door-said", "this token is not in --token-file")
    enter(browser, WRITES)
    shows(browser, "#door-said", "neither read nor read:NAMESPACE")
    enter(browser, "two words")
    shows(browser, "#door-said", "letters, digits")
    enter(browser, ALL, keep=True)
    shows(browser, "#top", "/cart")
    browser.open(f"http://{HOST}:{server.port}/dashboard")
    shows(browser, "#top", "/cart")
    browser.evaluate("document.getElementById('leave').click()")
    until(browser, "getComputedStyle(document.querySelector('main')).display == 'none'", "nothing shows any more")
    assert browser.evaluate("return [sessionStorage.length, document.getElementById('token').value, document.querySelectorAll('#ns option').length]") == [0, "", 1]
    browser.open(f"http://{HOST}:{server.port}/dashboard")
    until(browser, "document.activeElement.id == 'token'", "it is asked for again")


@pytest.mark.ci
def test_it_fits_each_width_open_and_closed(lab, tokens, browser):
    server = lab.tallyd(token_file=tokens)
    server.fetch(f"/v1/hit/blog?key={'/long' * 50}")
    browser.open(f"http://{HOST}:{server.port}/dashboard")
    browser.evaluate("sessionStorage.clear()")
    try:
        for state in ("closed", "open"):
            for width in (320, 390, 768, 1280, 3840):
                browser.resize(width, 900)
                until(browser, "document.documentElement.scrollWidth <= innerWidth", f"nothing sticks out at {width}, {state}")
            if state == "closed":
                enter(browser, BLOG)
                shows(browser, "#top", "/long")
    finally:
        browser.resize(1280, 900)
