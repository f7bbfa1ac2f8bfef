"""Every rule as bytes: what is sent, and what must come of it.

A row: section, rule, bytes, and the outcome: the statuses of the answers, how many hits are counted, and whether the
connection stays open. `rest` is sent only after the bytes before it have been seen to get no final answer. `fields`: what
the last answer must have in its header. Sections are those of RFC 9112 unless they say 9110; DESIGN is our own choice
where the RFCs leave one.
"""

from collections import namedtuple

Case = namedtuple("Case", "section rule request statuses counted open fields rest head",
                  defaults=({}, b"", False))
PATH = b"/v1/hit/c/k"
H = b"Host: t\r\n"


def request(*fields, line=b"GET " + PATH + b" HTTP/1.1", body=b""):
    """A hit with a Host, unless it says otherwise."""
    return b"\r\n".join([line, b"Host: t", *fields, b"", b""]) + body


def line(text):
    return request(line=text)


def post(*fields, body=b""):
    return request(*fields, line=b"POST " + PATH + b" HTTP/1.1", body=body)


def chunked(body):
    return post(b"Transfer-Encoding: chunked", body=body)


def hits(n):
    """Taken, counted n times, and the connection goes on."""
    return ((204,) if n else (), n, True)


def ends(n=1):
    """Taken, and the connection ends."""
    return ((204,), n, False)


def says(*statuses):
    """Answered, nothing counted, the connection goes on."""
    return (statuses, 0, True)


def refused(*statuses):
    """Answered, nothing counted, and what follows is never read as a request."""
    return (statuses, 0, False)


BAD = refused(400)
ALLOW = {"allow": "GET"}
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


def rows():
    yield from message()
    yield from request_line()
    yield from target()
    yield from header()
    yield from host()
    yield from length()
    yield from coding()
    yield from chunks()
    yield from connection()
    yield from methods()
    yield from expect()
    yield from limits()
    yield from answers()
    yield from fragments()


def message():
    yield "2.1", "a valid request", request(), hits(1)
    yield "2.2", "an empty line before the request line is skipped", b"\r\n" + request(), hits(1)
    yield "2.2", "four empty lines are", b"\r\n" * 4 + request(), hits(1)
    yield "2.2", "but not any number of them", b"\r\n" * 50 + request(), BAD
    yield "2.2", "a bare LF does not end the request line", b"GET " + PATH + b" HTTP/1.1\n" + H + b"\r\n", BAD
    yield "2.2", "a bare LF does not end a field", b"GET " + PATH + b" HTTP/1.1\r\nHost: t\n\r\n", BAD
    yield "2.2", "a bare LF does not end the header", b"GET " + PATH + b" HTTP/1.1\r\n" + H + b"\n", BAD
    yield "2.2", "a bare CR does not end the request line", b"GET " + PATH + b" HTTP/1.1\r" + H + b"\r\n", BAD
    yield "2.2", "a bare CR does not end a field", b"GET " + PATH + b" HTTP/1.1\r\nHost: t\rX: y\r\n\r\n", BAD
    yield "2.2", "a bare CR is no part of a value", request(b"X: a\rb"), BAD
    yield "2.2", "a bare CR does not end the header", b"GET " + PATH + b" HTTP/1.1\r\n" + H + b"\rX: y\r\n\r\n", BAD
    yield "2.2", "a bare LF before the request line", b"\n" + request(), BAD
    yield "2.2", "blanks before the first field", b"GET " + PATH + b" HTTP/1.1\r\n " + H + b"\r\n", BAD
    yield "2.2", "TLS to a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 30, BAD
    yield "2.2", "only NULs", b"\x00" * 64, BAD
    yield "2.2", "bytes above 127", b"\xff\xfe\xfd\r\n\r\n", BAD


