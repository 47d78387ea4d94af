"""Webhooks that come in, and addresses that are polled: what is answered, what is kept, and where it goes on."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from connector_kit import context, source, table
from http_kit import Api, Asked, Said, until

from tailrace.connectors.base import Block, Limit, Reader
from tailrace.connectors.http.webhook import WebhookReader
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BYTES, STRING, map_type, timestamp_ltz

SECRET = "s3cret"  # noqa: S105  of a server that starts for a test


@pytest.fixture
def api() -> Iterator[Api]:
    """Give a server."""
    with Api() as made:
        yield made


def _webhook(options: Mapping[str, str] | None = None, **more: Any) -> Table:
    given = {"listen": "127.0.0.1:0", "format": "json"} | dict(options or {})
    return table("http", {"id": STRING}, given, **more)


class Hook:
    """A webhook that runs, and a client for it."""

    def __init__(self, of: Table, folder: Path, positions: Mapping[str, Any] | None = None) -> None:
        reader = source(of, where=context(folder)).open(dict(positions or {}))
        assert isinstance(reader, WebhookReader)
        self.reader = reader
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{reader.port}")
        self.positions: dict[str, Any] = {}
        self.reader.changes()

    def post(self, body: Any, **headers: str) -> httpx.Response:
        """Post a body."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/", content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def rows(self, count: int) -> list[bytes | None]:
        """Read so many rows."""
        blocks = _taken(self.reader, count)
        self.positions |= {b.partition: b.position for b in blocks}
        return _values(blocks)

    def close(self) -> None:
        """Stop it."""
        self.client.close()
        self.reader.close()


def _taken(reader: Reader, count: int, seconds: float = 10.0) -> list[Block]:
    blocks: list[Block] = []
    deadline = time.monotonic() + seconds
    while sum(map(len, blocks)) < count and time.monotonic() < deadline:
        blocks += reader.poll(Limit(wait_seconds=0.05))
    return blocks


def _values(blocks: list[Block]) -> list[bytes | None]:
    given: list[bytes | None] = []
    for block in blocks:
        assert not isinstance(block.values, pl.DataFrame)
        given += [block.values.row(i) for i in range(len(block))]
    return given


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Hook]]:
    """Give a function that starts a webhook with options; all share one folder, so that one after another goes on."""
    made: list[Hook] = []

    def run(options: Mapping[str, str] | None = None, positions: Mapping[str, Any] | None = None, **more: Any) -> Hook:
        made.append(Hook(_webhook(options, **more), tmp_path, positions))
        return made[-1]

    yield run
    for hook in made:
        hook.close()


def test_rows_come_in(start: Callable[..., Hook]) -> None:
    hook = start()

    answer = hook.post({"id": "a"})

    assert (answer.status_code, answer.json()) == (202, {"rows": 1, "known": False})
    assert hook.rows(1) == [b'{"id": "a"}']
    assert hook.client.get("/").status_code == 405
    assert hook.client.post("/other").status_code == 404


def test_bodies_of_many_rows(start: Callable[..., Hook]) -> None:
    array, lines = start({"body": "array"}), start({"body": "lines"})

    assert array.post(b'[{"id": 1.50}, {"id":"b"}]').json()["rows"] == 2
    assert array.rows(2) == [b'{"id": 1.50}', b'{"id":"b"}']
    assert array.post(b"[]").status_code == 202
    assert array.post(b'{"id": 1}').status_code == 400
    assert array.post(b"[" * 100_000).status_code == 400
    assert lines.post(b'{"id": 1}\n\n{"id": 2}\r\n').json()["rows"] == 2


def test_a_row_that_was_taken_is_never_lost(start: Callable[..., Hook]) -> None:
    """What was answered with 202 is read after a crash: from any position that a checkpoint may hold."""
    first = start()
    for i in range(5):
        assert first.post(i).status_code == 202
    assert first.rows(3)[:3] == [b"0", b"1", b"2"]
    before = {"requests": 2}

    again = start(positions=before)  # the first was never closed: as after a kill
    assert again.rows(3) == [b"2", b"3", b"4"]
    fresh = start()
    assert len(fresh.rows(5)) == 5


