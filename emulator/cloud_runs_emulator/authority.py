"""A certificate authority of this process alone, for SDKs that insist on https: made at the start, gone at the end.

It is made with the `openssl` command, which nearly every system has. Its key is in a folder that only the user may
read, and the folder is removed when the process ends.
"""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

_DAYS = "30"
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_SUBJECT = 64  # the longest common name
_CONFIG = """\
[req]
distinguished_name = name
prompt = no
x509_extensions = authority
[name]
CN = cloud-runs-emulator, this process only
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""
_HOST_CONFIG = """\
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = serverAuth
subjectAltName = DNS:{host}
"""
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class NoAuthority(Exception):
    """It cannot be made; the text says why."""


class Authority:
    """Gives a certificate to each host that is asked for. Safe for threads."""

    def __init__(self) -> None:
        """Raises NoAuthority."""
        self._folder = Path(tempfile.mkdtemp(prefix="cloud-runs-emulator-"))  # of mode 0700
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        try:
            (self._folder / "ca.cnf").write_text(_CONFIG)
            self._openssl(
                "req", "-x509", *_KEY, "-days", _DAYS, "-config", "ca.cnf", "-keyout", "ca.key", "-out", "ca.pem"
            )
        except NoAuthority:
            self.close()
            raise

    @property
    def certificate(self) -> Path:
        """The file that clients are to trust."""
        return self._folder / "ca.pem"

    def context(self, host: str) -> ssl.SSLContext:
        """TLS as that host. Raises NoAuthority for what is no host name."""
        if not _HOST.fullmatch(host):
            raise NoAuthority(f"{host[:100]!r} is not the name of a host")
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._made(host.lower())
            return self._contexts[host]

    def close(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _made(self, host: str) -> ssl.SSLContext:
        (self._folder / "host.cnf").write_text(_HOST_CONFIG.format(host=host))
        subject = f"/CN={host[:_SUBJECT]}"
        self._openssl("req", *_KEY, "-config", "ca.cnf", "-subj", subject, "-keyout", "host.key", "-out", "host.csr")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "host.cnf")
        self._openssl("x509", "-req", "-in", "host.csr", *signed, "-days", _DAYS, "-sha256", "-out", "host.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "host.pem", self._folder / "host.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        try:
            done = subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, text=True, timeout=60)
        except OSError as error:
            raise NoAuthority(f"--tls needs the command openssl: {error.strerror}") from None
        if done.returncode:
            raise NoAuthority(f"openssl {arguments[0]} failed: {' '.join(done.stderr.split())[:300]}")
