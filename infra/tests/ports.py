"""Ports for servers that a test starts."""
import socket

_held = []


def free_port():
    """Ours until this process ends: its holder is bound and never listens, so nobody else is given the port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    return holder.getsockname()[1]
