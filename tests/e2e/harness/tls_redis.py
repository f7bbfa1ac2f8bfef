"""A redis-server with a plain port for the test and a TLS port for tallyd."""

from .ports import HOST, Port


class TlsRedis:
    def __init__(self, lab, authority, alternative="IP:127.0.0.1,DNS:localhost", days=1, clients="no", host=HOST, settings=(),
                 name="server", **options):
        self._port = Port()
        cert, key = authority.leaf(name, alternative, days)
        self.plain = lab.redis(settings=(
            *settings, f"tls-port {self._port.number}", f'tls-cert-file "{cert}"', f'tls-key-file "{key}"',
            f'tls-ca-cert-file "{authority.cert}"', f"tls-auth-clients {clients}"), **options)
        self.port = self._port.number
        self.url = f"rediss://{host}:{self.port}"
        self.password = self.plain.password

    def stored(self, key):
        return self.plain.read_all(b"tally:").get(key)


class At:
    """The same server under another URL."""

    def __init__(self, redis, url):
        self.url, self.password = url, redis.password
