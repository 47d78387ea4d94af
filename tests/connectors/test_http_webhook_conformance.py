"""Webhooks in through the conformance suite: a sender that signs, and sends again with the same key until it is taken."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_kit import Api, Said
from json_values import to_json
from server_kit import free_ports

from tailrace.testing.connectors import Got, SourceConformance, Trial, assert_delivered
from tailrace.testing.connectors.sinks import sent

pytestmark = pytest.mark.slow

COLUMNS = {"id": "BIGINT", "name": "STRING"}
SECRET = "right-secret"  # noqa: S105  of a server that starts for a test
BODY = 100
PAUSE = 0.05


def signed(body: bytes, secret: str = SECRET, age: float = 0.0) -> dict[str, str]:
    """Give the headers of a body, signed so long ago."""
    stamp = str(int(time.time() - age))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Time": stamp, "X-Tailrace-Signature": f"sha256={digest}"}


class Sender:
    """Posts bodies in order, each until it is answered with 202; between them it asks whether anybody is there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.refused: list[int] = []
        self._bodies: queue.Queue[bytes] = queue.Queue()
        self._keys = itertools.count()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def send(self, body: bytes) -> None:
        """Take a body to be sent."""
        self._bodies.put(body)

    def close(self) -> None:
        """Send no more."""
        self._stopped.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            while not self._stopped.is_set():
                try:
                    body = self._bodies.get(timeout=PAUSE)
                except queue.Empty:
                    self._post(client, b"", "")
                    continue
                key = f"request-{next(self._keys)}"
                while not self._post(client, body, key) and not self._stopped.wait(PAUSE):
                    pass

    def _post(self, client: httpx.Client, body: bytes, key: str) -> bool:
        headers = signed(body) | ({"Idempotency-Key": key} if key else {})
        try:
            answer = client.post(self.url, content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code not in (202, 429, 503):
            self.refused.append(answer.status_code)
        return answer.status_code == 202


class TestWebhookIn(SourceConformance):
    """Rows that others post; the server is the job itself, so there is none to be away or to be killed beside it."""

    connector = "http"
    title = "HTTP"
    part = "webhook in"
    stand_in = "a client of Python's httpx"
    many = 4000
    ends = False
    endless = True

    @pytest.fixture(autouse=True)
    def _senders(self) -> Iterator[None]:
        self.port = free_ports(1)
        self.senders: dict[str, Sender] = {}
        yield
        for sender in self.senders.values():
            sender.close()
            assert not sender.refused, sender.refused[:3]

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        self._sender(table).url = f"http://{at or self.address()}/{table}"  # `at` stands between the sender and the job
        given = {"connector": "http", "listen": self.address(), "path": f"/{table}", "format": "json", "body": "lines"}
        return given | {"hmac.secret": SECRET, "hmac.timestamp-header": "X-Time"}

    def _sender(self, table: str) -> Sender:
        if table not in self.senders:
            self.senders[table] = Sender(f"http://{self.address()}/{table}")
        return self.senders[table]

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        for body in bodies(columns, rows):
            self._sender(table).send(body)

    def put_unreadable(self, table: str) -> None:
        self._sender(table).send(b'{"id": "no number"}\n')

    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def version(self) -> str:
        return httpx.__version__

    def read_plainly(self, table: str, count: int) -> None:
        """Take the same requests by a server of Python's library."""
        taken: list[Any] = []

        def take(asked: Any) -> Said:
            taken.extend(map(json.loads, asked.body.splitlines()))
            return Said(202)

        with Api(take) as api, httpx.Client(trust_env=False) as client:
            for body in bodies(COLUMNS, sent(count)):
                client.post(api.url, content=body, headers=signed(body)).raise_for_status()
        assert len(taken) == count

    def test_source_refuses_what_is_not_signed(self, tmp_path: Path) -> None:
        """No signature, a wrong one, one of another body, one of long ago: 401; a request that is replayed in time is known by its key."""
        table, got = self.new_table(COLUMNS), Got(tmp_path)
        trial = Trial(self.reading(table, tmp_path), tmp_path)
        self.fill(1, 1, table)
        trial.until(lambda: len(got) == 1, "the first row")
        good, forged = b'{"id": 2, "name": "name 2"}', b'{"id": 666, "name": "x"}'
        refused = [
            {},
            signed(forged, "wrong-secret"),
            signed(good),
            signed(forged, age=600),
            signed(forged) | {"X-Time": str(int(time.time()) + 1)},
        ]
        with httpx.Client(base_url=f"http://{self.address()}", trust_env=False) as client:
            assert [client.post(f"/{table}", content=forged, headers=h).status_code for h in refused] == [401] * 5
            once = signed(good) | {"Idempotency-Key": "once"}
            answers = [client.post(f"/{table}", content=good, headers=once) for _ in range(3)]
            assert [(a.status_code, a.json()["known"]) for a in answers] == [(202, False), (202, True), (202, True)]
        trial.until(lambda: len(got) >= 2, "the second row")
        trial.halt()
        assert_delivered(got.rows(), sent(2), "exactly-once")

    def test_source_keeps_to_its_limits(self, tmp_path: Path) -> None:
        """A body that is too large is refused; a sender that is too fast is told to come later, and loses nothing."""
        table, got, count = self.new_table(COLUMNS), Got(tmp_path), 5000
        limits = {"max_body_size": "8 kb", "journal__max_rows": "300"}
        trial = Trial(self.reading(table, tmp_path, **limits), tmp_path)
        self.fill(1, count, table)
        trial.until(lambda: len(got) > 0, "some rows")
        body = b"x" * 9000
        with httpx.Client(trust_env=False) as client:
            said = {429}
            end = time.monotonic() + 30.0
            while 413 not in said and time.monotonic() < end:  # while it is full it says that first
                said.add(client.post(f"http://{self.address()}/{table}", content=body).status_code)
        assert said <= {429, 413}
        assert 413 in said
        trial.until(lambda: len(got) >= count, "all rows")
        trial.halt()
        assert_delivered(got.rows(), sent(count), "exactly-once")


def bodies(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    """Give bodies of some rows each."""
    for first in range(0, len(rows), BODY):
        yield "".join(f"{to_json(columns, row)}\n" for row in rows[first : first + BODY]).encode()
