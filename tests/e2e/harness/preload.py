"""Libraries of the tests' own for LD_PRELOAD: built in build/, since a TMPDIR may be mounted noexec; the name that a program
in the test's folder is given is relative, since LD_PRELOAD ends names at spaces and colons."""

import os
import subprocess
import tempfile

_HERE = os.path.dirname(os.path.abspath(__file__))
_BUILD = os.path.abspath(os.path.join(_HERE, "..", "..", "..", "build", "preload"))


def build(stem, folder):
    """From the source of that name beside this file; what LD_PRELOAD says in a process whose working directory is `folder`."""
    os.makedirs(_BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILD) as own:  # two tests may build it at once
        made = os.path.join(own, f"{stem}.so")
        subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", made, os.path.join(_HERE, f"{stem}.c")], check=True)
        os.replace(made, os.path.join(_BUILD, f"{stem}.so"))
    os.symlink(os.path.join(_BUILD, f"{stem}.so"), os.path.join(folder, f"{stem}.so"))
    return f"./{stem}.so"
