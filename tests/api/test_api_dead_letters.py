"""Rows that can't be read or come too late, kept in a table that the API names."""

from __future__ import annotations

from pathlib import Path

import pytest

import tailrace as tr
from tailrace import col
from tailrace.errors import ConfigError

COLUMNS = {"v": int, "ts": "TIMESTAMP(3)"}
LINES = ('{"v": 1, "ts": "2026-01-01 00:00:10"}', '{"v": "x"}', '{"v": 2, "ts": "2026-01-01 00:00:00"}')
BY_ROW = {"pipeline.auto-watermark-interval": "0"}


def dead(folder: Path) -> tr.Table:
    """Give a table of dead letters."""
    return tr.read_files(str(folder / "dead"), {"stage": str, "payload": str}, name="dead")


def test_dead_letters_of_a_table(tmp_path: Path) -> None:
    """What can't be read and what comes too late is in the table, with its stage; the other rows go on."""
    (tmp_path / "rows.json").write_text("\n".join(LINES))
    time = tr.event_time("ts")
    rows = tr.read_files(str(tmp_path / "rows.json"), COLUMNS, time=time, name="rows", dead_letters=dead(tmp_path))
    total = rows.select("v", total=col("v").sum().over(order_by="ts"))
    total.to_files(str(tmp_path / "out")).run(settings=BY_ROW)

    assert [(r["stage"], r["payload"]) for r in dead(tmp_path).collect().to_dicts()] == [
        ("decode", LINES[1]),
        ("late", LINES[2]),
    ]
    assert tr.read_files(str(tmp_path / "out"), {"v": int}).collect()["v"].to_list() == [1]


def test_options_say_otherwise(tmp_path: Path) -> None:
    """What the options ask for stays as it is."""
    only_late = {"tailrace.on-error": "drop"}
    rows = tr.read_files("rows.json", COLUMNS, name="rows", dead_letters=dead(tmp_path), options=only_late)
    script = rows.script()

    assert "'tailrace.on-error' = 'drop'" in script
    assert "'tailrace.on-late' = 'dead-letter'" in script
    assert "'tailrace.dead-letter.table' = 'dead'" in script
    assert "CREATE TABLE `dead`" in script


def test_a_query_takes_no_dead_letters(tmp_path: Path) -> None:
    """Only a table of a connector can be written into."""
    with pytest.raises(ConfigError, match="only a table of a connector"):
        tr.read_files("rows.json", COLUMNS, dead_letters=dead(tmp_path).select("stage"))
