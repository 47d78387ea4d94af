"""Webhooks out and lookups: bodies, signatures, keys, and every status that a server may answer with."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import polars as pl
import pytest
from connector_kit import context, sink, table
from http_kit import Api, Asked, Said

from tailrace.connectors import registry
from tailrace.connectors.base import AtLeastOnceSink, Guarantee, Lookup, Refusals
from tailrace.connectors.http.endpoint import pause_of
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, STRING

COLUMNS = {"id": BIGINT.with_nullable(False), "name": STRING}


@pytest.fixture
def api() -> Iterator[Api]:
    """Give a server."""
    with Api() as made:
        yield made


class Kept(Refusals):
    """Keeps refused rows."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        assert rows.columns == ["id", "name"]
        self.rows += [(i, code) for i in rows["id"].to_list()]


def _late(seconds: float, said: Said | None = None) -> Said:
    """Give an answer after a while."""
    time.sleep(seconds)
    return said or Said()


def _table(api: Api, options: dict[str, str] | None = None, **more: Any) -> Table:
    given = {"url": f"{api.url}/rows?token=hidden", "format": "json"} | (options or {})
    return table("http", COLUMNS, given, **more)


def _frame(*ids: int) -> pl.DataFrame:
    return pl.DataFrame({"id": list(ids), "name": [f"n{i}" for i in ids]}, schema={"id": pl.Int64, "name": pl.String})


def _opened(of: Table) -> tuple[AtLeastOnceSink, Kept]:
    made = sink(of)
    assert isinstance(made, AtLeastOnceSink)
    made.refusals = kept = Kept()
    made.open()
    return made, kept


def _sent(of: Table, *ids: int) -> Kept:
    made, kept = _opened(of)
    made.write(_frame(*ids))
    made.prepare(1)
    made.close()
    return kept


def test_bodies(api: Api) -> None:
    """An array, lines, and one row a request; all in order, with type and key."""
    _sent(_table(api), 1, 2)
    _sent(_table(api, {"body": "lines", "method": "PUT"}), 3, 4)
    _sent(_table(api, {"body": "row", "header.Authorization": "Bearer abc"}), 5, 6)

    first, second, third, fourth = api.posted
    assert first.rows == [{"id": 1, "name": "n1"}, {"id": 2, "name": "n2"}]
    assert (first.method, first.path, first.headers["content-type"]) == (
        "POST",
        "/rows?token=hidden",
        "application/json",
    )
    assert second.body == b'{"id":3,"name":"n3"}\n{"id":4,"name":"n4"}\n'
    assert (second.method, second.headers["content-type"]) == ("PUT", "application/x-ndjson")
    assert (third.rows["id"], fourth.rows["id"]) == (5, 6)
    assert third.headers["authorization"] == "Bearer abc"
    assert len({a.headers["idempotency-key"] for a in api.posted}) == 4


