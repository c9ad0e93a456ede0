"""Certificates that are right or wrong in one way each, and a real HTTPS server that bears one and notes who reached it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WRONG = ("of another host", "expired", "of an unknown authority", "self-signed", "none at all")
DAY = timedelta(days=1)


class Authority:
    def __init__(self, folder: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.file = folder / f"{name}.pem"
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, folder: Path, *, host: str = "127.0.0.1", expired: bool = False, self_signed: bool = False) -> Path:
        """Key and certificate in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named("leaf")
        alternative = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = (
            _builder(subject, subject if self_signed else self._name, key, ended=expired)
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .sign(key if self_signed else self._key, hashes.SHA256())
        )
        file = folder / f"leaf-{host}-{expired}-{self_signed}-{id(self)}.pem"
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return file


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate: Path | None) -> None:
        self.asked: list[str] = []
        """Requests that arrived, with their Authorization."""
        super().__init__(("127.0.0.1", 0), _Answers)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """https, whatever the server speaks."""
        return f"https://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Handshakes fail here on purpose."""


class _Answers(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
        body = json.dumps({"files": [], "items": [], "message": "reached"}).encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(certificate: Path | None) -> Iterator[Server]:
    with Server(certificate) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def wrong(kind: str, trusted: Authority, folder: Path) -> Path | None:
    """A certificate that is wrong in this way alone; None: the server speaks plain HTTP."""
    if kind == "of another host":
        return trusted.issue(folder, host="other.example.com")
    if kind == "expired":
        return trusted.issue(folder, expired=True)
    if kind == "of an unknown authority":
        return Authority(folder, "unknown").issue(folder)
    return trusted.issue(folder, self_signed=True) if kind == "self-signed" else None


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, ended: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now - DAY if ended else now + DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
