"""The sink: exactly once whatever point it crashes at; rolling, partitions, success files and full disks."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filesystem_kit as kit
import polars as pl
import pytest

from tailrace.clock import ManualClock
from tailrace.connectors.filesystem import staging
from tailrace.connectors.filesystem.sink import FileSink
from tailrace.engine.batch import KIND
from tailrace.errors import ConfigError, TerminalError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, DATE, STRING


class Crash(Exception):  # noqa: N818 - it stands for a crash, not for an error
    """The process is gone."""


def _table(folder: Path, options: dict[str, str] | None = None, *, partitioned: bool = False) -> Table:
    given = {"path": str(folder / "out"), "format": "json"}
    given |= options or {}
    columns = {"id": BIGINT, "name": STRING} | ({"shop": STRING} if partitioned else {})
    return kit.table(given, columns, ("shop",) if partitioned else ())


def _shops(ids: range) -> pl.DataFrame:
    return kit.frame(ids).with_columns(shop=pl.col("id").mod(3).cast(pl.String))


ROLLS_OFTEN = {"sink.rolling-policy.file-size": "100"}
KINDS: dict[str, tuple[bool, dict[str, str]]] = {
    "plain": (False, {}),
    "rolling": (False, ROLLS_OFTEN),
    "partitioned": (True, ROLLS_OFTEN | {"sink.partition-commit.policy.kind": "success-file"}),
    "parquet": (True, ROLLS_OFTEN | {"format": "parquet"}),
    "gathered": (True, {"format": "parquet", "auto-compaction": "true", "compaction.file-size": "3 kb"}),
    "gzip": (False, {"tailrace.compression": "gzip"}),
    "zstd": (False, {"tailrace.compression": "zstd"}),
}


def _ids(folder: Path) -> list[int]:
    """Read the published files by other means than our own."""
    given: list[int] = []
    for path in kit.published(folder / "out"):
        if path.suffix == ".parquet":
            given += pl.read_parquet(path, hive_partitioning=False)["id"].to_list()
        elif path.stat().st_size:
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path
            given += pl.read_ndjson(data)["id"].to_list()
    return sorted(given)


class Script:
    """A job that writes ids in epochs, and crashes at the n-th call of a system function."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.partitioned, options = KINDS[kind]
        self.folder = folder
        self.table = _table(folder, options, partitioned=self.partitioned)
        self.durable: tuple[int, Any] = (0, None)

    def run(self, *, epochs: int) -> None:
        """Go on after the durable epoch; a checkpoint is durable between prepare and commit."""
        sink = kit.sink(self.table, self.folder)
        epoch, staged = self.durable
        sink.open(staged, epoch)
        while epoch < epochs:
            for i in range(2):
                start = epoch * 20 + i * 10
                ids = range(start, start + 10)
                sink.write(_shops(ids) if self.partitioned else kit.frame(ids))
            epoch += 1
            if epoch == epochs:
                sink.finish()
            staged = sink.prepare(epoch)
            self.durable = (epoch, staged)
            sink.commit(epoch, staged)
        sink.close()