def request_line():
    yield "2.3", "HTTP/0.9: no version", b"GET " + PATH + b"\r\n\r\n", BAD
    yield "2.3", "an empty version", b"GET " + PATH + b" \r\n\r\n", BAD
    yield "2.3", "an unknown major version", line(b"GET / HTTP/9.9"), refused(505)
    yield "2.3", "HTTP/2.0 in the form of 1.1", line(b"GET / HTTP/2.0"), refused(505)
    yield "2.3", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", refused(505)
    yield "2.3", "HTTP/0.9 written out", line(b"GET / HTTP/0.9"), BAD
    yield "2.3", "a higher minor version is read as 1.1", line(b"GET " + PATH + b" HTTP/1.2"), hits(1)
    yield "2.3", "the name of the protocol is case-sensitive", line(b"GET / http/1.1"), BAD
    yield "2.3", "no minor version", line(b"GET / HTTP/1"), BAD
    yield "2.3", "leading zeros in a version", line(b"GET / HTTP/01.01"), BAD
    yield "2.3", "a blank in a version", line(b"GET / HTTP/ 1.1"), BAD
    yield "2.3", "a two-digit minor version", line(b"GET / HTTP/1.10"), BAD
    yield "2.3", "another protocol", line(b"GET / RTSP/1.0"), BAD
    yield "3", "two spaces behind the method", line(b"GET  " + PATH + b" HTTP/1.1"), BAD
    yield "3", "two spaces behind the target", line(b"GET " + PATH + b"  HTTP/1.1"), BAD
    yield "3", "a space in front of the method", line(b" GET " + PATH + b" HTTP/1.1"), BAD
    yield "3", "a space behind the version", line(b"GET " + PATH + b" HTTP/1.1 "), BAD
    yield "3", "tabs in place of spaces", line(b"GET\t" + PATH + b"\tHTTP/1.1"), BAD
    yield "3", "words in front of the method", line(b"Extra lineGET " + PATH + b" HTTP/1.1"), BAD
    yield "3", "no target", line(b"GET HTTP/1.1"), BAD
    yield "3", "an empty target", line(b"GET  HTTP/1.1"), BAD
    yield "3.1", "a method that is no token", line(b"G(T " + PATH + b" HTTP/1.1"), BAD
    yield "3.1", "methods are case-sensitive", line(b"get " + PATH + b" HTTP/1.1"), says(501)
    yield "3.1", "an unknown method", line(b"BREW " + PATH + b" HTTP/1.1"), says(501)
    yield "3.1", "a long unknown method", line(b"B" * 300 + b" " + PATH + b" HTTP/1.1"), says(501)


