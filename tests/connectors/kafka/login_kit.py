"""What the tests of logins share: a server of tokens, certificates that are wrong in one way each, and stores of Java."""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "store-secret"  # noqa: S105
CLIENT, SECRET = "reader", "token-server-secret"
KEY = "dGVzdC1vbmx5LWtleQ=="
STRING = (
    "Endpoint=sb://tailrace.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey="
    + KEY
)
"""The connection string that the broker takes in the place of Event Hubs."""


class Issuer:
    """Makes tokens that the broker believes, and serves them by OAuth's client credentials."""

    def __init__(self, folder: Path, seconds: float = 600) -> None:
        self._key = (folder / "token-key.pem").read_text()
        self.seconds = seconds
        self.given = 0
        self.away = False

    def token(self) -> tuple[str, int]:
        """Make a token; give it, and when it ends in milliseconds."""
        now = time.time()
        claims = {
            "iss": "https://issuer.test",
            "sub": "guest",
            "aud": "kafka",
            "iat": int(now),
            "exp": now + self.seconds,
        }
        self.given += 1
        return jwt.encode(claims, self._key, "RS256", {"kid": "test"}), int((now + self.seconds) * 1000)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve tokens; give the address."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
                if issuer.away:
                    self._answer(503, {"error": "unavailable"})
                elif self.headers.get("Authorization") != f"Basic {login}":
                    self._answer(401, {"error": "invalid_client"})
                else:
                    token = {
                        "access_token": issuer.token()[0],
                        "token_type": "Bearer",
                        "expires_in": int(issuer.seconds),
                    }
                    self._answer(200, token)

            def _answer(self, status: int, body: dict[str, object]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
            yield f"http://127.0.0.1:{port}/token"


@contextmanager
def _served(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path, name: str, *, days: int) -> Path:
    """Make a certificate of localhost that nobody else has signed, good from yesterday on; `days` may be past."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    begin = min(now, now + dt.timedelta(days)) - dt.timedelta(1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(now + dt.timedelta(days))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    clear = serialization.NoEncryption()
    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear) + made.public_bytes(pem))
    return path


@contextmanager
def tls_server(path: Path) -> Iterator[int]:
    """Serve TLS with a certificate, and nothing behind it; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            try:
                context.wrap_socket(self.request, server_side=True).close()
            except OSError:  # the client does not like what it saw
                return

    with _served(ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


def java_stores(tls: Path, folder: Path, kind: str) -> tuple[Path, Path]:
    """Make by Java's keytool a trust store with the authority, and a key store with the key of the client."""
    if not shutil.which("keytool"):
        pytest.skip("Java key stores: keytool is not there")
    trust, keys, between = (str(folder / name) for name in (f"trust.{kind}", f"keys.{kind}", "between.p12"))
    store = ["-storetype", kind, "-storepass", PASSWORD, "-noprompt"]
    packed = ["openssl", "pkcs12", "-export", "-in", str(tls / "client.pem"), "-name", "me", "-out", between]
    packed += ["-passout", f"pass:{PASSWORD}"]
    java = ["keytool", "-J-XX:TieredStopAtLevel=1"]
    imported = ["-importcert", "-alias", "authority", "-file", str(tls / "ca.pem"), "-keystore", trust]
    moved = ["-importkeystore", "-srckeystore", between, "-srcstorepass", PASSWORD, "-destkeystore", keys]
    moved += ["-deststoretype", kind, "-deststorepass", PASSWORD, "-noprompt"]
    for command in (packed, [*java, *imported, *store], [*java, *moved]):
        subprocess.run(command, check=True, capture_output=True)
    return Path(trust), Path(keys)
