"""A web site of a test: pages by path, with headers of their own, on a port and so of an origin of its own."""

import http.server
import socket
import threading


class Site:
    """pages: path → body, or (body, {header: value}); a path that is not there gets `default`."""

    def __init__(self, default, pages=(), host="127.0.0.1"):
        self.pages = dict(pages)
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802: http.server's name
                page = site.pages.get(self.path, default)
                text, fields = page if isinstance(page, tuple) else (page, {})
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

        self._server = Server((host, 0), Handler)
        self.url = f"http://[{host}]:{self._server.server_port}" if ":" in host else f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