@contextlib.contextmanager
def _crashing(monkeypatch: pytest.MonkeyPatch, function: str, at: int, *, after: bool) -> Iterator[list[int]]:
    """Let the n-th call of an `os` function be the last, done or not; from then on every call fails."""
    original: Callable[..., Any] = getattr(os, function)
    calls = [0]

    def patched(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] >= at:
            if after and calls[0] == at:
                original(*args, **kwargs)
            raise Crash
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, function, patched)
        yield calls


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", ["replace", "fsync", "write", "open", "mkdir"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_call_gives_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, function: str, after: bool
) -> None:
    """P1, P4: stopped before or after each call in turn, also in recovery, the rows are the same, once each."""
    crashes = 0
    for at in range(1, 400, 1 if kind == "plain" else 3):
        script = Script(tmp_path / str(at), kind)
        script.folder.mkdir()
        with _crashing(monkeypatch, function, at, after=after) as calls, contextlib.suppress(Crash):
            script.run(epochs=2)
        if calls[0] < at:
            break  # the whole run made fewer calls
        crashes += 1
        with _crashing(monkeypatch, function, 2, after=after), contextlib.suppress(Crash):
            script.run(epochs=3)
        script.run(epochs=3)
        assert _ids(script.folder) == list(range(60)), f"crash at call {at} of {function}"
        assert not list((script.folder / "out").rglob("*.inprogress"))
    assert crashes > 0 or (function == "write" and kind in {"parquet", "gathered"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["written", "prepared", "durable", "committed", "committed twice"])
def test_a_dropped_sink_is_recovered(tmp_path: Path, kind: str, moment: str) -> None:
    """After each step of an epoch the object is dropped; a new one gives the same rows, once each."""
    partitioned, options = KINDS[kind]
    table = _table(tmp_path, options, partitioned=partitioned)
    make = _shops if partitioned else kit.frame
    first = kit.sink(table, tmp_path)
    first.open(None, 0)
    first.write(make(range(10)))
    durable = first.prepare(1)
    first.commit(1, durable)
    first.write(make(range(10, 20)))
    saved: tuple[int, Any] = (1, durable)
    if moment != "written":
        staged = first.prepare(2)
        saved = saved if moment == "prepared" else (2, staged)
        for _ in range(("committed", "committed twice").index(moment) + 1 if moment.startswith("committed") else 0):
            first.commit(2, staged)
        first.write(make(range(900, 990)))
    second = kit.sink(table, tmp_path)
    second.open(saved[1], saved[0])
    second.open(saved[1], saved[0])
    second.write(make(range(10 if saved[0] == 1 else 20, 30)))
    second.finish()
    last = second.prepare(3)
    second.commit(3, last)
    second.close()
    assert _ids(tmp_path) == list(range(30))


def _epoch(sink: FileSink, number: int) -> Any:
    staged = sink.prepare(number)
    sink.commit(number, staged)
    return staged


def test_nothing_is_seen_before_its_commit(tmp_path: Path) -> None:
    """Rows in progress, or prepared and not committed, are in hidden files only."""
    sink = kit.sink(_table(tmp_path), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(5)))
    sink.finish()
    staged = sink.prepare(1)
    assert kit.published(tmp_path / "out") == []
    sink.commit(1, staged)
    assert kit.ids_in(tmp_path / "out") == list(range(5))


def test_files_are_rolled_by_size_and_go_on_over_epochs(tmp_path: Path) -> None:
    """A part stays open over epochs until it is large enough, and is named by the job and a number."""
    sink = kit.sink(_table(tmp_path, {"sink.rolling-policy.file-size": "250"}), tmp_path)
    sink.open(None, 0)
    for epoch in range(1, 7):
        sink.write(kit.frame(range(epoch * 10, epoch * 10 + 4)))
        _epoch(sink, epoch)
    names = [p.name for p in kit.published(tmp_path / "out")]
    assert len(names) == 2
    assert [n.rsplit("-", 1)[1] for n in names] == ["0.json", "1.json"]
    sizes = [p.stat().st_size for p in kit.published(tmp_path / "out")]
    assert all(250 <= s < 400 for s in sizes)


@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_a_large_batch_is_spread_over_files(tmp_path: Path, ending: str) -> None:
    """The size of files does not depend on how many rows come at a time; also in a part that was gone on with."""
    options = {"sink.rolling-policy.file-size": "20 kb"}
    options |= {"tailrace.compression": "gzip"} if ending == "json.gz" else {}
    sink = kit.sink(_table(tmp_path, options), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(300)))
    staged = sink.prepare(1)
    sink.commit(1, staged)
    sink.close()
    again = kit.sink(_table(tmp_path, options), tmp_path)
    again.open(staged, 1)
    again.write(kit.frame(range(300, 60_000)))
    again.finish()
    again.commit(2, again.prepare(2))
    smallest, *sizes = sorted(p.stat().st_size for p in kit.published(tmp_path / "out"))
    assert len(sizes) > 5
    assert smallest <= 60_000
    assert all(20_000 <= s <= 60_000 for s in sizes), sizes


