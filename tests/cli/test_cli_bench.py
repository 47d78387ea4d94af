"""`tailrace bench` measures what it says, and checks the rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tailrace.bench import events, formats, functions, measure, pipelines
from tailrace.bench.overhead import jobs
from tailrace.bench.overhead import measure as overhead
from tailrace.bench.overhead.ways import Way
from tailrace.cli import bench_overhead
from tailrace.errors import ConfigError, TerminalError


def test_the_file_pipeline_is_measured_and_checked() -> None:
    """Its figures are of the rows that were asked for."""
    command = [sys.executable, "-m", "tailrace", "bench", "file", "--rows", "20000", "--runs", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["name"], found["rows"], found["checked"]) == ("file", 20_000, True)
    assert found["rows_per_second"] == pytest.approx(20_000 / found["seconds"])
    assert found["cpu_seconds"] > 0
    assert 10 < found["peak_mib"] < 1000


@pytest.mark.parametrize("name", functions.EXPRESSIONS)
def test_functions_are_measured_and_checked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their values are compared with NumPy's; wrong ones have no figures."""
    assert measure.function(name, 70_000).seconds > 0
    wrong = functions.EXPRESSIONS["sql udf"].replace("3", "2")
    monkeypatch.setitem(functions.EXPRESSIONS, "sql udf", wrong)
    with pytest.raises(TerminalError, match="are not those of NumPy"):
        measure.function("sql udf", 10_000)


def test_a_benchmark_of_calls_that_do_not_wait_together_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The async function is measured with 1,000 calls in flight, or not at all."""
    monkeypatch.setattr(functions, "IN_FLIGHT", 2000)
    with pytest.raises(TerminalError, match="1000 calls waited at a time, not 2000"):
        measure.function("async udf", 3000)


def test_wrong_rows_end_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that is fast and wrong has no figures."""
    right = events.expected

    def wrong(count: int, partitions: int = 1) -> pl.DataFrame:
        return right(count, partitions).head(-1)

    monkeypatch.setattr(events, "expected", wrong)
    with pytest.raises(TerminalError, match=r"are not the .* rows of the batch computation"):
        measure.file(10_000)


def test_the_first_row_is_timed_from_the_start_of_the_process(tmp_path: Path) -> None:
    """It comes after Python has started, and from a run that ends well."""
    script = tmp_path / "query.sql"
    script.write_text(pipelines.query("first", measure.few_events(tmp_path)))
    assert 0.1 < measure.first_row(script, dict(os.environ)) < 60


def test_a_run_without_a_row_is_no_first_row(tmp_path: Path) -> None:
    """What the run said is part of the error."""
    script = tmp_path / "query.sql"
    script.write_text("SELECT nothing FROM nowhere;")
    with pytest.raises(TerminalError, match="nowhere"):
        measure.first_row(script, dict(os.environ))


@pytest.mark.parametrize("name", formats.names())
def test_formats_are_measured_beside_the_usual_ways(name: str) -> None:
    """All ways read the same rows; each has its figures."""
    found = formats.measure(name, 2_000, 1)
    assert found[0].way == "Tailrace"
    assert len(found) > 1
    assert {one.format for one in found} == {name}
    assert all(one.read > 0 and one.written > 0 for one in found)
    assert found[0].bytes == pytest.approx(150, abs=5)


def test_a_way_that_reads_other_rows_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared must be the same."""
    monkeypatch.setattr(formats, "_parsed_time", lambda _: None)
    with pytest.raises(TerminalError, match="'csv' reads other rows than were written"):
        formats.measure("csv", 10, 1)


def test_what_it_costs_to_be_seen_is_measured() -> None:
    """Pairs of runs, off and on, have the same rows; each receiver has got something."""
    with jobs.file_job(20_000) as work:
        found = overhead.measure("everything", work, 2)
    assert (found.way, found.pairs, found.rows) == ("everything", 2, 20_000 + jobs.BAD_ROWS)
    assert found.cpu_seconds > 0
    assert found.seconds > 0
    assert found.cpu.low <= found.cpu.median <= found.cpu.high
    assert found.start > 0  # the libraries of exporters were loaded with the first job that has them


def test_a_way_of_being_seen_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="no way 'trace' of being seen") as caught:
        bench_overhead.bench(10_000, 1, None, 0, ["logs", "trace"], json=False)
    assert caught.value.hint == "did you mean 'traces'?"


def test_chosen_ways_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    bench_overhead.bench(10_000, 1, None, 0, ["logs", "alerts"], json=True)
    assert [json.loads(line)["way"] for line in capsys.readouterr().out.splitlines()] == ["logs", "alerts"]


def test_a_way_out_that_sends_nothing_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does nothing costs nothing, and must not be shown as cheap."""
    silent = Way({}, signs=("/v1/traces",))
    monkeypatch.setattr(overhead, "ways", lambda _: {"traces": silent})
    with jobs.file_job(10_000) as work, pytest.raises(TerminalError, match="nothing came by /v1/traces"):
        overhead.measure("traces", work, 1)
