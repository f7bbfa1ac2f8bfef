"""Plays one case to a server: what is wrong with its answers, or None.

A hit with "Connection: close" follows whatever is sent. So the server ends every connection, and no time limit decides:
where the connection should go on, that hit is answered and counted; where it should have ended, it is not.
"""

from harness.http_client import BadAnswer, HttpConnection, parse_head

from .cases import request

LAST = request(b"Connection: close")


def _answers(text, head):
    """All answers in the bytes of a connection, in strict form; the first is one to HEAD, when `head`."""
    found = []
    while text:
        start, end, text = text.partition(b"\r\n\r\n")
        if not end:
            raise BadAnswer(f"bytes that are no answer: {start[:100]!r}")
        found.append(parse_head(start))
        body_bytes = found[-1].body_bytes("HEAD" if head and len(found) == 1 else "GET")
        if len(text) < body_bytes:
            raise BadAnswer("a body is cut short")
        text = text[body_bytes:]
    return found


def _talk(server, case):
    """All that came back."""
    with HttpConnection(server.port) as connection:
        early = b""
        connection.send(case.request if case.rest else case.request + LAST)
        if case.rest:
            if case.statuses[0] == 100:
                connection.answer()
                early = b"HTTP/1.1 100 Continue\r\n\r\n"
            else:
                early = _what_came(server, connection)
            connection.send(case.rest + LAST)
        return early + connection.rest()


def _what_came(server, connection):
    """By the time that the server, which has one worker, has answered somebody who came later."""
    assert server.fetch("/nope").status == 404
    connection.sock.setblocking(False)
    try:
        return b"(early) " + connection.sock.recv(1000)
    except BlockingIOError:
        return b""
    finally:
        connection.sock.settimeout(20)


def _wrong_field(case, answers):
    for name, text in case.fields.items():
        value = answers[len(case.statuses) - 1][name]
        if (value is not None) if text is None else (value is None or text not in value):
            return f"{name}: {value}"
    return None


def _counted(server):
    return server.metrics()["hits_accepted_total"]


def wrong(server, case):
    before = _counted(server)
    try:
        answers = _answers(_talk(server, case), case.head)
    except (BadAnswer, OSError) as error:
        return f"{error}"
    statuses = tuple(answer.status for answer in answers)
    if statuses != case.statuses + ((204,) if case.open else ()):
        return f"{statuses}"
    if not answers[-1].close:
        return "the last answer does not say close"
    counted = _counted(server) - before - case.open
    return _wrong_field(case, answers) or (f"{counted:.0f} counted" if counted != case.counted else None)