@pytest.mark.parametrize("policy", ["rollover-interval", "inactivity-interval"])
def test_files_are_rolled_by_time_without_rows(tmp_path: Path, policy: str) -> None:
    """A part that is old or idle is published by the next checkpoint, though no row came."""
    clock = ManualClock()
    sink = kit.sink(_table(tmp_path, {f"sink.rolling-policy.{policy}": "10 s"}), tmp_path, clock)
    sink.open(None, 0)
    sink.write(kit.frame(range(3)))
    clock.advance(9_000)
    _epoch(sink, 1)
    assert kit.published(tmp_path / "out") == []
    clock.advance(1_000)
    _epoch(sink, 2)
    assert kit.ids_in(tmp_path / "out") == [0, 1, 2]


def test_partitions_are_folders_and_not_in_the_files(tmp_path: Path) -> None:
    """Rows go to `key=value`; NULL and empty text to the default; the column is not in the rows; order is kept."""
    sink = kit.sink(_table(tmp_path, partitioned=True), tmp_path)
    sink.open(None, 0)
    shops = ["b", None, "a/c", "b", ""]
    sink.write(kit.frame(range(5)).with_columns(shop=pl.Series(shops, dtype=pl.String)))
    sink.finish()
    _epoch(sink, 1)
    given = {p.parent.name: pl.read_ndjson(p).rows() for p in kit.published(tmp_path / "out")}
    assert given == {
        "shop=b": [(0, "n0"), (3, "n3")],
        "shop=a%2Fc": [(2, "n2")],
        "shop=__DEFAULT_PARTITION__": [(1, "n1"), (4, "n4")],
    }


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Partition values, with signs and NULL, come back as they were written."""
    columns = {"id": BIGINT, "shop": STRING, "day": DATE}
    options = {"path": str(tmp_path / "out"), "format": "parquet"}
    declared = kit.table(options, columns, ("shop", "day"))
    rows = pl.DataFrame({"id": [1, 2], "shop": ["a=/%b", None], "day": ["2024-01-31", None]})
    rows = rows.with_columns(pl.col("day").str.to_date())
    sink = kit.sink(declared, tmp_path)
    sink.open(None, 0)
    sink.write(rows)
    sink.finish()
    _epoch(sink, 1)
    blocks = kit.drain(kit.source(declared, tmp_path).open({}))
    back = pl.concat([b.values for b in blocks if isinstance(b.values, pl.DataFrame)]).select("id", "shop", "day")
    assert sorted(back.rows()) == sorted(rows.rows())


def test_the_success_file_comes_after_the_delay_with_all_rows(tmp_path: Path) -> None:
    """A partition is marked when its first row is old enough; everything written to it so far is then seen."""
    clock = ManualClock(1_000_000)
    options = {"sink.partition-commit.policy.kind": "success-file", "sink.partition-commit.delay": "1 min"}
    sink = kit.sink(_table(tmp_path, options, partitioned=True), tmp_path, clock)
    sink.open(None, 0)
    sink.write(_shops(range(3)))
    staged = _epoch(sink, 1)
    assert not list(tmp_path.rglob("_SUCCESS"))
    clock.advance(60_000)
    again = kit.sink(_table(tmp_path, options, partitioned=True), tmp_path, clock)
    again.open(staged, 1)
    _epoch(again, 2)
    assert {p.parent.name for p in tmp_path.rglob("_SUCCESS")} == {"shop=0", "shop=1", "shop=2"}
    assert _ids(tmp_path) == [0, 1, 2]


def test_a_bounded_run_marks_its_folder(tmp_path: Path) -> None:
    """A table without partitions gets its success file when all rows are written."""
    options = {
        "sink.partition-commit.policy.kind": "success-file",
        "sink.partition-commit.success-file.name": "_DONE",
    }
    sink = kit.sink(_table(tmp_path, options), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(3)))
    _epoch(sink, 1)
    assert not (tmp_path / "out" / "_DONE").exists()
    sink.finish()
    _epoch(sink, 2)
    assert (tmp_path / "out" / "_DONE").exists()


def test_a_new_run_keeps_the_files_of_the_old_one(tmp_path: Path) -> None:
    """With a new state, the same job appends new files and drops only what it left unfinished."""
    for start in (0, 10):
        sink = kit.sink(_table(tmp_path), tmp_path)
        sink.open(None, 0)
        sink.write(kit.frame(range(start, start + 10)))
        sink.finish()
        _epoch(sink, 1)
        sink.write(kit.frame(range(100, 110)))
        sink.close()
    (tmp_path / "out" / ".part-00000000-7.json.inprogress").write_bytes(b"of another job")
    last = kit.sink(_table(tmp_path), tmp_path)
    last.open(None, 0)
    assert kit.ids_in(tmp_path / "out") == list(range(20))
    assert [p.name for p in (tmp_path / "out").glob(".*")] == [".part-00000000-7.json.inprogress"]


def test_an_older_checkpoint_than_the_output_is_refused(tmp_path: Path) -> None:
    """S4: rows that are seen already would come twice; the error says which file."""
    sink = kit.sink(_table(tmp_path, ROLLS_OFTEN), tmp_path)
    sink.open(None, 0)
    old = _epoch(sink, 1)
    sink.write(kit.frame(range(50)))
    _epoch(sink, 2)
    again = kit.sink(_table(tmp_path, ROLLS_OFTEN), tmp_path)
    with pytest.raises(TerminalError, match="was published after the checkpoint"):
        again.open(old, 1)
    assert _ids(tmp_path) == list(range(50))


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_staged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """A file in progress that lost bytes is never gone on with."""
    sink = kit.sink(_table(tmp_path), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(9)))
    staged = sink.prepare(1)
    (hidden,) = (tmp_path / "out").glob(".part*")
    if damage == "cut":
        os.truncate(hidden, 3)
    else:
        hidden.unlink()
    again = kit.sink(_table(tmp_path), tmp_path)
    with pytest.raises(TerminalError, match=r"the checkpoint says|can't open"):
        again.open(staged, 1)


@pytest.mark.parametrize(
    ("function", "number"), [("write", errno.ENOSPC), ("fsync", errno.EIO), ("write", errno.EROFS)]
)
def test_a_disk_error_stops_clearly_and_keeps_what_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    """S1, S2: one error with the reason and what to do; earlier files are intact, and the next run goes on."""
    table = _table(tmp_path, ROLLS_OFTEN)
    sink = kit.sink(table, tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(20)))
    staged = _epoch(sink, 1)

    def refuse(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, refuse)
        with pytest.raises(TerminalError, match=os.strerror(number)) as raised:
            sink.write(kit.frame(range(20, 40)))
    assert raised.value.hint
    assert _ids(tmp_path) == list(range(20))
    again = kit.sink(table, tmp_path)
    again.open(staged, 1)
    again.write(kit.frame(range(20, 40)))
    again.finish()
    _epoch(again, 2)
    assert _ids(tmp_path) == list(range(40))


@pytest.mark.parametrize("function", ["fsync", "open", "write", "mkdir"])
def test_the_error_of_any_call_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """S1, S2: whichever call of an epoch the disk refuses, the error is ours and names what is below the folder."""
    real = getattr(os, function)
    refused = 0
    for number in range(1, 30):
        sink = kit.sink(_table(tmp_path / str(number), ROLLS_OFTEN), tmp_path / str(number))
        calls = 0

        def refuse(*given: Any, at: int = number, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*given, **more)

        (tmp_path / str(number)).mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(os, function, refuse)
            try:
                sink.open(None, 0)
                sink.write(kit.frame(range(20)))
                sink.commit(1, sink.prepare(1))
            except TerminalError as error:
                refused += 1
                assert str(tmp_path) in error.message  # noqa: PT017  any call may be the one
        sink.close()
    assert refused >= {"fsync": 3, "open": 3}.get(function, 1)


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3: a system that takes a few bytes at a time gets all of them."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:7]))
    sink = kit.sink(_table(tmp_path), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(100)))
    sink.finish()
    _epoch(sink, 1)
    assert kit.ids_in(tmp_path / "out") == list(range(100))


def test_updates_are_refused(tmp_path: Path) -> None:
    """Only new rows can be appended to files."""
    sink = kit.sink(_table(tmp_path), tmp_path)
    sink.open(None, 0)
    sink.write(kit.frame(range(2)).with_columns(pl.lit(0, pl.Int8).alias(KIND)))
    with pytest.raises(TerminalError, match="only new rows"):
        sink.write(kit.frame(range(2)).with_columns(pl.lit(2, pl.Int8).alias(KIND)))


def test_many_partitions_do_not_keep_many_files_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: beyond a bound, the part that has waited longest is closed."""
    monkeypatch.setattr("tailrace.connectors.filesystem.sink.MAX_OPEN", 4)
    sink = kit.sink(_table(tmp_path, partitioned=True), tmp_path)
    sink.open(None, 0)
    before = kit.open_files()
    sink.write(kit.frame(range(50)).with_columns(shop=pl.col("id").cast(pl.String)))
    assert kit.open_files() <= before + 4
    sink.finish()
    _epoch(sink, 1)
    assert _ids(tmp_path) == list(range(50))


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A sink needs a folder; what can't become one is said before anything runs."""
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        kit.sink(_table(tmp_path), tmp_path)


