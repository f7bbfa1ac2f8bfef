"""Certificates, keys and authorities may be replaced while tallyd runs. Those that cannot be used change nothing."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from harness import checker, wait
from harness.certificates import Authority
from harness.tls_redis import TlsRedis


class Mutual:
    """A server that asks for certificates, and a tallyd that has one, with files that a test replaces."""

    def __init__(self, lab, folder):
        self._folder, self._count = folder, 0
        self.authority = Authority(folder, "first")
        self.redis = TlsRedis(lab, self.authority, clients="yes")
        files = ("ca.pem", "client.pem", "client.key")
        self.ca, self.cert, self.key = (str(folder / name) for name in files)
        self.put(*self.client())
        self.tallyd = lab.tallyd(self.redis, redis_ca=self.ca, redis_cert=self.cert, redis_key=self.key)

    def client(self):
        """(certificate, key) of a new client."""
        self._count += 1
        return self.authority.leaf(f"client{self._count}", "DNS:tallyd")

    def put(self, cert, key, authority=None):
        """As Kubernetes and certbot do: another file in the place of the one before."""
        for source, target in ((authority or self.authority.cert, self.ca), (cert, self.cert), (key, self.key)):
            shutil.copy(source, target + ".next")
            os.replace(target + ".next", target)

    def serve(self, authority):
        """The server shows a certificate of this authority and takes none of another; all links end."""
        cert, key = authority.leaf("server", "IP:127.0.0.1,DNS:localhost")
        self.redis.plain.command("CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key, "tls-ca-cert-file", authority.cert)
        self.end_links()
        self.authority = authority

    def end_links(self):
        self.redis.plain.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def said(self, needle, times=1):
        wait.until(lambda: len(self.tallyd.log_lines(needle)) >= times, f"the log says {needle} {times} times", 20)

    def stored_by_now(self, value):
        self.tallyd.hit("tls", "rotated")
        wait.until(lambda: self.redis.stored(b"tls:rotated") == value, f"{value} hits are stored", 30)


def test_files_that_were_replaced_are_read_after_sighup_and_when_they_change(lab, tmp_path):
    mutual = Mutual(lab, tmp_path)
    mutual.stored_by_now(1)
    mutual.serve(Authority(tmp_path, "second"))
    mutual.said("certificate was refused")
    mutual.put(*mutual.client())
    mutual.said("tls_files_read")
    mutual.stored_by_now(2)
    os.kill(mutual.tallyd.pid, signal.SIGHUP)
    mutual.said("tls_files_read", 2)
    mutual.stored_by_now(3)


@pytest.mark.parametrize("broken", ["emptied", "cut", "another key", "missing", "for everybody", "a folder", "encrypted"])
def test_files_that_cannot_be_used_change_nothing_and_are_named(lab, tmp_path, broken):
    mutual = Mutual(lab, tmp_path)
    mutual.stored_by_now(1)
    named = mutual.ca if broken in ("emptied", "cut", "for everybody") else mutual.key
    if broken in ("emptied", "cut"):
        text = Path(mutual.ca).read_text("ascii")
        Path(mutual.ca + ".next").write_text(text[:len(text) // 2] if broken == "cut" else "", "ascii")
        os.replace(mutual.ca + ".next", mutual.ca)
    elif broken == "for everybody":
        os.chmod(mutual.ca, 0o666)
    elif broken == "another key":
        shutil.copy(mutual.client()[1], mutual.key)
    elif broken == "encrypted":
        subprocess.run(["openssl", "ec", "-in", mutual.client()[1], "-aes256", "-passout", "pass:nobody-knows", "-out", mutual.key],
                       check=True, capture_output=True)
    else:
        os.remove(mutual.key)
        if broken == "a folder":
            os.mkdir(mutual.key)
    mutual.said("tls_files_kept")
    assert named in mutual.tallyd.log_lines("tls_files_kept")[0]
    os.kill(mutual.tallyd.pid, signal.SIGHUP)
    mutual.stored_by_now(2)
    said = [line.split("error=")[1] for line in mutual.tallyd.log_lines("tls_files_kept")]
    assert len(said) == len(set(said)), "each reason once"
    if broken == "a folder":
        os.rmdir(mutual.key)
    os.chmod(mutual.ca, 0o644)
    mutual.put(*mutual.client())
    mutual.said("tls_files_read")
    mutual.end_links()
    mutual.stored_by_now(3)


@pytest.mark.short
def test_authority_and_certificates_rotate_under_load_and_every_hit_is_stored_once(lab, tmp_path):
    """First trust both, then change the server, then the client, then forget the old: as certificates are rotated."""
    mutual = Mutual(lab, tmp_path)
    second, both = Authority(tmp_path, "second"), tmp_path / "both.pem"
    both.write_text(Path(mutual.authority.cert).read_text("ascii") + Path(second.cert).read_text("ascii"), "ascii")
    load = lab.load(mutual.tallyd, rate=500)
    mutual.stored_by_now(1)
    mutual.put(*mutual.client(), authority=both)
    mutual.end_links()
    mutual.stored_by_now(2)
    mutual.serve(second)
    mutual.put(*mutual.client(), authority=both)
    mutual.stored_by_now(3)
    mutual.put(*mutual.client())
    os.kill(mutual.tallyd.pid, signal.SIGHUP)
    mutual.end_links()
    mutual.stored_by_now(4)
    load.stop()
    checker.wait_drained(mutual.tallyd)
    checker.check_exact(mutual.redis.plain, [load], {b"tls:rotated": 4})
