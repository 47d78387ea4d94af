"""Files in object stores: read and written as local ones, each object seen whole and once, whatever the store does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import objects_kit as kit
import obstore
import polars as pl
import pytest
from connector_kit import context, sink, source, table

from tailrace.clock import ManualClock
from tailrace.connectors.base import Assigned, Block, Limit, Reader, Sink, StagedSink
from tailrace.connectors.filesystem.objects import listing
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BIGINT, DATE, STRING

Start = Callable[[str, dict[str, str]], str]
_numbers = itertools.count()
COLUMNS = {"id": BIGINT, "name": STRING}
QUICK = {"tailrace.object.retry-timeout": "300 ms", "tailrace.object.timeout": "2 s"}


@pytest.fixture(scope="module")
def moto(service: Start) -> str:
    """Give the endpoint of a stand-in for S3."""
    return service("moto", {}).partition("=")[2]


@pytest.fixture(scope="module")
def azurite(service: Start) -> str:
    """Give the endpoint of a stand-in for Azure."""
    return service("azurite", {}).partition("=")[2]


@pytest.fixture
def bucket(moto: str) -> kit.Bucket:
    """Give a new bucket."""
    return kit.s3_bucket(moto, f"bucket-{next(_numbers)}")


@pytest.fixture
def proxied(moto: str) -> Iterator[tuple[kit.Bucket, kit.Proxy]]:
    """Give a new bucket that is reached through a proxy."""
    with kit.Proxy(moto) as proxy:
        yield kit.s3_bucket(moto, f"bucket-{next(_numbers)}", proxy.endpoint), proxy


def _table(bucket: kit.Bucket, path: str = "in", **given: Any) -> Table:
    options = bucket.options | QUICK | {"path": f"{bucket.uri}/{path}", "format": "json"} | given.pop("options", {})
    return table("filesystem", given.pop("columns", COLUMNS), options, **given)


def _frame(ids: range, **columns: pl.Expr) -> pl.DataFrame:
    return pl.DataFrame({"id": list(ids)}, schema={"id": pl.Int64}).with_columns(
        name=pl.format("n{}", pl.col("id")), **columns
    )


def _json(ids: range) -> bytes:
    return b"".join(b'{"id": %d, "name": "n%d"}\n' % (i, i) for i in ids)


def _opened(of: Table, folder: Path, staged: Any = None, epoch: int = 0) -> StagedSink:
    made = sink(of, context(folder))
    assert isinstance(made, StagedSink)
    made.open(staged, epoch)
    return made


def _ids(bucket: kit.Bucket, prefix: str = "out") -> list[int]:
    """Read the ids of all NDJSON objects by other means than our own."""
    keys = [k for k in bucket.listed(prefix) if not k.endswith("_SUCCESS")]
    return sorted(i for k in keys for i in pl.read_ndjson(bucket.get(k))["id"].to_list())


def _drain(reader: Reader) -> list[Block]:
    """Read until all partitions have ended."""
    blocks: list[Block] = []
    live: set[str] = set()
    seen = False
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        blocks += reader.poll(Limit(wait_seconds=0.05))
        for change in reader.changes():
            (live.add if isinstance(change, Assigned) else live.discard)(change.partition)
            seen = True
        if seen and not live:
            return blocks
    raise AssertionError("the source did not end")


def _write(of: Table, folder: Path, rows: pl.DataFrame) -> None:
    writing = _opened(of, folder)
    writing.write(rows)
    writing.finish()
    writing.commit(1, writing.prepare(1))
    writing.close()


def _read(of: Table, folder: Path) -> tuple[int, list[str]]:
    """Read a table: how many rows it has, and its partitions."""
    reader = source(of, where=context(folder)).open({})
    blocks = _drain(reader)
    reader.close()
    return sum(len(b) for b in blocks), sorted({b.partition for b in blocks})


@pytest.mark.parametrize("format_name", ["json", "csv", "parquet", "avro", "raw"])
def test_what_is_written_is_read(bucket: kit.Bucket, tmp_path: Path, format_name: str) -> None:
    columns = {"name": STRING} if format_name == "raw" else COLUMNS
    of = _table(bucket, "a folder/x", options={"format": format_name}, columns=columns)

    _write(of, tmp_path, _frame(range(1000)).select(list(columns)))

    (key,) = bucket.listed()
    assert key.startswith("a folder/x/part-")
    assert key.endswith(f".{format_name}")
    assert _read(of, tmp_path) == (1000, [key.removeprefix("a folder/x/")])
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_azure(azurite: str, tmp_path: Path) -> None:
    """The same on Azure's API: roundtrip, partitions, a second put of the same name, and a container that is not there."""
    bucket = kit.azure_container(azurite, f"container-{next(_numbers)}")
    columns = COLUMNS | {"day": DATE}
    of = _table(bucket, "out", columns=columns, partitioned_by=("day",))
    writing = _opened(of, tmp_path)
    writing.write(_frame(range(10), day=pl.date(2026, 1, 1) + pl.duration(days=pl.col("id") % 2)))
    writing.finish()
    staged = writing.prepare(1)
    writing.commit(1, staged)
    writing.close()

    again = _opened(of, tmp_path, staged, 1)
    again.close()

    assert _ids(bucket) == list(range(10))
    assert {k.split("/")[1] for k in bucket.listed()} == {"day=2026-01-01", "day=2026-01-02"}
    assert _read(of, tmp_path)[0] == 10
    missing = _table(kit.Bucket("az://nowhere", bucket.options, None), "out")
    assert "there is no bucket 'az://nowhere'" in source(missing).check().message
    wrong = _table(bucket, "out", options={"azure.account-key": "d3Jvbmc="})
    assert "403" in source(wrong).check().message


