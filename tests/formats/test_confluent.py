"""The client of a schema registry, against a real one, and the header of messages."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import responses
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.formats.base import Rows
from tailrace.formats.confluent.access import OPTIONS, Access
from tailrace.formats.confluent.client import (
    CAPACITY,
    IncompatibleSchemaError,
    Reference,
    Registry,
    RegistrySchema,
    UnknownSchemaError,
)
from tailrace.formats.confluent.framing import frame, header, unframe
from tailrace.options import OptionSet, OptionText
from tailrace.sql.session import Session
from tailrace.sql.statements import Show

INT = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
TEXT = INT.replace('"int"', '"string"')
LONG = INT.replace('"int"', '"long"')


@pytest.fixture
def client(schema_registry: str) -> Registry:
    return Registry(Access(schema_registry, retries=0))


@pytest.fixture
def subject() -> str:
    return f"s-{uuid.uuid4()}"


@pytest.mark.integration
def test_what_is_registered_is_found(client: Registry, subject: str) -> None:
    number = client.register(subject, RegistrySchema(INT))

    assert client.register(subject, RegistrySchema(INT)) == number
    assert json.loads(client.schema(number).text) == json.loads(INT)
    version = client.latest(subject)
    assert version is not None
    assert (version.version, version.id, version.schema.kind) == (1, number, "AVRO")
    assert client.registered(subject, RegistrySchema(INT)) == number
    assert client.registered(subject, RegistrySchema(TEXT)) is None
    assert subject in client.subjects()
    second = client.register(subject, RegistrySchema(LONG))
    assert client.versions(subject) == [1, 2]
    assert [client.version(subject, n) is not None for n in (1, 2, 3)] == [True, True, False]
    newest = client.latest(subject)
    assert newest is not None
    assert newest.id == second


@pytest.mark.integration
def test_what_is_not_there(client: Registry, subject: str) -> None:
    assert client.latest(subject) is None
    assert client.versions(subject) == []
    with pytest.raises(UnknownSchemaError, match="knows no schema 999999"):
        client.schema(999_999)


@pytest.mark.integration
def test_compatibility(client: Registry, subject: str) -> None:
    """A subject that promises it takes a wider type and refuses another; one that is new takes all."""
    assert client.compatible(subject, RegistrySchema(INT))
    client.register(subject, RegistrySchema(INT))
    client._connected().set_compatibility(subject, "BACKWARD")

    assert client.compatibility(subject) == "BACKWARD"
    assert client.compatible(subject, RegistrySchema(LONG))
    assert not client.compatible(subject, RegistrySchema(TEXT))
    with pytest.raises(IncompatibleSchemaError, match=subject):
        client.register(subject, RegistrySchema(TEXT))
    with pytest.raises(IncompatibleSchemaError, match="no schema that it takes"):
        client.register(subject, RegistrySchema('{"type":'))


@pytest.mark.integration
def test_references(client: Registry, subject: str) -> None:
    """A schema leads to those that it names, and these to theirs; the ones that others need come first."""
    inner = '{"type":"record","name":"shop.In","fields":[{"name":"x","type":"int"}]}'
    middle = '{"type":"record","name":"shop.Mid","fields":[{"name":"in","type":"shop.In"}]}'
    outer = '{"type":"record","name":"shop.Out","fields":[{"name":"mid","type":"shop.Mid"}]}'
    client.register(f"{subject}-in", RegistrySchema(inner))
    to_inner = Reference("shop.In", f"{subject}-in", 1)
    client.register(f"{subject}-mid", RegistrySchema(middle, references=(to_inner,)))
    number = client.register(subject, RegistrySchema(outer, references=(Reference("shop.Mid", f"{subject}-mid", 1),)))

    found = client.referenced(client.schema(number))

    assert list(found) == ["shop.In", "shop.Mid"]
    missing = RegistrySchema(outer, references=(Reference("shop.No", f"{subject}-in", 7),))
    with pytest.raises(UnknownSchemaError, match="version 7"):
        client.referenced(missing)


@pytest.mark.integration
def test_away_and_back(own_registry: tuple[str, Callable[[str], CompletedProcess[str]]], subject: str) -> None:
    """While the registry is away what is known is still known; the rest is asked for when it is back."""
    url, run = own_registry
    client = Registry(Access(url, retries=0))
    known, other = (client.register(subject, RegistrySchema(text)) for text in (INT, LONG))
    client.schema(known)

    run("stop")

    assert client.schema(known).text == INT
    with pytest.raises(TransientError, match="can't be reached"):
        client.schema(other)
    assert run("start").returncode == 0
    assert client.schema(other).text == LONG


def test_nobody_there() -> None:
    for url in ("http://127.0.0.1:1", "http://no-such-host.invalid"):
        with pytest.raises(TransientError, match="can't be reached"):
            Registry(Access(url, retries=1)).subjects()


class Answering(BaseHTTPRequestHandler):
    """A server that notes what it is asked and answers as it was told."""

    status, body, delay = 200, b"[]", 0.0
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, **dict(self.headers.items())})
        time.sleep(self.delay)
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base names it so
        pass


@pytest.fixture
def answering() -> Iterator[tuple[type[Answering], str]]:
    class Handler(Answering):
        seen: list[dict[str, str]] = []  # noqa: RUF012  of this test

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Handler, f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_we_are(answering: tuple[type[Answering], str]) -> None:
    """User and password, or a token, go with each request; neither is in what we show."""
    handler, where = answering
    Registry(Access(f"http://{where}", user_info="me:se:cret")).subjects()
    Registry(Access(f"http://me:hush@{where}")).subjects()
    token = uuid.uuid4().hex
    Registry(Access(f"http://{where}", token=token)).subjects()

    basic, in_url, bearer = (request["Authorization"] for request in handler.seen)
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"me:se:cret"
    assert base64.b64decode(in_url.removeprefix("Basic ")) == b"me:hush"
    assert bearer == f"Bearer {token}"
    access = Access(f"http://me:hush@{where}", token=token, user_info="me:se:cret")
    assert access.shown == f"http://{where}"
    assert token not in repr(access)
    assert "se:cret" not in repr(access)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, TerminalError), (403, TerminalError), (404, TerminalError), (429, TransientError), (503, TransientError)],
)
def test_refused(answering: tuple[type[Answering], str], status: int, kind: type[TailraceError]) -> None:
    """Who is refused stops, who is to wait waits; a plain 404 is the wrong address and no answer."""
    handler, where = answering
    handler.status, handler.body = status, b"{}"
    with pytest.raises(kind, match=rf"\({status}\): {responses[status]}"):
        Registry(Access(f"http://user:hush@{where}", retries=1)).schema(1)
    assert len(handler.seen) == (2 if kind is TransientError else 1)


def test_no_answer_in_time(answering: tuple[type[Answering], str]) -> None:
    handler, where = answering
    handler.delay = 0.5
    with pytest.raises(TransientError, match="can't be reached"):
        Registry(Access(f"http://{where}", timeout_seconds=0.05, retries=0)).subjects()


def test_what_is_kept_is_bounded(answering: tuple[type[Answering], str]) -> None:
    """An id is asked for once, and no more than so many are kept."""
    handler, where = answering
    handler.body = json.dumps({"schema": INT}).encode()
    client = Registry(Access(f"http://{where}"))
    for number in (1, 1, *range(2, CAPACITY + 20)):
        client.schema(number)
    assert len(handler.seen) == CAPACITY + 19
    assert len(client._kept) == CAPACITY
    client.schema(1)
    assert len(handler.seen) == CAPACITY + 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "localhost:8081"}, "expected an address"),
        ({"url": "ftp://x"}, "expected an address"),
        ({"basic-auth.user-info": "a:b", "bearer-auth.token": "t"}, "a user or a token"),
        ({"basic-auth.credentials-source": "USER_INFO"}, "needs 'basic-auth.user-info'"),
        ({"ssl.truststore.password": "x"}, "Java's stores"),
        ({"ssl.truststore.location": "/no/such/file"}, "can't be read"),
        ({"ssl.keystore.location": "/etc/hostname"}, "is no PEM file"),
        ({"tailrace.retries": "-1"}, "no less than zero"),
    ],
)
def test_wrong_options(options: dict[str, str], said: str) -> None:
    given = {k: OptionText(v) for k, v in ({"url": "http://localhost"} | options).items()}
    with pytest.raises(ConfigError, match=said):
        Access.of(OptionSet("format 'x'", OPTIONS).parse(given))


@given(st.lists(st.none() | st.binary(max_size=12), max_size=20), st.integers(0, 2**31 - 1))
def test_frames(values: list[bytes | None], number: int) -> None:
    """What is framed is unframed again, and each row without a header has its reason."""
    framed = frame(Rows.of(values), header(number))
    assert [framed.row(i) for i in range(len(values))] == [None if v is None else header(number) + v for v in values]
    back = unframe(framed)
    live = [i for i, v in enumerate(values) if v is not None]
    assert back.numbers.tolist() == live
    assert [back.payloads.row(k) for k in range(len(live))] == [values[i] for i in live]
    assert set(back.ids.tolist()) <= {number}
    raw = unframe(Rows.of(values))
    good = [i for i, v in enumerate(values) if v is not None and len(v) >= 5 and v[0] == 0]
    assert raw.numbers.tolist() == good
    assert sorted([*good, *(r.row for r in raw.rejects)]) == list(range(len(values)))


def test_odd_headers() -> None:
    rows = Rows.of([None, b"", b"\0\0\0", b"{}    ", header(3), header(2**32 - 1) + b"x", header(3)])
    framed = unframe(rows)
    assert [(r.row, r.code) for r in framed.rejects] == [(0, "tombstone"), (1, "empty"), (2, "header"), (3, "header")]
    assert [(k, v.tolist()) for k, v in framed.by_id()] == [(3, [0, 2]), (2**32 - 1, [1])]


def test_secrets_are_not_shown() -> None:
    """What an option keeps secret is in no statement that shows a table, and in no message about a wrong value."""
    secrets = [uuid.uuid4().hex for _ in range(4)]
    given = dict(zip(("basic-auth.user-info", "bearer-auth.token", "ssl.keystore.password"), secrets, strict=False))
    named = "".join(f", 'avro-confluent.{k}' = '{v}'" for k, v in given.items())
    session = Session()
    session.bind(
        f"""CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'avro-confluent',
        'avro-confluent.url' = 'http://me:{secrets[3]}@host:1,http://host:2'{named})""",
        "job.sql",
    )
    (shown,) = session.bind("SHOW CREATE TABLE t", "job.sql")
    assert isinstance(shown, Show)
    text = str(shown.frame.item())
    assert "http://******@host:1,http://host:2" in text
    assert not [s for s in secrets if s in text]
    with pytest.raises(ConfigError) as caught:
        Access.of(
            OptionSet("format 'x'", OPTIONS).parse({k: OptionText(v) for k, v in (given | {"url": "http://h"}).items()})
        )
    assert not [s for s in secrets if s in str(caught.value)]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate of localhost that signs itself; the file has its key too."""
    files = [
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        f"{tmp_path}/key.pem",
        "-out",
        f"{tmp_path}/cert.pem",
    ]
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", *files],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("TLS: openssl could not make a certificate")
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    return both


def test_tls(certificate: Path) -> None:
    """A registry that is not trusted ends the job; one that asks for a certificate gets the client's."""

    class Handler(Answering):
        seen: list[dict[str, str]] = []  # noqa: RUF012  of this test

    server = HTTPServer(("localhost", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        url, pem = f"https://localhost:{server.server_port}", str(certificate)
        with pytest.raises(TerminalError, match="can't be trusted"):
            Registry(Access(url, certificate=pem, retries=0)).subjects()
        with pytest.raises(TailraceError):
            Registry(Access(url, authorities=pem, retries=0)).subjects()
        assert Registry(Access(url, authorities=pem, certificate=pem, retries=0)).subjects() == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert len(Handler.seen) == 1
