"""kill -9 while rows go into an object store and out of it: every row is there once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import objects_kit as kit
import polars as pl
import pytest

ROWS = 40_000
LONGEST = 90.0

WRITING = """
SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}', 'number-of-rows' = '{rows}',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{rows}');
CREATE TABLE stored (id BIGINT, shop BIGINT) PARTITIONED BY (shop)
WITH ('connector' = 'filesystem', 'path' = '{bucket}/stored', 'format' = 'parquet', {options});
INSERT INTO stored SELECT id, MOD(id, 3) FROM numbers;
"""
READING = """
SET 'execution.checkpointing.interval' = '50 ms';
CREATE TABLE stored (id BIGINT, shop BIGINT) PARTITIONED BY (shop)
WITH ('connector' = 'filesystem', 'path' = '{bucket}/stored', 'format' = 'parquet', {options});
CREATE TABLE copied (id BIGINT, shop BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{bucket}/copied', 'format' = 'json', {options},
      'sink.rolling-policy.file-size' = '50 kb');
INSERT INTO copied SELECT id, shop FROM stored;
"""


def _start(script: Path, state: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tailrace", "run", str(script), "--state", str(state)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _epochs(state: Path) -> int:
    return max((int(p.stem) for p in state.rglob("*.manifest")), default=0)


def _kill_after(script: Path, state: Path, epochs: int) -> None:
    """Run until some more checkpoints are complete, and kill it then."""
    before = _epochs(state)
    process = _start(script, state)
    deadline = time.monotonic() + LONGEST
    while _epochs(state) < before + epochs:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert process.returncode == -9


def _finish(script: Path, state: Path) -> None:
    process = _start(script, state)
    _, said = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said


EXAMPLE = Path(__file__).parents[3] / "examples" / "connectors" / "object_stores"


def test_the_example_runs(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    endpoint = service("moto", {}).partition("=")[2]
    bucket = kit.s3_bucket(endpoint, "shop")
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "tailrace", "AWS_SECRET_ACCESS_KEY": "tailrace-secret"}
    said = ""
    for name in ("pipeline", "report"):
        command = [
            sys.executable,
            "-m",
            "tailrace",
            "run",
            str(EXAMPLE / f"{name}.sql"),
            "--state",
            str(tmp_path / name),
        ]
        command += ["-p", f"BUCKET={bucket.uri}", "-p", f"ENDPOINT={endpoint}"]
        said = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True
        ).stdout

    # the sums are updated as rows come: the last row of a day counts
    rows = [[v.strip() for v in line.split("|")] for line in said.splitlines() if line.startswith(("+I", "+U"))]
    assert {day: (n, total) for _, day, n, total in rows} == {
        "2026-01-01": ("3333", "165031"),
        "2026-01-02": ("3334", "164969"),
        "2026-01-03": ("3333", "165000"),
    }
    assert sum(k.endswith("_SUCCESS") for k in bucket.listed()) == 3


SLOW = (pytest.mark.integration, pytest.mark.slow)
STORES = ["moto", *(pytest.param(name, marks=SLOW) for name in ("minio", "azurite", "gcs"))]


@pytest.fixture(params=STORES)
def bucket(request: pytest.FixtureRequest, service: Callable[[str, dict[str, str]], str]) -> Iterator[kit.Bucket]:
    """Give a bucket of each store."""
    endpoint = service(request.param, {}).split()[0].partition("=")[2]
    if request.param == "azurite":
        yield kit.azure_container(endpoint, "killed")
    elif request.param == "gcs":
        with kit.GoogleXml(endpoint) as proxy:
            yield kit.google_bucket(endpoint, "killed", proxy.endpoint)
    else:
        yield kit.s3_bucket(endpoint, "killed")


def test_killed_while_it_writes_and_while_it_reads(bucket: kit.Bucket, tmp_path: Path) -> None:
    options = ", ".join(f"'{k}' = '{v}'" for k, v in bucket.options.items())
    script, state = tmp_path / "write.sql", tmp_path / "write"
    given = {"bucket": bucket.uri, "options": options, "rows": str(ROWS)}

    for rate in ("8000", "8000", "1000000"):
        script.write_text(WRITING.format(rate=rate, **given))
        if rate == "8000":
            _kill_after(script, state, 3)
        else:
            _finish(script, state)
    ids = pl.concat([pl.read_parquet(bucket.get(k), hive_partitioning=False) for k in bucket.listed("stored")])["id"]
    assert ids.sort().to_list() == list(range(1, ROWS + 1))

    script, state = tmp_path / "read.sql", tmp_path / "read"
    script.write_text(READING.format(**given))
    _kill_after(script, state, 1)
    _finish(script, state)
    copied = pl.concat([pl.read_ndjson(bucket.get(k)) for k in bucket.listed("copied")])
    assert copied["id"].sort().to_list() == list(range(1, ROWS + 1))
    assert (copied["id"] % 3 == copied["shop"]).all()
