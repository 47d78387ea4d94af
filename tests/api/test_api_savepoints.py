"""Savepoints by the Python API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tailrace as tr
from tailrace.errors import ConfigError, TerminalError

END = 3000


def pipeline(folder: Path) -> tr.Pipeline:
    """Write numbers to files."""
    options = {
        "rows-per-second": "2000",
        "fields.id.kind": "sequence",
        "fields.id.start": "1",
        "fields.id.end": str(END),
    }
    return tr.read("datagen", {"id": int}, name="numbers", options=options).to_files(str(folder / "out"), format="json")


def written(folder: Path) -> list[int]:
    parts = (folder / "out").glob("part-*")
    return sorted(json.loads(line)["id"] for part in parts for line in part.read_text().splitlines())


def test_a_pipeline_goes_on_where_another_took_a_savepoint(tmp_path: Path) -> None:
    """Stopped with it, each row is written once over both; both savepoints are listed, the newest first."""
    job = pipeline(tmp_path).start("numbers", state=tmp_path / "first")
    early = job.savepoint("early")
    assert early == tmp_path / "first" / "savepoints" / "early"
    last = job.savepoint("last", stop=True)
    before = job.wait()
    assert [one.name for one in job.savepoints()] == ["last", "early"]
    assert not before.finished

    again = pipeline(tmp_path).run("numbers", state=tmp_path / "second", from_savepoint=last)

    assert again.finished
    assert written(tmp_path) == list(range(1, END + 1))


def test_what_can_not_be_saved_is_said(tmp_path: Path) -> None:
    endless = tr.read("datagen", {"id": int}, name="endless").to("blackhole")
    with endless.start() as job, pytest.raises(ConfigError, match="keeps no state"):
        job.savepoint("one")
    with endless.start(state=tmp_path / "state") as job:
        with pytest.raises(ConfigError, match="can't be named"):
            job.savepoint("../one")
        job.savepoint("one")
        with pytest.raises(ConfigError, match="already"):
            job.savepoint("one")
    with pytest.raises(TerminalError, match="ended"):
        job.savepoint("two")
    with pytest.raises(ConfigError, match="has no folder for it"):
        endless.run(from_savepoint=tmp_path / "state" / "savepoints" / "one")
    with pytest.raises(ConfigError, match="is no savepoint"):
        endless.run(state=tmp_path / "new", from_savepoint=tmp_path)
