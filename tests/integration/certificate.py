"""Certificates for tests, made with openssl."""

import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *[str(argument) for argument in arguments]], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Signs certificates; `certificate` is the file to be trusted."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", 30, "-subj", f"/CN={name}", "-keyout", self.key,
                 "-out", self.certificate)

    def sign(self, name, alternative="IP:127.0.0.1", expired=False):
        """A server's certificate and key."""
        request = self.folder / f"{name}.csr"
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n", encoding="utf-8")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                 "-CAcreateserial", "-days", -1 if expired else 30, "-extfile", extensions,
                 "-out", certificate)
        return certificate, key
