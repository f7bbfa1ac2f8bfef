"""Certificates for tests, made by openssl(1): an authority, and leaves signed by it."""

import os
import subprocess


def _openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name):
        self.folder = os.path.join(str(folder), name)
        os.makedirs(self.folder)
        self.cert, self._key = self._path("ca.pem"), self._path("ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.cert)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def leaf(self, name, alternative, days=1):
        """(certificate, key) for subjectAltName `alternative`, such as "IP:127.0.0.1"; days=-1: expired yesterday."""
        cert, key, request, extensions = (self._path(f"{name}.{end}") for end in ("pem", "key", "csr", "ext"))
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternative}\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                 "-days", str(days), "-extfile", extensions, "-out", cert)
        return cert, key