def test_acknowledged_rows_go(start: Callable[..., Hook]) -> None:
    """Rows of the last checkpoint but one are deleted, those of the last are kept; an older checkpoint is refused."""
    hook = start()
    for i in range(6):
        hook.post(i)
    hook.rows(6)
    for position in (2, 4):
        hook.reader.acknowledge({"requests": position})
    until(lambda: hook.reader._journal.waiting(0) == 4, "a deletion")
    hook.close()

    later = start(positions={"requests": 2})
    assert later.rows(4) == [b"2", b"3", b"4", b"5"]
    later.close()
    with pytest.raises(TerminalError, match="has deleted rows up to 2"):
        start(positions={"requests": 1})


def test_a_request_that_comes_again(start: Callable[..., Hook]) -> None:
    """It is known by its key, also after a restart, and is answered as if it were new."""
    hook = start()
    assert hook.post("a", Idempotency_Key="k1").json() == {"rows": 1, "known": False}
    assert hook.post("a", Idempotency_Key="k1").json() == {"rows": 1, "known": True}
    hook.close()
    again = start()
    assert again.post("a", Idempotency_Key="k1").json()["known"] is True
    assert again.post("b", Idempotency_Key="k2").json()["known"] is False
    assert again.rows(2) == [b'"a"', b'"b"']


def test_many_at_a_time_with_one_key(start: Callable[..., Hook]) -> None:
    hook = start()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: hook.post(i % 10, Idempotency_Key=str(i % 10)).json(), range(100)))

    assert sum(not a["known"] for a in answers) == 10
    assert sorted(hook.rows(10), key=str) == [str(i).encode() for i in range(10)]


def test_without_a_key_or_a_memory_all_count(start: Callable[..., Hook]) -> None:
    hook = start({"deduplicate.for": "0 s"})
    assert [hook.post("a", Idempotency_Key="k").json()["known"] for _ in range(2)] == [False, False]
    assert len(hook.rows(2)) == 2


def _signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_signatures(start: Callable[..., Hook]) -> None:
    hook = start({"hmac.secret": SECRET})
    body = b'{"id": 1}'

    assert hook.post(body).status_code == 401
    assert hook.post(body, X_Tailrace_Signature=_signature(body, "other")).status_code == 401
    assert hook.post(body + b" ", X_Tailrace_Signature=_signature(body)).status_code == 401
    assert hook.post(body, X_Tailrace_Signature=_signature(body)).status_code == 202
    assert hook.post(body, X_Tailrace_Signature=_signature(body).removeprefix("sha256=")).status_code == 202
    assert len(hook.rows(2)) == 2


def test_signed_times(start: Callable[..., Hook]) -> None:
    """A request can't be sent again later, and its time can't be changed."""
    hook = start({"hmac.secret": SECRET, "hmac.timestamp-header": "X-Time"})
    body = b"1"

    def post(stamp: float, signed: float) -> int:
        given = f"{int(signed)}.".encode() + body
        return hook.post(body, X_Time=str(int(stamp)), X_Tailrace_Signature=_signature(given)).status_code

    now = time.time()
    assert post(now, now) == 202
    assert post(now - 600, now - 600) == 401
    assert post(now + 600, now + 600) == 401
    assert post(now, now - 600) == 401
    assert hook.post(body, X_Time="x", X_Tailrace_Signature=_signature(b"x." + body)).status_code == 401


def test_limits(start: Callable[..., Hook]) -> None:
    hook = start({"max-body-size": "100", "journal.max-rows": "3", "timeout": "300 ms"})

    assert hook.post(b"x" * 101).status_code == 413
    assert hook.client.post("/", content=iter([b"x" * 60, b"y" * 60])).status_code == 413
    with socket.create_connection(("127.0.0.1", hook.reader.port)) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf")
        slow.settimeout(5)
        assert b"408" in slow.recv(1000)
    for i in range(3):
        assert hook.post(i).status_code == 202
    full = hook.post(4)
    assert (full.status_code, full.headers["retry-after"]) == (429, "1")
    hook.rows(3)
    for _ in range(2):
        hook.reader.acknowledge({"requests": 3})
    until(lambda: hook.post(5).status_code == 202, "room")