def target():
    yield "3.2", "a fragment is no part of a target", line(b"GET " + PATH + b"#x HTTP/1.1"), BAD
    yield "3.2", "a control byte in a target", line(b"GET " + PATH + b"\x01 HTTP/1.1"), BAD
    yield "3.2", "a NUL in a target", line(b"GET " + PATH + b"\x00 HTTP/1.1"), BAD
    yield "3.2", "DEL in a target", line(b"GET " + PATH + b"\x7f HTTP/1.1"), BAD
    yield "3.2", "UTF-8 that is not escaped", line("GET /v1/hit/c/ä HTTP/1.1".encode()), BAD
    yield "3.2", "a backslash is no slash", line(b"GET /v1\\hit\\c\\k HTTP/1.1"), BAD
    yield "3.2.1", "a target without its slash", line(b"GET v1/hit/c/k HTTP/1.1"), BAD
    yield "3.2.1", "a query is not a part of the path", line(b"GET " + PATH + b"?n=2&x=/../ HTTP/1.1"), hits(2)
    yield "3.2.1", "dots are bytes of a key, no way up", line(b"GET /v1/hit/c/../../../etc HTTP/1.1"), hits(1)
    yield "3.2.2", "absolute-form", line(b"GET http://t" + PATH + b" HTTP/1.1"), hits(1)
    yield "3.2.2", "absolute-form, https and a port", line(b"GET https://t:443" + PATH + b"?n=3 HTTP/1.1"), hits(3)
    yield "3.2.2", "its scheme in any case", line(b"GET HTTP://t" + PATH + b" HTTP/1.1"), hits(1)
    yield "3.2.2", "its host wins over the field", line(b"GET http://other" + PATH + b" HTTP/1.1"), hits(1)
    yield "3.2.2", "an empty path is /", line(b"OPTIONS http://t HTTP/1.1"), ((204,), 0, True), ALLOW
    yield "3.2.2", "absolute-form still needs Host", b"GET http://t" + PATH + b" HTTP/1.1\r\n\r\n", BAD
    yield "3.2.2", "absolute-form without a host", line(b"GET http:///v1/hit/c/k HTTP/1.1"), BAD
    yield "3.2.2", "user info in absolute-form", line(b"GET http://me@t" + PATH + b" HTTP/1.1"), BAD
    yield "3.2.2", "another scheme", line(b"GET ftp://t" + PATH + b" HTTP/1.1"), BAD
    yield "3.2.3", "CONNECT to a server that is no proxy", line(b"CONNECT t:80 HTTP/1.1"), refused(501)
    yield "3.2.3", "CONNECT with a body", request(b"Content-Length: 2", line=b"CONNECT t:80 HTTP/1.1", body=b"ab"), \
        refused(501)
    yield "3.2.3", "CONNECT that asks to keep alive", request(b"Connection: keep-alive", line=b"CONNECT t:80 HTTP/1.1"), \
        refused(501)
    yield "9110 7.8", "an upgrade is ignored", request(b"Connection: upgrade", b"Upgrade: websocket"), hits(1)
    yield "3.2.3", "CONNECT without a port", line(b"CONNECT t HTTP/1.1"), BAD
    yield "3.2.3", "CONNECT with a path", line(b"CONNECT /v1/hit/c/k HTTP/1.1"), BAD
    yield "3.2.3", "GET in authority-form", line(b"GET t:80 HTTP/1.1"), BAD
    yield "3.2.4", "OPTIONS *", line(b"OPTIONS * HTTP/1.1"), ((204,), 0, True), ALLOW
    yield "3.2.4", "GET *", line(b"GET * HTTP/1.1"), BAD
    yield "3.2.4", "OPTIONS * with a query", line(b"OPTIONS *?x HTTP/1.1"), BAD
    yield "9110 4.2.4", "an escape is decoded once", line(b"GET /v1/hit/c/%2541 HTTP/1.1"), hits(1)
    yield "9110 4.2.3", "an escaped slash does not separate", line(b"GET /v1/hit%2Fc%2Fk HTTP/1.1"), says(404)
    yield "9110 4.2.3", "a broken escape in a key", line(b"GET /v1/hit/c/%4 HTTP/1.1"), says(400)
    yield "9110 4.2.3", "an escaped NUL in a key", line(b"GET /v1/hit/c/k%00 HTTP/1.1"), says(400)


