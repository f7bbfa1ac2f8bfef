"""Counter names as clients write them and as Redis must hold them."""

import urllib.parse

PREFIX = b"tally:"

# The awkward ones: space, slash, percent, UTF-8, a byte that is no UTF-8, names that look like internals.
AWKWARD = [b"a b", b"path/to/page", b"100%", "naïve-ключ-鍵".encode(), b"\xff\xfe", b"!ledger", b"..", b"a+b", b"x:y",
           b"k" * 256, b"?q=1&n=7", b"#frag", b"\\n\"'", b"*"]


def quoted(key):
    """The key in a path, only what must be encoded is encoded."""
    return urllib.parse.quote(key, safe="/:!+*'.~-_")


def quoted_fully(key):
    """Every byte percent-encoded, in lower-case hex: another spelling of the same key."""
    return "".join(f"%{byte:02x}" for byte in key)


def path(ns, key, spell=quoted):
    return f"/v1/hit/{ns}/{spell(key)}"


def stored(ns, key):
    """The Redis key without the prefix."""
    return ns.encode() + b":" + key