def test_signed(api: Api) -> None:
    """A receiver that knows the secret can check the body and the time."""
    _sent(_table(api, {"hmac.secret": "s3cret", "hmac.timestamp-header": "X-Time", "hmac.header": "X-Sig"}), 1)

    (asked,) = api.posted
    wanted = hmac.new(b"s3cret", asked.headers["x-time"].encode() + b"." + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-sig"] == f"sha256={wanted}"
    assert abs(int(asked.headers["x-time"]) - time.time()) < 60


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_sent_again_with_the_same_key(api: Api, status: int) -> None:
    """What is not taken for now comes again, in order and with the key that it had, so that the receiver may know it."""
    answers = itertools.chain([Said(status, headers={"Retry-After": "7"}), Said(200, None)], itertools.repeat(Said()))
    api.answer = lambda _: next(answers)
    made, kept = _opened(_table(api))
    made.write(_frame(1, 2))
    with pytest.raises(TransientError, match=str(status)) as first:
        made.flush()
    with pytest.raises(TransientError, match="does not answer"):
        made.flush()
    made.flush()
    made.write(_frame(1, 2))
    made.prepare(1)
    made.close()

    keys = [a.headers["idempotency-key"] for a in api.posted]
    assert first.value.after == 7.0
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert [a.rows[0]["id"] for a in api.posted] == [1, 1, 1, 1]
    assert not kept.rows


def test_keys_of_rows_with_a_primary_key(api: Api) -> None:
    """They are the same after a restart."""
    of = _table(api, {"body": "row"}, primary_key=("id",))
    _sent(of, 1, 2)
    _sent(of, 1, 2)

    keys = [a.headers["idempotency-key"] for a in sorted(api.posted, key=lambda a: a.rows["id"])]
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_too_large_a_body_is_split(api: Api) -> None:
    """413: halves, until one row stands alone; it is refused alone."""
    api.answer = lambda a: Said(413 if len(a.rows) > 2 or any(r["id"] == 5 for r in a.rows) else 200)

    kept = _sent(_table(api), *range(8))

    assert kept.rows == [(5, "too-large")]
    taken = [r["id"] for a in api.posted if len(a.rows) <= 2 and all(r["id"] != 5 for r in a.rows) for r in a.rows]
    assert taken == [0, 1, 2, 3, 4, 6, 7]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_row_that_is_refused(api: Api, status: int) -> None:
    """Only it goes to the refused ones; the others are taken."""
    api.answer = lambda a: Said(status if any(r["id"] == 3 for r in a.rows) else 202)

    kept = _sent(_table(api), *range(6))

    assert kept.rows == [(3, f"status-{status}")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Said(302, headers={"Location": "http://127.0.0.1:1/"}), "redirects are not followed"),
        (Said(401), "status 401"),
        (Said(403), "status 403"),
        (Said(404), "status 404"),
        (Said(405), "status 405"),
        (Said(200, b"x" * 5000), "answers with more than 1024 bytes"),
    ],
    ids=["redirect", "401", "403", "404", "405", "large"],
)
def test_what_ends_the_job(api: Api, said: Said, message: str) -> None:
    api.answer = lambda _: said
    made, _ = _opened(_table(api, {"max-response-size": "1 kb"}))
    made.write(_frame(1))

    with pytest.raises(TerminalError, match=message) as error:
        made.flush()
    made.close()
    assert "hidden" not in str(error.value)
    assert len(api.posted) == 1


def test_too_slow(api: Api) -> None:
    """An answer that comes too late, or drop by drop, is none."""
    api.answer = lambda _: _late(1.0)
    made, _ = _opened(_table(api, {"timeout": "200 ms"}))
    made.write(_frame(1))
    begun = time.monotonic()

    with pytest.raises(TransientError, match="does not answer"):
        made.flush()
    made.close()
    assert time.monotonic() - begun < 0.9


def test_retry_after_a_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert pause_of(format_datetime(now + timedelta(seconds=90)), now) == 90.0
    assert pause_of(format_datetime(now - timedelta(seconds=90)), now) == 0.0
    assert pause_of("99999999999", now) == 3600.0


def test_check(api: Api) -> None:
    made = sink(_table(api))
    assert made.check().ok
    assert made.guarantee is Guarantee.AT_LEAST_ONCE
    api.options, api.answer = True, lambda _: Said(403)
    assert "status 403" in made.check().message
    away = sink(_table(api, {"url": "http://127.0.0.1:1/x"})).check()
    assert not away.ok
    assert "http://127.0.0.1:1/x does not answer" in away.message


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "224.0.0.1"],  # noqa: S104
)
def test_addresses_that_are_not_reached(api: Api, host: str) -> None:
    with pytest.raises(TerminalError, match="which is not reached"):
        _opened(_table(api, {"url": f"http://{host}:{api.port}/latest/meta-data"}))
    assert not api.asked