def header():
    yield "5", "a name may be any token", request(b"X-!#$%&'*+.^_`|~9: y"), hits(1)
    yield "5", "names in any case, a tab before the value", request(b"cOnneCtion:\tKEEP-alive"), hits(1)
    yield "5", "no blank is needed behind the colon", request(b"X:y"), hits(1)
    yield "5", "brackets in a name", request(b"X[]: y"), BAD
    yield "5", "a control byte in a name", request(b"X\x01: y"), BAD
    yield "5", "a NUL in a name", request(b"X\x00: y"), BAD
    yield "5", "bytes above 127 in a name", request(b"X\xe4: y"), BAD
    yield "5", "an empty name", request(b": y"), BAD
    yield "5", "a line without a colon", request(b"X"), BAD
    yield "5.1", "a space before the colon", request(b"X : y"), BAD
    yield "5.1", "a tab before the colon", request(b"X\t: y"), BAD
    yield "5.1", "a space before the colon of Host", b"GET " + PATH + b" HTTP/1.1\r\nHost : t\r\n\r\n", BAD
    yield "5.2", "a folded line (obs-fold)", request(b"X: y", b" z"), BAD
    yield "5.2", "folded with a tab", request(b"X: y", b"\tz"), BAD
    yield "5.2", "Transfer-Encoding folded", post(b"Transfer-Encoding:", b" chunked", body=CHUNKS), BAD
    yield "9110 5.5", "an empty value", request(b"X:", b"Y: "), hits(1)
    yield "9110 5.5", "bytes above 127 in a value (obs-text)", request(b"X: \xe4\xff"), hits(1)
    yield "9110 5.5", "a tab in a value", request(b"X: a\tb"), hits(1)
    yield "9110 5.5", "a NUL in a value", request(b"X: a\x00b"), BAD
    yield "9110 5.5", "a bell in a value", request(b"X: test\x07"), BAD
    yield "9110 5.5", "DEL in a value", request(b"X: a\x7fb"), BAD


def host():
    def with_host(*lines):
        return b"\r\n".join([b"GET " + PATH + b" HTTP/1.1", *lines, b"", b""])

    yield "3.2", "no Host", with_host(), BAD
    yield "3.2", "two Hosts", with_host(b"Host: a", b"Host: b"), BAD
    yield "3.2", "the same Host twice", with_host(b"Host: t", b"Host: t"), BAD
    yield "3.2", "no Host in HTTP/1.0", b"GET " + PATH + b" HTTP/1.0\r\n\r\n", ends()
    yield "3.2", "two Hosts in HTTP/1.0", b"GET " + PATH + b" HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", BAD
    yield "3.2", "an empty Host is what a target without authority has", with_host(b"Host:"), hits(1)
    yield "9110 7.2", "a port", with_host(b"Host: t:8080"), hits(1)
    yield "9110 7.2", "an IPv6 address and a port", with_host(b"Host: [::1]:80"), hits(1)
    yield "9110 7.2", "a port that is no number", with_host(b"Host: t:http"), BAD
    yield "9110 7.2", "a port over 65535", with_host(b"Host: t:65536"), BAD
    yield "9110 7.2", "user info", with_host(b"Host: me@t"), BAD
    yield "9110 7.2", "a path", with_host(b"Host: t/x"), BAD
    yield "9110 7.2", "two hosts in one value", with_host(b"Host: a, b"), BAD
    yield "9110 7.2", "a blank inside", with_host(b"Host: a b"), BAD
    yield "9110 7.2", "an IPv6 address that is none", with_host(b"Host: [::g]"), BAD


def length():
    def of(value, body=b""):
        return post(b"Content-Length:" + value, body=body)

    yield "6.2", "a body of that length", of(b" 5", b"hello"), hits(1)
    yield "6.2", "length 0", of(b" 0"), hits(1)
    yield "6.3", "POST without length or coding has no body", post(), hits(1)
    yield "6.3", "what looks like a request in a body is none", of(b" %d" % len(request()), request()), hits(1)
    yield "6.2", "GET with a body: read, not taken for a request", request(b"Content-Length: 5", body=b"GET /"), hits(1)
    yield "6.2", "leading zeros are decimal", of(b" 0005", b"hello"), hits(1)
    yield "9110 5.5", "blanks around a length", of(b"  5 \t", b"hello"), hits(1)
    yield "9110 8.6", "a sign", of(b" +5", b"hello"), BAD
    yield "9110 8.6", "negative", of(b" -5"), BAD
    yield "9110 8.6", "minus zero", of(b" -0"), BAD
    yield "9110 8.6", "not a number", of(b" abc"), BAD
    yield "9110 8.6", "hexadecimal", of(b" 0x5", b"hello"), BAD
    yield "9110 8.6", "a fraction", of(b" 5.0", b"hello"), BAD
    yield "9110 8.6", "a blank inside", of(b" 1 0", b"helloworld"), BAD
    yield "9110 8.6", "an underscore", of(b" 1_0", b"helloworld"), BAD
    yield "9110 8.6", "empty", of(b""), BAD
    yield "9110 8.6", "a list of different lengths", of(b" 5, 6", b"hello"), BAD
    yield "9110 8.6", "a list of the same length", of(b" 5, 5", b"hello"), BAD
    yield "9110 8.6", "Arabic digits", post("Content-Length: ٥".encode(), body=b"hello"), BAD
    yield "6.3", "two lengths", post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello"), BAD
    yield "6.3", "the same length twice", post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), BAD
    yield "9110 15.5.14", "larger than any number", of(b" 99999999999999999999999"), refused(413)
    yield "9110 15.5.14", "more than --max-body-bytes", of(b" 65537"), refused(413)


