"""Every secret of the tests, and the search for them in all that any program wrote or shows: logs, admin pages, arguments."""

import os

PASSWORD = "pa55-of-the-tests-" + "7d1c0ffee"  # also the beginning of those that come after it
ROTATED = "rotated-for-a-moment"
AWS_SECRET, AWS_SESSION = "not-a-secret/only+a=test", "session//token=="
POD_TOKEN, WEB_TOKEN = "pod-token-text", "web.identity&token"
SIGNATURE = "X-Amz-Signature="  # an IAM token is as good as a password
_ALL = [secret.encode() for secret in (PASSWORD, ROTATED, AWS_SECRET, AWS_SESSION, POD_TOKEN, WEB_TOKEN, SIGNATURE)]

# The files that hold one on purpose.
_KEEPERS = (".conf", ".password", "-token")
_DATA = (".aof", ".rdb", ".manifest")


def leaks(folder):
    """The files below `folder` that show a secret and should not."""
    found = []
    for directory, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(directory, name)
            if not name.endswith(_KEEPERS + _DATA) and _shows(path):
                found.append(path)
    return found


def _shows(path):
    return any(secret in part for part in _parts(path) for secret in _ALL)


def _parts(path):
    """A state file is hundreds of megabytes long, and hardly any of them are more than a hole."""
    with open(path, "rb") as file:
        end = 0
        while True:
            try:
                at = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing more
                return
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            yield os.pread(file.fileno(), end - at, at)