def test_a_name_is_checked_as_it_is_connected(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to such an address is refused too, and is looked up once for a connection."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("169.254.169.254", api.port))])
    with pytest.raises(TerminalError, match=r"'harmless\.example' leads to 169\.254\.169\.254"):
        _opened(_table(api, {"url": "http://harmless.example/"}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "file:///etc/passwd"}, "is no address of a web server"),
        ({"url": "gopher://host/"}, "is no address of a web server"),
        ({"url": "http://{name}.example/"}, "has a column in its host"),
        ({"format": "csv"}, "are no JSON array"),
        ({"header.X-A": "a\r\nB: c"}, "is no header"),
    ],
    ids=["file", "gopher", "host", "csv", "header"],
)
def test_options_that_are_wrong(api: Api, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sink(_table(api, options))


def _lookup(api: Api, options: dict[str, str], keys: tuple[str, ...] = ("id",)) -> Lookup:
    of = _table(api, options)
    return registry.lookup(of, of.schema, keys, context())


def _found(made: Lookup, *ids: int | str, key: str = "id") -> list[tuple[Any, ...]]:
    async def run() -> pl.DataFrame:
        await made.open()
        try:
            return await made.get(pl.DataFrame({key: list(ids)}))
        finally:
            await made.close()

    return sorted(asyncio.run(run()).select("id", "name").rows(), key=str)


def _by_path(asked: Asked) -> Said:
    number = int(asked.path.rpartition("/")[2])
    if number == 404:
        return Said(404)
    if number == 2:
        return Said(200, b'[{"id": 2, "name": "a"}, {"id": 2, "name": "b"}]')
    return Said(204) if number == 204 else Said(200, b'{"name": "n%d", "more": 1}' % number)


def test_lookup_by_url(api: Api) -> None:
    """One row, several, and none: by 404 and by no content."""
    api.answer = _by_path
    made = _lookup(api, {"url": f"{api.url}/users/{{id}}"})

    assert _found(made, 1, 2, 404, 204) == [(1, "n1"), (2, "a"), (2, "b")]
    assert {a.method for a in api.posted} == {"GET"}


def test_lookup_values_are_quoted(api: Api) -> None:
    """A value is no more than a part of a path or a parameter, whatever is in it."""
    api.answer = lambda _: Said(200, b'{"id": 1}')
    made = _lookup(api, {"url": f"{api.url}/users/{{name}}?q={{name}}"}, ("name",))
    value = "../x?a=b&c=d#e/ü%2F{id}"

    assert _found(made, value, "..", key="name") == [(1, ".."), (1, value)]
    paths = {a.path for a in api.posted}
    encoded = "..%2Fx%3Fa%3Db%26c%3Dd%23e%2F%C3%BC%252F%7Bid%7D"
    assert f"/users/{encoded}?q={encoded}" in paths
    assert all(p.startswith("/users/") for p in paths)


def test_lookup_by_body(api: Api) -> None:
    """Many keys go in one request, and rows come back in any order."""

    def answer(asked: Asked) -> Said:
        rows = [{"id": r["id"], "name": f"n{r['id']}"} for r in reversed(asked.rows) if r["id"] % 2]
        return Said(200, json.dumps({"found": rows}).encode())

    api.answer = answer
    made = _lookup(api, {"method": "POST", "poll.items": "found"})

    assert _found(made, 1, 2, 3) == [(1, "n1"), (3, "n3")]
    assert api.posted[0].rows == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_lookup_asks_several_at_a_time(api: Api) -> None:
    api.answer = lambda a: _late(0.2, _by_path(a))
    made = _lookup(api, {"url": f"{api.url}/users/{{id}}", "lookup.in-flight": "8"})
    begun = time.monotonic()

    assert len(_found(made, *range(10, 18))) == 8
    assert time.monotonic() - begun < 1.2


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (Said(503), TransientError, "status 503"),
        (Said(200, None), TransientError, "does not answer"),
        (Said(401), TerminalError, "status 401"),
        (Said(400), TerminalError, "status 400"),
        (Said(302), TerminalError, "redirects are not followed"),
        (Said(200, b"[1"), TerminalError, "can't be read"),
        (Said(200, b'{"id": 1, "name": [}'), TerminalError, "can't be read"),
    ],
    ids=["503", "cut", "401", "400", "302", "array", "row"],
)
def test_lookup_failures(api: Api, said: Said, error: type[Exception], message: str) -> None:
    api.answer = lambda _: said
    with pytest.raises(error, match=message):
        _found(_lookup(api, {"url": f"{api.url}/users/{{id}}"}), 1)


@pytest.mark.parametrize(
    ("url", "message"),
    [("/users", "does not name 'id'"), ("/users/{id}/{nam}", "names the column 'nam'")],
    ids=["missing", "unknown"],
)
def test_lookup_urls_that_are_wrong(api: Api, url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _lookup(api, {"url": api.url + url})


def test_lookup_check(api: Api) -> None:
    api.options, api.answer = True, lambda a: Said(404 if a.method == "OPTIONS" else 200)
    made = _lookup(api, {"url": f"{api.url}/users/{{id}}"})

    assert made.check().ok
    assert not _lookup(api, {"url": "http://127.0.0.1:1/{id}"}).check().ok
