"""What a figure is worth without: the machine, its kernel, its load, the versions of everything that was compared."""

import datetime
import os
import platform
import re
import subprocess

PACKAGES = ("nginx-light", "libnginx-mod-http-lua", "h2o", "webdis", "gunicorn", "python3-flask", "python3-redis",
            "redis-server", "liburing2", "libck0")


def _said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _processor():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return found.group(1).strip() if found else platform.machine()


def facts():
    lines = _said("dpkg-query", "-W", "-f=${Package} ${Version}\n", *PACKAGES).splitlines()
    return {
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": _said("git", "describe", "--tags", "--always", "--dirty"), "kernel": platform.release(),
        "processor": _processor(), "cpus": os.cpu_count(), "load_average": os.getloadavg(),
        "hypervisor": _said("systemd-detect-virt") or "unknown",
        "packages": dict(line.split(" ", 1) for line in lines if " " in line),
    }
