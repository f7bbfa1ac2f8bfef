"""The password of the tests' Redis servers, and the search for it in everything that any program wrote."""

import os

PASSWORD = "pa55-of-the-tests-" + "7d1c0ffee"

# The files that hold it on purpose.
_KEEPERS = (".conf", ".password")
_DATA = (".aof", ".rdb", ".manifest")


def leaks(folder):
    """The files below `folder` that show the password and should not."""
    found = []
    for directory, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(directory, name)
            if not name.endswith(_KEEPERS + _DATA) and _shows(path):
                found.append(path)
    return found


def _shows(path):
    with open(path, "rb") as file:
        return PASSWORD.encode() in file.read()
