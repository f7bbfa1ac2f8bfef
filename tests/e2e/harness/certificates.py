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
        """(certificate, key) for subjectAltName `alternative`, such as "IP:127.0.0.1"; None: only the subject has `name`.
        days=-1: expired yesterday."""
        cert, key, request, extensions = (self._path(f"{name}.{end}") for end in ("pem", "key", "csr", "ext"))
        with open(extensions, "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={alternative}\n" if alternative else "basicConstraints=CA:FALSE\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        if days < 0:
            self._expired(request, extensions, cert)
        else:
            _openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                     "-days", str(days), "-extfile", extensions, "-out", cert)
        return cert, key

    def _expired(self, request, extensions, cert):
        """By ca(1), which takes dates; x509(1) refuses to end before it begins from OpenSSL 3.5 on."""
        config = self._path("ca.cnf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[ca]\ndefault_ca=own\n[own]\ndatabase={self._path('index')}\nserial={self._path('serial')}\n"
                       f"new_certs_dir={self.folder}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        for name, text in (("index", ""), ("serial", "01\n")):
            with open(self._path(name), "w", encoding="utf-8") as file:
                file.write(text)
        _openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.cert, "-keyfile", self._key, "-in", request,
                 "-extfile", extensions, "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", cert)