def coding():
    def of(*values, body=CHUNKS):
        return post(*[b"Transfer-Encoding:" + value for value in values], body=body)

    yield "7.1", "chunked", of(b" chunked"), hits(1)
    yield "7", "its name in any case", of(b" ChUnKeD"), hits(1)
    yield "9110 5.6.1", "empty elements of a list are skipped", of(b" , chunked,"), hits(1)
    yield "9110 5.5", "a tab before it", of(b"\tchunked"), hits(1)
    yield "6.1", "with Content-Length", post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS), BAD
    yield "6.1", "Content-Length behind it", post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKS), BAD
    yield "6.1", "a request smuggled behind the two", post(b"Content-Length: 6", b"Transfer-Encoding: chunked",
                                                          body=b"0\r\n\r\n" + request()), BAD
    yield "6.1", "in HTTP/1.0", request(b"Transfer-Encoding: chunked", line=b"POST " + PATH + b" HTTP/1.0",
                                        body=CHUNKS), BAD
    yield "6.1", "an unknown coding before chunked", of(b" gzip, chunked"), refused(501)
    yield "6.3", "chunked is not the last", of(b" chunked, gzip"), BAD
    yield "6.3", "an unknown coding alone", of(b" gzip"), BAD
    yield "7", "identity is no coding any more", of(b" identity"), BAD
    yield "6.1", "chunked twice", of(b" chunked, chunked"), BAD
    yield "6.1", "chunked twice, in two fields", of(b" chunked", b" chunked"), BAD
    yield "6.1", "an empty value", of(b""), BAD
    yield "7", "parameters", of(b" chunked;q=1"), BAD
    yield "7", "in quotes", of(b' "chunked"'), BAD
    yield "9110 5.5", "a vertical tab before it", of(b" \x0bchunked"), BAD
    yield "9110 5.5", "a form feed before it", of(b" \x0cchunked"), BAD
    yield "9110 5.5", "a NUL behind it", of(b" chunked\x00"), BAD
    yield "5.1", "a space before its colon", post(b"Transfer-Encoding : chunked", body=CHUNKS), BAD
    yield "5", "Transfer_Encoding is another name", post(b"Transfer_Encoding: chunked", b"Content-Length: 3",
                                                        body=b"abc"), hits(1)


