"""The admin port shows the whole API as a page: every route of openapi.json, with its answers and a command to try it."""

import json
import shlex
import subprocess

import pytest
from harness import wait
from harness.http_client import fetch
from harness.ports import HOST

METHODS = ("get", "post", "put", "delete")
WIDTHS = (390, 768, 1280, 3840)


def routes(document):
    """[(METHOD, path, what it is called)]"""
    return [(method.upper(), path, ways[method]["operationId"]) for path, ways in document["paths"].items() for method in METHODS if method in ways]


def ready(browser, server):
    browser.open(f"http://{HOST}:{server.admin_port}/docs")
    wait.until(lambda: browser.evaluate("return document.querySelectorAll('details').length") > 0, "the routes are there", 30)


def shown(browser):
    return browser.evaluate("return [...document.querySelectorAll('details:not([hidden])')].map(node => node.id)")


def search(browser, words):
    browser.evaluate(f"const find = document.getElementById('find'); find.value = {json.dumps(words)}; find.dispatchEvent(new Event('input'))")


@pytest.mark.short
def test_the_page_is_on_the_admin_port_alone(lab):
    server = lab.tallyd()
    for path, kind in (("/docs", "text/html"), ("/docs.js", "text/javascript"), ("/docs.css", "text/css")):
        answer = fetch(server.admin_port, path)
        assert answer.status == 200 and answer["content-type"].startswith(kind), path
        assert server.fetch(path).status == 404, path
    policy = fetch(server.admin_port, "/docs")["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "/docs" in fetch(server.admin_port, "/none").body.decode()


@pytest.mark.ci
def test_every_route_is_shown_with_its_answers(lab, browser):
    server = lab.tallyd()
    document = fetch(server.admin_port, "/openapi.json").json()
    heard = len(browser.console)
    ready(browser, server)
    heads = browser.evaluate("return [...document.querySelectorAll('details')].map(node => "
                             "[node.querySelector('b').textContent, node.querySelector('code').textContent, node.id])")
    assert sorted(map(tuple, heads)) == sorted(routes(document))
    browser.evaluate("for (const node of document.querySelectorAll('details')) node.open = true")
    wait.until(lambda: browser.evaluate("return [...document.querySelectorAll('details')].every(node => node.children[1])"), "all are open", 30)
    for method, path, name in routes(document):
        statuses = browser.evaluate(f"return [...document.getElementById('{name}').querySelectorAll('td:first-child code')].map(node => node.textContent)")
        assert set(document["paths"][path][method.lower()]["responses"]) <= set(statuses), name
    text = browser.evaluate("return document.body.innerText")
    assert "undefined" not in text and "[object" not in text
    assert browser.console[heard:] == []


@pytest.mark.ci
def test_its_commands_work_as_they_stand(lab, browser):
    server = lab.tallyd()
    document = fetch(server.admin_port, "/openapi.json").json()
    ready(browser, server)
    for name in ("hitInPath", "hits", "counterInPath", "live", "metrics"):
        browser.evaluate(f"document.getElementById('{name}').open = true")
        wait.until(lambda one=name: browser.evaluate(f"return document.getElementById('{one}').querySelectorAll('pre').length") > 0, "it is filled", 30)
        command = browser.evaluate(f"return [...document.getElementById('{name}').querySelectorAll('pre')].at(-1).textContent")
        for there, here in ((document["servers"][0]["url"], server.port), ("http://127.0.0.1:9090", server.admin_port)):
            command = command.replace(there, f"http://{HOST}:{here}")
        answer = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
        assert answer.split()[1] in ("200", "202", "204"), (command, answer)


@pytest.mark.ci
def test_a_search_a_link_and_each_width(lab, browser):
    server = lab.tallyd()
    every = routes(fetch(server.admin_port, "/openapi.json").json())
    ready(browser, server)
    assert len(shown(browser)) == len(every)
    search(browser, "delete counters")
    assert set(shown(browser)) == {name for method, path, name in every if method == "DELETE" and "counters" in path}
    search(browser, "")
    assert len(shown(browser)) == len(every)
    browser.evaluate("location.hash = '#keys'")
    wait.until(lambda: browser.evaluate("return document.getElementById('keys').open"), "the linked route is open", 30)
    for width in WIDTHS:
        browser.resize(width, 900)
        wait.until(lambda: browser.evaluate("return document.documentElement.scrollWidth <= innerWidth"), f"nothing sticks out at {width}", 30)
    browser.resize(1280, 900)
