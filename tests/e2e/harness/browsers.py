"""Chromium and Firefox without a window, led by their own protocols: open pages, evaluate, go back, hear the console."""

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from . import wait

CHROMIUM = shutil.which("chromium")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


def _browser_process(command, **options):
    """In a process group of its own: a browser is many processes, and all of them end."""
    return subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def _end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


class Chromium:
    """By the DevTools protocol over two pipes, descriptors 3 and 4 of the browser, messages that end with NUL."""

    def __init__(self, folder):
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        command = [CHROMIUM, "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
                   "--disable-component-update", "--disable-extensions", "--remote-debugging-pipe", f"--user-data-dir={folder}/chromium",
                   *(["--no-sandbox"] if os.getuid() == 0 else [])]
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = _browser_process(["bash", "-c", shell, "bash", *command], pass_fds=(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._rest = b""
        self.console = []
        page = self._ask("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": page, "flatten": True}, None)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable", {})

    def _hear(self):
        while b"\0" not in self._rest:
            more = os.read(self._from, 1 << 16)
            assert more, "chromium went away"
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(message)
        method, params = message.get("method"), message.get("params")
        if method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(arg.get("value")) for arg in params["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(params["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif method == "Log.entryAdded":
            self.console.append(params["entry"]["text"])
        return message

    def _ask(self, method, params, session=""):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._hear()).get("id") != number:
            pass
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def evaluate(self, script):
        """What the body of an async function returns."""
        result = self._ask("Runtime.evaluate", {"expression": f"(async () => {{ {script} }})()", "awaitPromise": True, "returnByValue": True})
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, url):
        self._ask("Page.navigate", {"url": url})
        wait.until(lambda: self.evaluate(f"return document.readyState == 'complete' && location.href.startsWith({json.dumps(url)})"), url, 30)

    def resize(self, width, height):
        self._ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def back(self):
        self._ask("Page.navigateToHistoryEntry", {"entryId": self.settle()})

    def forget(self):
        """All addresses before this one: of a full history (50) Chromium drops first what a page pushed without a click."""
        self._ask("Page.resetNavigationHistory", {})

    def settle(self):
        """Waits until the browser's own process has heard of the address that the page pushed; the entry before it."""
        def entry():
            history = self._ask("Page.getNavigationHistory", {})
            at = history["currentIndex"]
            return history["entries"][at - 1]["id"] if history["entries"][at]["url"] == self.evaluate("return location.href") else None
        return wait.until(entry, "the history knows the address shown", 30)

    def close(self):
        _end(self._process)
        os.close(self._to)
        os.close(self._from)


class Firefox:
    """By Marionette, its own protocol: LENGTH:[0, number, command, parameters]."""

    def __init__(self, folder):
        profile = os.path.join(folder, "firefox")
        os.makedirs(profile)
        prefs = {"marionette.port": 0, "devtools.console.stdout.content": True, "browser.shell.checkDefaultBrowser": False,
                 "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False, "network.captive-portal-service.enabled": False,
                 "network.connectivity-service.enabled": False, "browser.dom.window.dump.enabled": True}
        with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as file:
            file.writelines(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in prefs.items())
        self._log = os.path.join(folder, "firefox.log")
        command = [FIREFOX, "--headless", "--marionette", "--profile", profile, "--new-instance", "--no-remote"]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env={**os.environ, "HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"})
        active = os.path.join(profile, "MarionetteActivePort")
        wait.until(lambda: os.path.exists(active) and os.path.getsize(active), "firefox listens", 60)
        with open(active, encoding="ascii") as file:
            self._socket = socket.create_connection(("127.0.0.1", int(file.read())), timeout=120)
        self._numbers = itertools.count(1)
        self._rest = b""
        self._hear()  # who it is
        self._ask("WebDriver:NewSession", {})

    def _hear(self):
        while True:
            head, colon, tail = self._rest.partition(b":")
            if colon and len(tail) >= int(head):
                self._rest = tail[int(head):]
                return json.loads(tail[:int(head)])
            more = self._socket.recv(1 << 16)
            assert more, "firefox went away"
            self._rest += more

    def _ask(self, command, params):
        message = json.dumps([0, next(self._numbers), command, params]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._hear()
        assert error is None, (command, error)
        return result

    def evaluate(self, script):
        body = f"const done = arguments[0]; (async () => {{ {script} }})().then(v => done([v]), e => done('' + e))"
        value = self._ask("WebDriver:ExecuteAsyncScript", {"script": body, "args": [], "sandbox": None, "newSandbox": False})["value"]
        assert isinstance(value, list), value
        return value[0]

    def open(self, url):
        self._ask("WebDriver:Navigate", {"url": url})

    def resize(self, width, height):
        self._ask("WebDriver:SetWindowRect", {"width": width, "height": height})

    def back(self):
        self._ask("WebDriver:Back", {})

    def forget(self):
        """Nothing: it keeps what pages push."""

    def settle(self):
        """A command ends when the browser has done it."""

    @property
    def console(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            said = re.findall(r"^(?:console\.(?:warn|error|log): |JavaScript error: http)(.*)", file.read(), re.MULTILINE)
        return [line for line in said if not line.startswith("RSLoader: ")]  # the browser's own settings service

    def close(self):
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


BROWSERS = {"chromium": (CHROMIUM, Chromium), "firefox": (FIREFOX, Firefox)}