def chunks():
    yield "7.1", "several chunks", chunked(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), hits(1)
    yield "7.1", "no chunk but the last", chunked(b"0\r\n\r\n"), hits(1)
    yield "7.1", "sizes in upper and lower case", chunked(b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), hits(1)
    yield "7.1", "leading zeros", chunked(b"0003\r\nabc\r\n000\r\n\r\n"), hits(1)
    yield "7.1.1", "an extension", chunked(b"3;x\r\nabc\r\n0;y=z\r\n\r\n"), hits(1)
    yield "7.1.1", "an extension in quotes", chunked(b'3;x="a;\\"\tb"\r\nabc\r\n0\r\n\r\n'), hits(1)
    yield "7.1.1", "blanks around ; and =", chunked(b"3 ; x = y\r\nabc\r\n0\r\n\r\n"), hits(1)
    yield "7.1.2", "a trailer", chunked(b"3\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n"), hits(1)
    yield "9110 6.5.1", "Content-Length in a trailer means nothing", chunked(b"0\r\nContent-Length: 99\r\n\r\n"), hits(1)
    yield "9110 6.5.1", "Transfer-Encoding in a trailer, too", chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), hits(1)
    yield "9110 6.5.1", "Host in a trailer, too", chunked(b"0\r\nHost: other\r\n\r\n"), hits(1)
    for rule, body in {
        "a size that is no number": b"xyz\r\nabc\r\n0\r\n\r\n", "an empty size": b"\r\nabc\r\n0\r\n\r\n",
        "0x": b"0x3\r\nabc\r\n0\r\n\r\n", "a sign": b"+3\r\nabc\r\n0\r\n\r\n", "negative": b"-3\r\nabc\r\n0\r\n\r\n",
        "an underscore": b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n", "a blank before a size": b" 3\r\nabc\r\n0\r\n\r\n",
        "a blank behind a size": b"3 \r\nabc\r\n0\r\n\r\n", "a size of 17 digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
        "longer than its size": b"3\r\nabcd\r\n0\r\n\r\n", "no line end behind the data": b"3\r\nabc0\r\n\r\n",
        "a bare LF behind a size": b"3\nabc\r\n0\r\n\r\n", "a bare LF behind the data": b"3\r\nabc\n0\r\n\r\n",
        "a bare CR behind a size": b"3\rabc\r\n0\r\n\r\n", "a bare LF behind the last chunk": b"3\r\nabc\r\n0\n\n",
        "a bare LF behind a trailer": b"0\r\nX: y\n\r\n",
    }.items():
        yield "7.1", "chunks: " + rule, chunked(body), BAD
    for rule, body in {
        "; and no name": b"3;\r\nabc\r\n0\r\n\r\n", "no token": b"3;[\r\nabc\r\n0\r\n\r\n",
        "= and no value": b"3;x=\r\nabc\r\n0\r\n\r\n", "a quote that does not end": b'3;x="a\r\nabc\r\n0\r\n\r\n',
        "a NUL": b"3;x\x00\r\nabc\r\n0\r\n\r\n", "a bare CR": b"3;x\ry\r\nabc\r\n0\r\n\r\n",
        "a bare LF": b"3;x\nabc\r\n0\r\n\r\n",
    }.items():
        yield "7.1.1", "chunk extension: " + rule, chunked(body), BAD
    yield "7.1.2", "a trailer without a colon", chunked(b"0\r\nX\r\n\r\n"), BAD
    yield "7.1.2", "a folded trailer", chunked(b"0\r\nX: y\r\n z\r\n\r\n"), BAD
    yield "7.1.2", "a space before a trailer's colon", chunked(b"0\r\nX : y\r\n\r\n"), BAD