def test_check_makes_nothing(tmp_path: Path) -> None:
    """The report says where it writes, and leaves the disk alone."""
    report = kit.sink(_table(tmp_path), tmp_path).check()
    assert report.ok
    assert "exactly once" in report.message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sink.partition-commit.policy.kind": "metastore"}, "no metastore"),
        ({"sink.partition-commit.trigger": "partition-time"}, "process-time"),
        ({"sink.rolling-policy.file-sizes": "1"}, "did you mean 'sink.rolling-policy.file-size'"),
        ({"format": "orc"}, "no format 'orc'"),
        ({"format": "jsn"}, "did you mean 'json'"),
        (
            {"sink.partition-commit.policy.kind": "success-file", "sink.partition-commit.success-file.name": "a/b"},
            "no name",
        ),
    ],
)
def test_options_that_can_not_be_kept_are_refused(tmp_path: Path, options: dict[str, str], said: str) -> None:
    """Each is one error that says why, or what was meant."""
    with pytest.raises(ConfigError, match=said):
        kit.sink(_table(tmp_path, options), tmp_path)


def test_a_staged_value_of_something_else_is_refused() -> None:
    """A checkpoint that is not of this sink is named as such."""
    with pytest.raises(TerminalError, match="no staged files"):
        staging.Staged.from_json({"tag": "x"})


