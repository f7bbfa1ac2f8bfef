"""Real proxies in front of a tallyd, each with the few lines that its users write."""

import os
import shutil

from . import wait
from .http_client import fetch
from .ports import HOST, Port
from .process import Process

_HAPROXY = """defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend front
    bind {host}:{port}
    default_backend back
backend back
    option forwardfor
    server tallyd {host}:{to}
"""
_NGINX = """daemon off; pid nginx.pid; error_log stderr; worker_processes 1; user root root;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://{host}:{to}{uri};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""
_APACHE = """ServerName front
Listen {host}:{port}
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/apache.log"
DefaultRuntimeDir "{folder}"
Mutex "file:{folder}"
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
User www-data
ProxyPass "/" "http://{host}:{to}/"
"""
_VARNISH = """vcl 4.1;
backend tallyd {{ .host = "{host}"; .port = "{to}"; }}
sub vcl_recv {{ return (pass); }}
"""
_APACHE_MODULES = "/usr/lib/apache2/modules"


def _program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _haproxy(folder, **values):
    path = _write(folder, "haproxy.cfg", _HAPROXY.format(**values))
    return [_program("haproxy"), "-db", "-f", path]


def _nginx(folder, uri="", **values):
    path = _write(folder, "nginx.conf", _NGINX.format(uri=uri, **values))
    return [_program("nginx"), "-p", folder, "-c", path]


def _nginx_with_uri(folder, **values):
    return _nginx(folder, uri="/", **values)


def _apache(folder, **values):
    path = _write(folder, "apache.conf", _APACHE.format(folder=folder, modules=_APACHE_MODULES, **values))
    return [_program("apache2"), "-D", "FOREGROUND", "-d", folder, "-f", path]


def _varnish(folder, host, port, to):
    path = _write(folder, "front.vcl", _VARNISH.format(host=host, to=to))
    return [_program("varnishd"), "-F", "-j", "none", "-n", os.path.join(folder, "varnish"), "-a", f"{host}:{port}", "-f", path, "-s", "malloc,16m"]


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


# name → (program, command of it)
KINDS = {"haproxy": ("haproxy", _haproxy), "nginx": ("nginx", _nginx), "nginx with a URI": ("nginx", _nginx_with_uri),
         "apache": ("apache2", _apache), "varnish": ("varnishd", _varnish)}
MISSING = sorted({program for program, _ in KINDS.values() if not _program(program)})


class FrontProxy:
    """Listens on `port` and sends what comes to `to`."""

    def __init__(self, folder, kind, to):
        self._port = Port()
        self.port = self._port.number
        self.folder = os.path.join(folder, f"{kind.replace(' ', '-')}-{self.port}")
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        command = KINDS[kind][1](self.folder, host=HOST, port=self.port, to=to)
        self._process = Process(command, self.folder, "proxy")
        wait.until(self._answers, f"{kind} answers", 30)

    def _answers(self):
        assert self._process.code is None, self._process.err()[-2000:]
        try:
            return fetch(self.port, "/", timeout=5).status == 200
        except OSError:
            return False

    def close(self):
        self._process.signal(15)
        self._process.join()
        self._port.release()