def connection():
    http10 = b"GET " + PATH + b" HTTP/1.0"
    yield "9.3", "two requests, one behind the other", request() * 2, ((204, 204), 2, True)
    yield "9.3", "Connection: close", request(b"Connection: close"), ends(), {"connection": "close"}
    yield "9.3", "close in a list, in any case", request(b"Connection: foo ,CLOSE,"), ends(), {"connection": "close"}
    yield "9.3", "close in the second of two fields", request(b"Connection: foo", b"Connection: close"), ends()
    yield "9.3", "close wins over keep-alive", request(b"Connection: keep-alive, close"), ends()
    yield "9.3", "another option only", request(b"Connection: closed"), hits(1)
    yield "9.3", "HTTP/1.0 ends by itself", request(line=http10), ends(), {"connection": "close"}
    yield "9.3", "HTTP/1.0 with keep-alive", request(b"Connection: Keep-Alive", line=http10), hits(1), \
        {"connection": "keep-alive"}
    yield "9.3", "HTTP/1.0 with keep-alive and close", request(b"Connection: keep-alive, close", line=http10), ends()
    yield "9110 7.6.1", "options that Connection names are ignored", request(b"Connection: Host, X", b"X: y"), hits(1)
    yield "9110 7.8", "Upgrade to what is not known", request(b"Connection: Upgrade", b"Upgrade: foo/2"), hits(1)
    yield "9110 7.8", "Upgrade to WebSocket", request(b"Connection: Upgrade", b"Upgrade: websocket",
                                                     b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: eA=="), hits(1)
    yield "9110 7.8", "Upgrade to h2c", request(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                                               b"HTTP2-Settings: AAMAAABk"), hits(1)


def methods():
    def method(name, path=PATH):
        return line(name + b" " + path + b" HTTP/1.1")

    for name in (b"PUT", b"DELETE", b"PATCH", b"TRACE"):
        yield "9110 15.5.6", f"{name.decode()}: 405 with Allow", method(name), says(405), ALLOW
    yield "9110 15.5.6", "GET of what takes POST only", method(b"GET", b"/v1/hits"), says(405), {"allow": "POST"}
    yield "9110 15.5.6", "PUT with a body: it is read", request(b"Content-Length: 5", body=b"hello", line=b"PUT " + PATH +
                                                              b" HTTP/1.1"), says(405), ALLOW
    yield "9110 15.6.2", "an unknown method anywhere", method(b"BREW", b"/nope"), says(501)
    yield "9110 9.3.7", "OPTIONS of a path", method(b"OPTIONS"), says(204), ALLOW
    yield "9110 9.3.7", "OPTIONS with a body", request(b"Content-Length: 5", body=b"hello", line=b"OPTIONS " + PATH +
                                                      b" HTTP/1.1"), says(204), ALLOW
    yield "Fetch 3.2", "a CORS preflight", request(
        b"Origin: https://example.org", b"Access-Control-Request-Method: POST",
        b"Access-Control-Request-Headers: content-type", line=b"OPTIONS " + PATH + b" HTTP/1.1"), says(204), \
        {"access-control-allow-methods": "POST", "access-control-allow-origin": "*"}
    yield "9110 9.3.2", "HEAD has no body and counts nothing", method(b"HEAD"), says(204), {}, b"", True
    yield "9110 9.3.2", "HEAD of a page has its length", method(b"HEAD", b"/"), says(200), {"content-length": ""}, b"", True
    yield "9110 9.3.2", "HEAD with a body", request(b"Content-Length: 5", body=b"hello", line=b"HEAD / HTTP/1.1"), \
        says(200), {}, b"", True
    yield "9110 9.3.2", "HEAD that is refused has no body either", request(b"Host: t", line=b"HEAD / HTTP/1.1"), BAD, {}, b"", True
    yield "9110 9.3.2", "HEAD with a body that is refused", request(b"Transfer-Encoding: chunked", line=b"HEAD / HTTP/1.1",
                                                                 body=b"zz\r\n"), BAD, {}, b"", True
    yield "9110 15.5.5", "no such path", method(b"GET", b"/nope"), says(404)


def expect():
    def of(value, body, **more):
        return post(b"Expect: " + value, b"Content-Length: 5", body=body, **more)

    yield "9110 10.1.1", "100-continue, told to go on", of(b"100-continue", b""), ((100, 204), 1, True), {}, b"hello"
    yield "9110 10.1.1", "100-continue in any case", of(b"100-Continue", b""), ((100, 204), 1, True), {}, b"hello"
    yield "9110 10.1.1", "not when the body is there already", of(b"100-continue", b"hello"), hits(1)
    yield "9110 10.1.1", "nor without a body", request(b"Expect: 100-continue"), hits(1)
    yield "9110 10.1.1", "nor to HTTP/1.0", request(b"Expect: 100-continue", b"Content-Length: 5",
                                                    line=b"POST " + PATH + b" HTTP/1.0"), ends(), {}, b"hello"
    yield "9110 10.1.1", "another expectation", of(b"tea", b""), refused(417)
    yield "9110 10.1.1", "too large: the answer comes at once", post(b"Expect: 100-continue",
                                                                  b"Content-Length: 70000"), refused(413)


def limits():
    yield "9110 15.5.15", "a request line over its limit", line(b"GET /v1/hit/c/" + b"k" * 9000 + b" HTTP/1.1"), refused(414)
    yield "9110 15.5.15", "a key over its limit", line(b"GET /v1/hit/c/" + b"k" * 257 + b" HTTP/1.1"), says(400)
    yield "RFC 6585 5", "a header over its limit", request(b"X: " + b"y" * 20000), refused(431)
    yield "RFC 6585 5", "more than 100 fields", request(*[b"X: y"] * 101), refused(431)
    yield "DESIGN", "100 fields", request(*[b"X: y"] * 99), hits(1)
    yield "9110 15.5.14", "chunks that add up to too much", chunked((b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3), refused(413)
    yield "9110 15.5.14", "a chunk that says it is huge", chunked(b"FFFFFFFFFFFFFFFF\r\n"), refused(413)
    yield "7.1.1", "an extension without end", chunked(b"1;" + b"e" * 9000 + b"\r\nx\r\n0\r\n\r\n"), BAD
    yield "7.1.1", "many small extensions", chunked(b"1;abcdef\r\nx\r\n" * 1000), BAD
    yield "7.1.2", "a trailer without end", chunked(b"0\r\nX: " + b"y" * 9000), BAD


def answers():
    yield "9110 6.6.1", "Date", request(), hits(1), {"date": "GMT"}
    yield "9110 8.6", "no Content-Length in a 204", request(), hits(1), {"content-length": None}
    yield "9110 8.3", "Content-Type where there is content", line(b"GET / HTTP/1.1"), ((200,), 0, True), \
        {"content-type": "text/html"}
    yield "9.6", "an error answer says that it is the last", request(b"X : y"), BAD, {"connection": "close"}
    yield "9110 14.2", "Range is ignored", post(b"Range: bytes=0-1"), hits(1)
    yield "9110 12.5.1", "an Accept that fits nothing is ignored", request(b"Accept: nonsense/*;q=x"), hits(1)
    yield "Fetch 3.2", "Access-Control-Allow-Origin", request(b"Origin: https://example.org"), hits(1), \
        {"access-control-allow-origin": "*"}


def fragments():
    """Nothing is answered, and nothing counted, before a request is whole."""
    whole = request()
    for end in (b"G", b"GET", b"GET ", b"GET /v1", b" ", b" HTTP", b"HTTP/1.1", b"HTTP/1.1\r", b"HTTP/1.1\r\n", b"\nHos",
                b"Host:", b"Host: ", b"Host: t", b"Host: t\r", b"Host: t\r\n", b"\r\n\r"):
        at = whole.rindex(end) + len(end) if end != b" " else whole.index(PATH) + len(PATH) + 1
        yield "2.1", f"cut behind {whole[:at][-8:]!r}"[:60], whole[:at], hits(1), {}, whole[at:]
    body = post(b"Content-Length: 5", body=b"hello")
    yield "6.2", "cut in a body", body[:-2], hits(1), {}, body[-2:]
    for cut in (1, 2, 4, 5, 7, 8, 9, 11, 12):
        yield "7.1", f"cut behind {CHUNKS[:-cut]!r}", chunked(CHUNKS[:-cut]), hits(1), {}, CHUNKS[-cut:]


CASES = [Case(section, rule, sent, *outcome, *more) for section, rule, sent, outcome, *more in rows()]
