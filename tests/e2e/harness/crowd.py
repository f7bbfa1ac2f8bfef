"""Many connections of one client that sends and does not care: what attacks are made of."""

import errno
import selectors
import socket

from .ports import HOST

_STEP = 512  # connections under way at once


class Crowd:
    """Connections that each send what `text` says, as far as the server takes it, and read nothing."""

    def __init__(self, port):
        self._port = port
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for sock in self.sockets:
            sock.close()
        self.sockets = []

    def join(self, count, text, receive_buffer=None):
        """So many more; returns how many of them could send all of it."""
        whole = 0
        for start in range(0, count, _STEP):
            whole += self._join(min(_STEP, count - start), memoryview(text), receive_buffer)
        return whole

    def _join(self, count, text, receive_buffer):
        selector, whole = selectors.DefaultSelector(), 0
        for _ in range(count):
            selector.register(self._connect(receive_buffer), selectors.EVENT_WRITE, 0)
        while selector.get_map():
            events = selector.select(timeout=0.2)
            if not events:
                break  # the server reads them no further
            for key, _ in events:
                sent = _send(key.fileobj, text[key.data:])
                if sent is None or key.data + sent == len(text):
                    whole += sent is not None
                    selector.unregister(key.fileobj)
                else:
                    selector.modify(key.fileobj, selectors.EVENT_WRITE, key.data + sent)
        selector.close()
        return whole

    def _connect(self, receive_buffer):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        code = sock.connect_ex((HOST, self._port))
        assert code in (0, errno.EINPROGRESS), errno.errorcode[code]
        self.sockets.append(sock)
        return sock


def _send(sock, data):
    """How many bytes went; None: the server has ended the connection."""
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return None
