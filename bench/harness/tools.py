"""The ends of a command of bench/ and perf/: what it needs is there, and what fails is one line and no traceback."""

import os
import shutil
import subprocess
import sys

from .processes import Failed

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def need(programs=(), files=(), how="deploy/scripts/deps bench perf"):
    """Raises Failed when a program is not installed or a file is not built; the text says what to do."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Failed(f"missing here: {', '.join(missing)}; {how} installs it")
    missing = [path for path in files if not os.path.exists(path)]
    if missing:
        raise Failed(f"{', '.join(os.path.relpath(path, ROOT) for path in missing)} is not built; run: make bench-build")


def run(name, main):
    """Runs main() and ends with what it returns. The suites run as whoever calls them, also as root."""
    os.environ.setdefault("TALLYD_ALLOW_ROOT", "true")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"{name}: {error}")