def test_parquet_files_are_gathered_over_checkpoints(tmp_path: Path) -> None:
    """With `auto-compaction` a checkpoint makes rows durable and closes no file: one comes of many, when it is old or large enough."""
    clock = ManualClock(1_767_225_600_000)
    of = _table(tmp_path, {"format": "parquet", "auto-compaction": "true", "compaction.file-size": "1 mb"})
    sink = kit.sink(of, tmp_path, clock)
    sink.open(None, 0)
    for epoch in range(1, 6):
        sink.write(kit.frame(range(epoch * 10, epoch * 10 + 10)))
        staged = sink.prepare(epoch)
        sink.commit(epoch, staged)
    assert (list(staged["pieces"].values()), kit.published(tmp_path / "out")) == ([5], [])
    sink.close()

    again = kit.sink(of, tmp_path, clock)
    again.open(staged, 5)
    again.write(kit.frame(range(60, 70)))
    clock.advance(31 * 60_000)
    again.commit(6, again.prepare(6))

    (whole,) = kit.published(tmp_path / "out")
    assert pl.read_parquet(whole)["id"].to_list() == list(range(10, 70))
    assert [p.name for p in (tmp_path / "out").iterdir()] == [whole.name]


def test_a_gathered_file_of_the_size(tmp_path: Path) -> None:
    of = _table(tmp_path, {"format": "parquet", "auto-compaction": "true", "compaction.file-size": "20 kb"})
    sink = kit.sink(of, tmp_path)
    sink.open(None, 0)
    for epoch in range(1, 40):
        sink.write(kit.frame(range(epoch * 500, epoch * 500 + 500)))
        sink.commit(epoch, sink.prepare(epoch))
    sink.finish()
    sink.commit(40, sink.prepare(40))

    files = kit.published(tmp_path / "out")
    assert 2 <= len(files) < 20
    assert _ids(tmp_path) == list(range(500, 20_000))