class _Crash(Exception):  # noqa: N818 - it stands for a crash, not for an error
    """The process is gone."""


def _crashing(function: Callable[..., Any], now: Callable[[], bool], *, after: bool) -> Callable[..., Any]:
    """Give a function that crashes before or after it does something, when `now` says so."""

    def call(*arguments: Any, **named: Any) -> Any:
        crashes = now()
        if crashes and not after:
            raise _Crash
        given = function(*arguments, **named)
        if crashes:
            raise _Crash
        return given

    return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_crash_at_any_put_or_delete(
    bucket: kit.Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool
) -> None:
    """Each epoch is seen whole and once, wherever the sink stopped in between its puts and the deletes that follow."""
    of = _table(bucket, "out", options={"sink.rolling-policy.file-size": "100"})
    calls = itertools.count(1)
    for owner, name in ((obstore, "put"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, _crashing(getattr(owner, name), lambda: next(calls) == at, after=after))
    epoch, staged, crashes = 0, None, 0
    while epoch < 3:
        try:
            writing = _opened(of, tmp_path, staged, epoch)
            if staged is not None:
                assert _ids(bucket) == list(range(epoch * 10))
            while epoch < 3:
                for i in range(2):
                    writing.write(_frame(range(epoch * 10 + i * 5, epoch * 10 + i * 5 + 5)))
                if epoch == 2:
                    writing.finish()
                staged = writing.prepare(epoch + 1)
                epoch += 1
                writing.commit(epoch, staged)
        except _Crash:
            crashes += 1
    _opened(of, tmp_path, staged, epoch).close()

    assert crashes == 1
    assert _ids(bucket) == list(range(30))


def test_partitions_and_success_files(bucket: kit.Bucket, tmp_path: Path) -> None:
    options = {"sink.partition-commit.policy.kind": "success-file"}
    of = _table(bucket, "out", columns=COLUMNS | {"shop": STRING}, partitioned_by=("shop",), options=options)

    _write(of, tmp_path, _frame(range(6), shop=pl.concat_str(pl.lit("a/b:"), pl.col("id") % 2)))

    folders = {k.rpartition("/")[0] for k in bucket.listed()}
    assert folders == {"out/shop=a%2Fb%3A0", "out/shop=a%2Fb%3A1"}
    assert sum(k.endswith("/_SUCCESS") for k in bucket.listed()) == 2
    reader = source(of, where=context(tmp_path)).open({})
    blocks = _drain(reader)
    reader.close()
    shops = {b.metadata["shop"][0] for b in blocks if b.metadata is not None}
    assert shops == {"a/b:0", "a/b:1"}


def test_patterns_hidden_names_and_metadata(bucket: kit.Bucket, tmp_path: Path) -> None:
    for key in ("in/9.json", "in/10.json", "in/a/b/11.json", "in/_x/1.json", "in/.y.json", "in/other.csv"):
        bucket.put(key, _json(range(2)))
    columns = ("file.path", "STRING"), ("file.name", "STRING"), ("file.size", "BIGINT")
    types = {"STRING": STRING, "BIGINT": BIGINT}
    metadata = tuple(MetadataColumn(k.replace(".", "_"), types[t], k, virtual=True) for k, t in columns)

    assert _read(_table(bucket, "in/*.json"), tmp_path) == (4, ["10.json", "9.json"])
    assert _read(_table(bucket, "in/**/*.json"), tmp_path) == (6, ["10.json", "9.json", "a/b/11.json"])
    assert _read(_table(bucket, "in/[0-8]*.json"), tmp_path) == (2, ["10.json"])
    assert _read(_table(bucket, "in/9.json"), tmp_path) == (2, ["9.json"])
    only = _table(bucket, "in", options={"source.path.regex-pattern": ".*/1[01][.]json"}, metadata=metadata)
    reader = source(only, where=context(tmp_path)).open({})
    blocks = _drain(reader)
    reader.close()
    assert [b.partition for b in blocks] == ["a/b/11.json", "10.json"]
    assert blocks[0].metadata is not None
    assert blocks[0].metadata.row(0) == (f"{bucket.uri}/in/a/b/11.json", "11.json", len(_json(range(2))))


def test_reading_goes_on_in_the_middle(bucket: kit.Bucket, tmp_path: Path) -> None:
    """Whatever position was reached, the rest comes after a restart: also of a list that comes late."""
    bucket.put("in/1.json", _json(range(50)))
    bucket.put("in/2.json", _json(range(50, 80)))
    made = source(_table(bucket), where=context(tmp_path))
    reader = made.open({})
    reader.changes()
    positions: dict[str, Any] = {}
    rows: list[bytes | None] = []
    for _ in range(200):
        for block in reader.poll(Limit(rows=7, wait_seconds=0.1)):
            assert not isinstance(block.values, pl.DataFrame)
            rows += [block.values.row(i) for i in range(len(block))]
            positions[block.partition] = block.position
        reader.close()
        reader = made.open(positions)
        reader.changes()
        if len(rows) >= 80:
            break
    reader.close()

    assert rows == _json(range(80)).splitlines()


def test_an_object_that_is_listed_late(bucket: kit.Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that was begun is looked for by its name where the list does not show it; one that is gone is an error."""
    bucket.put("in/1.json", _json(range(10)))
    bucket.put("in/2.json", _json(range(10)))
    made = source(_table(bucket), where=context(tmp_path))
    reader = made.open({})
    reader.changes()
    (block,) = _first(reader, 3)
    reader.close()
    below = listing._below
    monkeypatch.setattr(listing, "_below", lambda *a: (e for e in below(*a) if e.name != "1.json"))

    reader = made.open({"1.json": block.position})
    rest = _drain(reader)
    reader.close()

    assert sum(len(b) for b in rest if b.partition == "1.json") == 7
    obstore.delete(bucket.store, "in/1.json")
    with pytest.raises(TerminalError, match="has changed since it was read: it is gone, with unread rows"):
        made.open({"1.json": block.position})


def _first(reader: Any, rows: int) -> list[Any]:
    for _ in range(100):
        blocks: list[Any] = reader.poll(Limit(rows=rows, wait_seconds=0.1))
        if blocks:
            return blocks
    raise AssertionError("nothing came")


def test_a_replaced_object(bucket: kit.Bucket, tmp_path: Path) -> None:
    bucket.put("in/1.json", _json(range(10)))
    reader = source(_table(bucket), where=context(tmp_path)).open({})
    reader.changes()
    (block,) = _first(reader, 3)
    reader.close()
    bucket.put("in/1.json", _json(range(20)))

    with pytest.raises(TerminalError, match="has changed since it was read: it is another one"):
        source(_table(bucket), where=context(tmp_path)).open({"1.json": block.position})
    restarting = _table(bucket, options={"tailrace.on-file-change": "restart"})
    reader = source(restarting, where=context(tmp_path)).open({"1.json": block.position})
    assert sum(map(len, _drain(reader))) == 20
    reader.close()


def test_replaced_before_it_was_read(bucket: kit.Bucket, tmp_path: Path) -> None:
    """An object that changes between the list and its first byte is read as it is then."""
    bucket.put("in/1.json", _json(range(10)))
    reader = source(_table(bucket), where=context(tmp_path)).open({})
    bucket.put("in/1.json", _json(range(25)))
    rows = sum(map(len, _drain(reader)))
    reader.close()

    assert rows == 25


def test_watching(bucket: kit.Bucket, tmp_path: Path) -> None:
    """New objects are found by looks at the list; an empty folder is waited at."""
    clock = ManualClock(1_767_225_600_000)
    of = _table(bucket, options={"source.monitor-interval": "5 s"})
    made = source(of, where=context(tmp_path, clock))
    reader = made.open({})
    assert not made.bounded
    assert reader.poll(Limit(wait_seconds=0.0)) == []
    seen: list[str] = []
    for n in (1, 2, 3):
        bucket.put(f"in/{n}.json", _json(range(n)))
        clock.advance(5_000)
        deadline = time.monotonic() + 10
        while f"{n}.json" not in seen and time.monotonic() < deadline:
            reader.changes()
            seen += [b.partition for b in reader.poll(Limit(wait_seconds=0.02))]
    reader.close()

    assert seen == ["1.json", "2.json", "3.json"]


def _failing(times: int, status: int = 503) -> kit.Spoil:
    left = [times]

    def spoil(asked: kit.Request) -> kit.Answer:
        left[0] -= 1
        return kit.Answer(status, [("Content-Length", "0")], b"") if left[0] >= 0 else asked.forward()

    return spoil


def test_503_is_tried_again(proxied: tuple[kit.Bucket, kit.Proxy], tmp_path: Path) -> None:
    bucket, proxy = proxied
    bucket.put("in/1.json", _json(range(10)))
    of = _table(bucket, options={"tailrace.object.retry-timeout": "10 s"})
    proxy.spoil = _failing(2)
    assert _read(of, tmp_path)[0] == 10
    proxy.spoil = _failing(2)
    _write(_table(bucket, "out", options={"tailrace.object.retry-timeout": "10 s"}), tmp_path, _frame(range(10)))

    assert _ids(bucket) == list(range(10))
    assert len(proxy.requests) > 4


def test_a_store_that_stays_away_is_waited_for(proxied: tuple[kit.Bucket, kit.Proxy], tmp_path: Path) -> None:
    """Past the first tries the error says that it may be tried again; what is staged is put later, once."""
    bucket, proxy = proxied
    bucket.put("in/1.json", _json(range(10)))
    reader = source(_table(bucket), where=context(tmp_path)).open({})
    writing = _opened(_table(bucket, "out"), tmp_path)
    writing.write(_frame(range(10)))
    writing.finish()
    staged = writing.prepare(1)
    proxy.spoil = _failing(1 << 30)
    reader.changes()
    with pytest.raises(TransientError, match="503"):
        _first(reader, 10)
    with pytest.raises(TransientError, match="503"):
        writing.commit(1, staged)
    assert bucket.listed("out") == []

    proxy.spoil = None
    writing.commit(1, staged)
    assert sum(len(b) for b in _first(reader, 10)) == 10
    assert _ids(bucket) == list(range(10))
    reader.close()
    writing.close()


@pytest.mark.parametrize("how", ["cut", "503"])
def test_an_answer_that_is_lost(proxied: tuple[kit.Bucket, kit.Proxy], tmp_path: Path, how: str) -> None:
    """A put that was done, and whose answer was lost, is done again and found to be the same."""
    bucket, proxy = proxied
    lost = [0]

    def spoil(asked: kit.Request) -> kit.Answer | None:
        answer = asked.forward()
        if asked.method != "PUT" or lost[0]:
            return answer
        lost[0] += 1
        return None if how == "cut" else kit.Answer(503, [("Content-Length", "0")], b"")

    proxy.spoil = spoil
    writing = _opened(_table(bucket, "out"), tmp_path)
    writing.write(_frame(range(10)))
    writing.finish()
    staged = writing.prepare(1)
    try:
        writing.commit(1, staged)
    except TransientError:
        writing.commit(1, staged)
    writing.close()

    assert lost == [1]
    assert _ids(bucket) == list(range(10))


def test_a_slow_store(proxied: tuple[kit.Bucket, kit.Proxy], tmp_path: Path) -> None:
    """A request that takes longer than it may is given up, and says so; reading does not wait for it."""
    bucket, proxy = proxied
    bucket.put("in/1.json", _json(range(10)))
    options = {"tailrace.object.timeout": "300 ms"}
    reader = source(_table(bucket, options=options), where=context(tmp_path)).open({})
    reader.changes()

    def slow(asked: kit.Request) -> kit.Answer:
        time.sleep(1.0)
        return asked.forward()

    proxy.spoil = slow
    begun = time.monotonic()
    assert reader.poll(Limit(wait_seconds=0.02)) == []
    assert time.monotonic() - begun < 0.25
    with pytest.raises(TransientError):
        _first(reader, 10)
    proxy.spoil = None
    assert sum(len(b) for b in _first(reader, 10)) == 10
    reader.close()


def test_a_name_that_is_taken(bucket: kit.Bucket, tmp_path: Path) -> None:
    writing = _opened(_table(bucket, "out"), tmp_path)
    writing.write(_frame(range(10)))
    writing.finish()
    staged = writing.prepare(1)
    bucket.put(f"out/{staged['publish'][0]}", b"another")

    with pytest.raises(TerminalError, match="an object of this name exists"):
        writing.commit(1, staged)
    writing.close()
    assert bucket.get(f"out/{staged['publish'][0]}") == b"another"


def test_an_older_checkpoint_is_refused(bucket: kit.Bucket, tmp_path: Path) -> None:
    """Rows that were published after the checkpoint would come twice."""
    of = _table(bucket, "out", options={"format": "parquet"})
    writing = _opened(of, tmp_path)
    writing.write(_frame(range(3)))
    first = writing.prepare(1)
    writing.commit(1, first)
    writing.write(_frame(range(3)))
    writing.commit(2, writing.prepare(2))
    writing.close()

    with pytest.raises(TerminalError, match="was published after the checkpoint that is restored"):
        _opened(of, tmp_path, first, 1)


def test_lost_state_is_told(bucket: kit.Bucket, tmp_path: Path) -> None:
    of = _table(bucket, "out")
    writing = _opened(of, tmp_path / "one")
    writing.write(_frame(range(3)))
    writing.finish()
    staged = writing.prepare(1)
    writing.close()

    with pytest.raises(TerminalError, match="neither in the store nor on this machine"):
        _opened(of, tmp_path / "two", staged, 1)


def _wrong(of: Table) -> TailraceError:
    """Give the error of a source and of a sink; `check` says the same."""
    with pytest.raises(TailraceError) as reading:
        source(of).open({})
    report = source(of).check()
    assert not report.ok
    assert reading.value.message in report.message
    made: Sink = sink(of)
    assert not made.check().ok
    made.close()
    return reading.value


def test_a_bucket_that_is_not_there(bucket: kit.Bucket) -> None:
    of = _table(kit.Bucket("s3://nowhere", bucket.options, None))

    error = _wrong(of)

    assert isinstance(error, ConfigError)
    assert error.message == "there is no bucket 's3://nowhere'"


def test_wrong_credentials(proxied: tuple[kit.Bucket, kit.Proxy]) -> None:
    bucket, proxy = proxied
    body = b"<Error><Code>InvalidAccessKeyId</Code><Message>The key does not exist</Message></Error>"
    proxy.spoil = lambda *_: kit.Answer(403, [("Content-Length", str(len(body)))], body)

    error = _wrong(_table(bucket))

    assert isinstance(error, TerminalError)
    assert "credentials" in error.hint
    assert "tailrace-secret" not in repr(error)


def test_a_store_that_is_down(bucket: kit.Bucket) -> None:
    error = _wrong(_table(bucket, options={"s3.endpoint": "http://127.0.0.1:1"}))

    assert isinstance(error, TransientError)


def test_nothing_there(bucket: kit.Bucket) -> None:
    for path, message in (("none", "there is no object"), ("none/*.json", "no object matches")):
        with pytest.raises(ConfigError, match=message):
            source(_table(bucket, path)).open({})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "s3:///x"}, "names no bucket"),
        ({"s3.endpoint": "ftp://x"}, "is no http: or https: URL"),
        ({"sink.rolling-policy.file-size": "2 gb"}, "at most 1 gb"),
    ],
    ids=["bucket", "endpoint", "size"],
)
def test_options_that_are_wrong(bucket: kit.Bucket, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sink(_table(bucket, options=options))


def test_the_library_is_not_installed(bucket: kit.Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)

    with pytest.raises(ConfigError, match="paths in object stores need") as error:
        source(_table(bucket))
    assert error.value.hint == "pip install 'tailrace[objects]'"
