"""A headless Chromium that opens pages and keeps what their consoles say."""

import os
import re
import shutil
import subprocess

PROGRAM = shutil.which("chromium")
_NOISE = ("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
          "--disable-component-update", "--disable-extensions", "--enable-logging=stderr", "--v=0")


def open_page(folder, url, milliseconds=3000):
    """(the page as it is after that time of its own clock, lines of its console)"""
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    command = [PROGRAM, *_NOISE, *sandbox, f"--user-data-dir={folder}/chromium", f"--virtual-time-budget={milliseconds}", "--dump-dom", url]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return run.stdout, re.findall(r'CONSOLE[^\]]*\] (".*)', run.stderr)
