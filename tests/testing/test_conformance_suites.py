"""The suites for connectors: the checker knows the guarantees, and what a system has not is not collected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailrace.testing.connectors import LookupConformance, SinkConformance, SourceConformance, Verdict, assert_delivered
from tailrace.testing.connectors.values import TYPES, columns_of, frame_of, python_rows, rows_of

SENT = [{"id": 1}, {"id": 2}, {"id": 2}]


@pytest.mark.parametrize(
    ("got", "allowed"),
    [
        ([1, 2, 2], {"exactly-once", "effectively-once", "at-least-once", "at-most-once"}),
        ([2, 1, 2, 1], {"at-least-once"}),
        ([1, 2], {"at-most-once"}),
        ([1, 1, 2], set()),
        ([1, 2, 2, 3], set()),
        ([], {"at-most-once"}),
    ],
)
@pytest.mark.parametrize("guarantee", ["exactly-once", "effectively-once", "at-least-once", "at-most-once"])
def test_what_a_guarantee_allows(got: list[int], allowed: set[str], guarantee: Verdict) -> None:
    """Equal, all with some twice, or some; never a row that nobody sent."""
    rows = [{"id": i} for i in got]
    if guarantee in allowed:
        found = assert_delivered(rows, SENT, guarantee)
        assert found.rows == len(got)
        assert (found.again > 0, found.missing > 0) == (len(got) > len(SENT), len(got) < len(SENT))
    else:
        with pytest.raises(AssertionError, match=f"not {guarantee}"):
            assert_delivered(rows, SENT, guarantee)


class Bare(SinkConformance):
    """A system without any hook."""

    guarantee = "at-least-once"


class Readable(Bare):
    """One whose rows can be read."""

    upserts = True

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        return []


def test_what_a_system_lacks_is_not_collected() -> None:
    """It is named, and comes back with the hook."""
    assert {"test_sink_after_kill_9", "test_sink_while_its_server_is_killed"} <= set(Bare.omitted())
    assert vars(Bare)["test_sink_after_kill_9"] is None
    assert callable(vars(Readable)["test_sink_after_kill_9"])
    assert callable(vars(Readable)["test_sink_updates_and_deletes"])
    assert "test_sink_after_kill_9" not in Readable.omitted()
    assert "test_sink_refuses_a_row" in Readable.omitted()


@pytest.mark.parametrize("suite", [SourceConformance, SinkConformance, LookupConformance])
def test_every_test_of_a_suite_has_a_name_of_its_own(suite: type) -> None:
    """So that one class may inherit all suites."""
    role = suite.__name__.removesuffix("Conformance").lower()
    names = [n for n in dir(suite) if n.startswith("test_")]
    assert len(names) > 8
    assert all(n.startswith(f"test_{role}_") for n in names)


def test_values_of_every_type() -> None:
    """Each type gets all its values, and a row of NULLs; a frame gives them back."""
    columns, rows = columns_of(list(TYPES)), rows_of(list(TYPES))
    assert python_rows(columns, frame_of(columns, rows)) == rows
    assert all(v is None for n, v in rows[-1].items() if n != "id")


class TestLyingSink(SinkConformance):
    """A sink that is checked by what it says: the suite finds that a row is missing."""

    guarantee = "exactly-once"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        return {"connector": "filesystem", "path": str(self.folder / "out"), "format": "json"}

    def read_less(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        """Lose a row."""
        return [{"id": i, "name": f"name {i}"} for i in range(2, self.many + 1)]

    def test_that_a_loss_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite fails where it must."""
        monkeypatch.setattr(self, "read", self.read_less)
        with pytest.raises(AssertionError, match="1 are missing"):
            SinkConformance.needing["test_sink_takes_many_rows"](self, tmp_path)
