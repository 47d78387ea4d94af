"""Marked sinks of which a job has several: staged rows, sent once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tailrace.connectors.base import Report, TransactionalSink
from tailrace.errors import TerminalError
from tailrace.runtime.staging import StagedTransactional


class Ledger(TransactionalSink):
    """A marked target in memory; `target` outlives the sink."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.target = target
        self.rows: list[int] = []

    def open(self) -> int:
        return int(self.target.setdefault("mark", 0))

    def write(self, batch: pl.DataFrame) -> None:
        self.rows += batch["v"].to_list()

    def commit(self, epoch: int) -> None:
        self.target.setdefault("rows", []).extend(self.rows)
        self.target["mark"], self.rows = epoch, []

    def check(self) -> Report:
        return Report(ok=True, message="")

    def close(self) -> None:
        """Nothing is held."""


def opened(folder: Path, target: dict[str, Any], staged: Any = None, epoch: int = 0) -> StagedTransactional:
    """Open the adapter as a run would."""
    sink = StagedTransactional(Ledger(target), folder)
    sink.open(staged, epoch)
    return sink


def values(*numbers: int) -> pl.DataFrame:
    """Give a batch."""
    return pl.DataFrame({"v": list(numbers)})


def test_rows_are_seen_at_the_commit(tmp_path: Path) -> None:
    """`prepare` shows nothing; `commit` shows the epoch's rows in order, once however often it comes."""
    target: dict[str, Any] = {}
    sink = opened(tmp_path / "s", target)
    sink.write(values(1, 2))
    sink.write(values(3))
    staged = sink.prepare(1)
    sink.write(values(4))
    assert "rows" not in target
    sink.commit(1, staged)
    sink.commit(1, staged)
    assert target == {"mark": 1, "rows": [1, 2, 3]}
    sink.commit(2, sink.prepare(2))
    assert target == {"mark": 2, "rows": [1, 2, 3, 4]}
    assert list((tmp_path / "s").iterdir()) == []


@pytest.mark.parametrize("committed", [False, True])
def test_a_restart_sends_what_the_target_lacks(tmp_path: Path, committed: bool) -> None:
    """After a crash between checkpoint and commit (or just after it) the target has the epoch once."""
    target: dict[str, Any] = {}
    sink = opened(tmp_path / "s", target)
    sink.write(values(1, 2))
    staged = sink.prepare(1)
    sink.write(values(99))
    sink.prepare(2)
    if committed:
        target.update(mark=1, rows=[1, 2])
    opened(tmp_path / "s", target, staged, 1)
    assert target == {"mark": 1, "rows": [1, 2]}
    assert list((tmp_path / "s").iterdir()) == []


@pytest.mark.parametrize("mark", [3, 7])
def test_a_target_of_another_state_is_refused(tmp_path: Path, mark: int) -> None:
    """A mark that is neither this epoch nor the one before belongs to another state folder."""
    with pytest.raises(TerminalError, match="exactly-once can't be kept"):
        opened(tmp_path / "s", {"mark": mark}, {"files": [], "after": 4}, 5)


def test_a_marked_target_and_a_state_that_knows_nothing_of_it(tmp_path: Path) -> None:
    """A job that begins anew must not meet a mark of its own."""
    with pytest.raises(TerminalError, match="the target has epoch 3"):
        opened(tmp_path / "s", {"mark": 3})


def test_damaged_staged_rows_are_not_sent(tmp_path: Path) -> None:
    """Staged rows have a checksum."""
    target: dict[str, Any] = {}
    sink = opened(tmp_path / "s", target)
    sink.write(values(1, 2))
    staged = sink.prepare(1)
    (file,) = (tmp_path / "s").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(TerminalError, match="damaged"):
        opened(tmp_path / "s", target, staged, 1)
    assert "rows" not in target


def test_batches_with_and_without_kinds_stay_in_order(tmp_path: Path) -> None:
    """Batches of different columns can't share a frame, and keep their order."""
    target: dict[str, Any] = {}
    sink = opened(tmp_path / "s", target)
    for batch in (values(1), values(2).with_columns(pl.lit(0, pl.Int8).alias("$kind")), values(3)):
        sink.write(batch)
    sink.commit(1, sink.prepare(1))
    assert target["rows"] == [1, 2, 3]