def test_a_disk_that_refuses(start: Callable[..., Hook]) -> None:
    """What can't be kept is not taken, and the job hears of it."""
    hook = start()
    hook.reader._journal.failure = TerminalError("the disk is full")

    assert hook.post("a").status_code == 503
    with pytest.raises(TerminalError, match="the disk is full"):
        hook.reader.poll(Limit())


def test_metadata(start: Callable[..., Hook]) -> None:
    """Headers and the time come with a row; credentials do not."""
    columns = (
        MetadataColumn("headers", map_type(STRING, BYTES), "headers", virtual=True),
        MetadataColumn("at", timestamp_ltz(3), "timestamp", virtual=True),
    )
    hook = start(metadata=columns)
    hook.post("a", X_Kind="b", Authorization="Bearer abc", Cookie="c=1")
    (block,) = _taken(hook.reader, 1)

    assert block.metadata is not None
    headers = {h["key"]: h["value"] for h in block.metadata["headers"][0]}
    assert headers["x-kind"] == b"b"
    assert not {"authorization", "cookie"} & set(headers)
    assert abs(block.metadata["timestamp"][0].timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"listen": "nowhere"}, "is no address to listen on"),
        ({"listen": "127.0.0.1:99999"}, "is no address to listen on"),
        ({"listen": "0.0.0.0:0"}, "anybody who reaches 0.0.0.0 could write rows"),
        ({"path": "hook"}, "'path' begins with '/'"),
    ],
    ids=["form", "port", "open", "path"],
)
def test_options_that_are_wrong(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        source(_webhook(options))


def test_a_port_that_is_taken(start: Callable[..., Hook], tmp_path: Path) -> None:
    hook = start()
    of = _webhook({"listen": f":{hook.reader.port}"})
    made = source(of, where=context(tmp_path / "other"))

    assert "can't listen on 127.0.0.1" in made.check().message
    with pytest.raises(ConfigError, match=r"can't listen on 127\.0\.0\.1"):
        made.open({})
    assert source(_webhook({"listen": "0.0.0.0:0", "hmac.secret": SECRET})).check().ok


# -- polling


def _polled(api: Api, options: Mapping[str, str] | None = None) -> Table:
    given = {"url": f"{api.url}/items?token=hidden", "format": "json", "poll.interval": "30 ms"} | dict(options or {})
    return table("http", {"id": STRING}, given)


def _read(
    of: Table, count: int, positions: Mapping[str, Any] | None = None, seconds: float = 10.0
) -> tuple[list[bytes | None], Any]:
    """Read so many rows, and give the position behind them."""
    reader = source(of).open(dict(positions or {}))
    reader.changes()
    blocks = _taken(reader, count, seconds)
    reader.close()
    return _values(blocks), {b.partition: b.position for b in blocks}


def test_what_has_not_changed_is_not_read_again(api: Api) -> None:
    """By ETag, by Last-Modified, or by what the answer is."""
    version = [1]

    def answer(asked: Asked) -> Said:
        if asked.headers.get("if-none-match") == f'"{version[0]}"':
            return Said(304)
        return Said(200, json.dumps([version[0], "x"]).encode(), {"ETag": f'"{version[0]}"'})

    api.answer = answer
    reader = source(_polled(api)).open({})
    reader.changes()
    assert _values(_taken(reader, 2)) == [b"1", b'"x"']
    until(lambda: len(api.asked) > 5, "more requests")
    version[0] = 2
    blocks = _taken(reader, 2)
    reader.close()
    assert _values(blocks) == [b"2", b'"x"']

    again, _ = _read(_polled(api), 1, {b.partition: b.position for b in blocks[-1:]}, 1.0)
    assert again == []


def test_the_same_answer_without_an_etag(api: Api) -> None:
    api.answer = lambda _: Said(200, b"[1, 2, 3]")
    rows, at = _read(_polled(api), 3)
    assert rows == [b"1", b"2", b"3"]

    assert _read(_polled(api), 1, at, 1.0)[0] == []
    middle = {"answers": at["answers"] | {"rows": 1}}
    assert _read(_polled(api), 2, middle)[0] == [b"2", b"3"]


def _pages(asked: Asked) -> Said:
    number = int(httpx.URL(asked.path).params.get("after", 0))
    rows = [number * 10 + i for i in range(3)]
    following = {"cursor": number + 1} if number < 3 else {"cursor": None}
    return Said(200, json.dumps({"data": {"items": rows}, "next": following}).encode())


CURSOR = {"poll.items": "data.items", "poll.cursor-field": "next.cursor", "poll.cursor-parameter": "after"}


def test_pages_by_cursor(api: Api) -> None:
    """Page after page; the last one is looked at again, and only what is new in it counts."""
    api.answer = _pages
    rows, at = _read(_polled(api, CURSOR), 12)

    assert [int(r or 0) for r in rows] == [n * 10 + i for n in range(4) for i in range(3)]
    assert all("token=hidden" in a.path for a in api.asked)
    grown = {"data": {"items": [30, 31, 32, 33]}, "next": {}}
    api.answer = lambda _: Said(200, json.dumps(grown).encode())
    assert _read(_polled(api, CURSOR), 1, at)[0] == [b"33"]
    assert "after=3" in api.asked[-1].path


def test_a_restart_in_the_middle_of_a_page(api: Api) -> None:
    api.answer = _pages
    _, at = _read(_polled(api, CURSOR), 12)
    middle = {"answers": at["answers"] | {"cursor": "2", "rows": 1}}

    assert [int(r or 0) for r in _read(_polled(api, CURSOR), 5, middle)[0]] == [21, 22, 30, 31, 32]


def test_pages_by_links(api: Api) -> None:
    def answer(asked: Asked) -> Said:
        page = int(httpx.URL(asked.path).params.get("page", 1))
        headers = {"Link": f'</items?page={page + 1}>; rel="next"'} if page < 3 else {}
        return Said(200, b"[%d]" % page, headers)

    api.answer = answer
    of = _polled(api, {"poll.follow-links": "true", "scan.bounded": "true"})
    reader = source(of).open({})
    assert source(of).bounded
    rows: list[bytes | None] = []
    for _ in range(200):
        rows += _values(reader.poll(Limit(wait_seconds=0.05)))
        if any(type(c).__name__ == "Ended" for c in reader.changes()):
            break
    else:
        raise AssertionError("it did not end")
    reader.close()
    assert rows == [b"1", b"2", b"3"]


def test_a_link_to_elsewhere(api: Api) -> None:
    api.answer = lambda _: Said(200, b"[1]", {"Link": '<http://169.254.169.254/x>; rel="next"'})
    reader = source(_polled(api, {"poll.follow-links": "true"})).open({})
    with pytest.raises(TerminalError, match="links to another server"):
        _taken(reader, 1_000)
    reader.close()


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (Said(503), TransientError, "status 503"),
        (Said(200, None), TransientError, "does not answer"),
        (Said(401), TerminalError, "status 401"),
        (Said(404), TerminalError, "status 404"),
        (Said(400), TerminalError, "status 400"),
        (Said(301), TerminalError, "redirects are not followed"),
        (Said(200, b"{}"), TerminalError, "is no JSON array"),
        (Said(200, b"x" * 3000), TerminalError, "more than 2048 bytes"),
    ],
    ids=["503", "cut", "401", "404", "400", "301", "array", "large"],
)
def test_failures(api: Api, said: Said, error: type[Exception], message: str) -> None:
    api.answer = lambda _: said
    reader = source(_polled(api, {"max-response-size": "2 kb"})).open({})
    with pytest.raises(error, match=message) as raised:
        _taken(reader, 1_000)
    reader.close()
    assert "hidden" not in str(raised.value)


def test_a_server_that_comes_back(api: Api) -> None:
    answers = itertools.chain([Said(503)] * 2, itertools.repeat(Said(200, b"[1]")))
    api.answer = lambda _: next(answers)
    reader = source(_polled(api)).open({})
    rows: list[bytes | None] = []
    failures = 0
    for _ in range(200):
        try:
            rows += _values(reader.poll(Limit(wait_seconds=0.05)))
        except TransientError:
            failures += 1
        if rows:
            break
    reader.close()
    assert rows == [b"1"]
    assert failures >= 1


def test_check(api: Api) -> None:
    api.answer = lambda _: Said(200, b"[]")
    assert source(_polled(api)).check().ok
    api.answer = lambda _: Said(404)
    assert "status 404" in source(_polled(api)).check().message
