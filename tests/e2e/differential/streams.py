"""Bytes as clients send them, and as no client should: requests from a grammar, then damaged."""

_FIELDS = [b"User-Agent: x/1.0 (y; z)", b"Accept: */*", b"X:", b"x-y: \xe4\xff\t\"q\"", b"Cookie: a=b; c=d", b"DNT: 1",
           b"Connection: keep-alive", b"Connection: foo, bar", b"Origin: https://example.org", b"Expect: 100-continue"]
_ODD_FIELDS = [b"Connection: close", b"Connection: foo,CLOSE", b"Expect: tea", b"Host: t", b"Content-Length: 3", b"Content-Length: 70000",
               b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"X: y" * 5000, b" folded", b"X : y"]
_HOSTS = [b"Host: t", b"host:t:80", b"HOST: \t[::1]:8080 ", b"Host:", b"Host: a-b.example%41"]
_METHODS = [b"GET"] * 6 + [b"POST"] * 4 + [b"HEAD", b"PUT", b"OPTIONS", b"BREW", b"get"]
_SPECIAL = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b";", b",", b"=", b'"', b"\\", b"%", b"?", b"#", b"0", b"a", b"F",
            b"\x00", b"\x7f", b"\x80", b"HTTP/1.1", b"Host: t\r\n", b"chunked", b"Content-Length: 1\r\n", b"\r\n0\r\n\r\n"]
_EXTENSIONS = [b""] * 5 + [b";a", b";a=b", b' ; a = "b;\\"c" ;d']


def _target(random):
    path = b"/v1/hit/%s/%s" % (random.choice([b"blog", b"c"]), random.choice([b"k", b"key2", b"a1"]))
    path = random.choice([b"", b"", b"", b"http://t", b"https://[::1]:80"]) + path
    long_query = b"?" + b"x" * random.choice([8000, 8200]) if random.random() < 0.02 else b""
    return path + (long_query or random.choice([b"", b"?n=%d" % random.randint(1, 99)]))


def _chunks(random, body):
    out = b""
    while body:
        size = random.randint(1, len(body))
        out += b"%0*x" % (random.choice([1, 1, 5]), size) + random.choice(_EXTENSIONS) + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    trailer = random.choice([b"", b"", b"Trailer: x y\r\nHost: no\r\n"])
    return out + random.choice([b"0", b"000"]) + random.choice(_EXTENSIONS) + b"\r\n" + trailer + b"\r\n"


def _request(random):
    lines = [b"%s %s HTTP/1.%d" % (random.choice(_METHODS), _target(random), random.random() < 0.85)]
    fields = [random.choice(_HOSTS)] + random.sample(_FIELDS, random.randint(0, 4))
    if random.random() < 0.15:
        fields.append(random.choice(_ODD_FIELDS))
    body = bytes(random.choices(b"abc\r\n:;GET /0", k=random.choice([0, 3, 40, 700])))
    framing = random.choice(["none", "length", "chunked"])
    if framing == "length":
        fields.append(b"Content-Length: %0*d" % (random.choice([1, 4]), len(body)))
    elif framing == "chunked":
        fields.append(b"Transfer-Encoding: Chunked")
        body = _chunks(random, body)
    random.shuffle(fields)
    head = b"\r\n".join(lines + fields) + b"\r\n\r\n"
    return random.choice([b"", b"", b"\r\n"]) + head + (b"" if framing == "none" else body)


def _damage(random, data):
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        at, to = sorted(random.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + random.choice([0, 1, 1, 20]))
        data = data[:at] + random.choice([b"", data[at:to] * 2, random.choice(_SPECIAL), random.randbytes(1)]) + data[to:]
    return data


def stream(random):
    """Some requests, one behind the other; half of the streams are damaged somewhere, some are cut off."""
    data = b"".join(_request(random) for _ in range(random.randint(1, 6)))
    if random.random() < 0.6:
        data = _damage(random, data)
    return data[:random.randrange(len(data) + 1)] if random.random() < 0.15 else data


def pieces(random, data):
    """The same bytes in pieces, few or many."""
    usual = random.choice([1, 7, 60, 1000, len(data) + 1])
    at = 0
    while at < len(data):
        size = random.randint(1, usual)
        yield data[at:at + size]
        at += size
