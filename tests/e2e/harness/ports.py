"""Free TCP ports that stay ours.

A port is held by a socket that is bound but never listens. So neither another test nor the kernel, choosing a port
for an outgoing connection, can take it while its server is down. Servers bind beside it (SO_REUSEADDR or SO_REUSEPORT);
a connection made meanwhile is refused, as it would be without the holder.
"""

import socket

HOST = "127.0.0.1"


class Port:
    def __init__(self):
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind((HOST, 0))
        self.number = self._holder.getsockname()[1]

    def release(self):
        self._holder.close()
