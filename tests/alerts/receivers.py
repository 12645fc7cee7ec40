"""A web server and a mail server on this machine that keep what they get."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Got:
    """What came in; ``status`` is what the web server answers."""

    url: str = ""
    status: int = 200
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # commands with a password


@contextmanager
def web() -> Iterator[Got]:
    got = Got()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.calls.append((dict(self.headers), body))
            self.send_response(got.status)
            if got.status == 302:
                self.send_header("Location", got.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    got.url = f"http://127.0.0.1:{server.server_port}/token-of-the-hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail(tls: ssl.SSLContext | None = None) -> Iterator[Got]:
    """A mail server; with ``tls`` it offers STARTTLS."""
    got = Got()
    listener = socket.create_server(("127.0.0.1", 0))
    got.url = f"smtp://127.0.0.1:{listener.getsockname()[1]}"

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", buffering=0) as stream:
                stream.write(b"220 stub\r\n")
                if _talk(stream, got, offers=tls is not None) and tls is not None:
                    with (
                        suppress(OSError),
                        tls.wrap_socket(connection, server_side=True) as safe,
                        safe.makefile("rwb", buffering=0) as inner,
                    ):
                        _talk(inner, got)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield got
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _talk(stream, got: Got, *, offers: bool = False) -> bool:  # type: ignore[no-untyped-def]
    """Answer until the end; whether the other side wants to go on encrypted."""
    while line := stream.readline():
        word = line[:4].upper()
        if word == b"EHLO":
            stream.write(b"250-stub\r\n250 STARTTLS\r\n" if offers else b"250-stub\r\n250 AUTH PLAIN\r\n")
            continue
        if word == b"STAR":
            stream.write(b"220 go\r\n")
            return True
        if word == b"AUTH":
            got.words.append("AUTH")
            stream.write(b"235 ok\r\n")
            continue
        if word == b"DATA":
            stream.write(b"354 go\r\n")
            lines = []
            while (part := stream.readline()) != b".\r\n":
                lines.append(part.decode())
            got.mails.append("".join(lines))
        stream.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
        if word == b"QUIT":
            return False
    return False


def certificate(folder: Path) -> ssl.SSLContext:
    """A server that proves to be 127.0.0.1 with ``server.pem`` of a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(made.public_bytes(Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        return int(once.getsockname()[1])
