"""A partition is idle when it has nothing, not when its rows take their time to be read."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest
import script_kit as kit

COUNT = """SET 'pipeline.auto-watermark-interval' = '0';
CREATE TABLE events (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ({source});
SELECT window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
"""
ROWS = 40_000
"""Of one partition, 10 ms apart: 40 windows of 1,000 rows, of which the last stays open."""


def lines() -> list[str]:
    """Give the rows of one partition as JSON."""
    ts = (pl.col("id") * 10).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S%.3f")
    text = pl.concat_str([pl.lit('{"id":'), pl.col("id"), pl.lit(',"ts":"'), ts, pl.lit('"}')])
    return pl.DataFrame({"id": pl.int_range(ROWS, eager=True)}).select(text).to_series().to_list()


def assert_counted(running: kit.Running, partitions: int) -> None:
    """Every window but the last has come, with the rows of all partitions, and none was late."""
    running.until(lambda: len(running.rows) >= ROWS // 1000 - 1)
    summary = running.stop()
    assert summary.sources[0].dropped == {}
    assert set(running.rows["n"]) == {1000 * partitions}


def test_files_that_wait_for_their_turn_are_not_idle(tmp_path: Path) -> None:
    """Files are read one after another; the last is not left out because its turn is long in coming."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.json", "b.json", "c.json"):
        (folder / name).write_text("\n".join(lines()) + "\n")
    given = kit.options(connector="filesystem", path=str(folder), format="json", source__monitor_interval="1 s")
    more = kit.options(scan__watermark__idle_timeout="1 ms")
    assert_counted(kit.Running(COUNT.format(source=f"{given}, {more}")), 3)


@pytest.mark.integration
@pytest.mark.parametrize("native", ["true", "false"])
def test_partitions_that_are_behind_are_not_idle(kafka: str, native: str) -> None:
    """A topic's partitions come in large pieces; one that the broker has more of counts, an empty one does not."""
    kafka_kit = pytest.importorskip("kafka_kit")
    topic = kafka_kit.new_topic(kafka, 3)
    for partition in (0, 1):
        kafka_kit.produce(kafka, topic, [{"value": line, "partition": partition} for line in lines()])
    given = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": kafka,
        "format": "json",
        "scan.startup.mode": "earliest-offset",
        "scan.watermark.idle-timeout": "1 ms",
        "tailrace.kafka.native": native,
    }
    assert_counted(kit.Running(COUNT.format(source=kit.options(**given))), 2)


def test_a_file_that_stays_silent_is_idle(tmp_path: Path) -> None:
    """A file that has nothing more holds no window open, while another goes on."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "quiet.json").write_text('{"id":0,"ts":"1970-01-01 00:00:01"}\n')
    (folder / "busy.json").write_text('{"id":1,"ts":"1970-01-01 00:00:01"}\n')
    given = kit.options(connector="filesystem", path=str(folder), format="json", source__monitor_interval="20 ms")
    more = kit.options(scan__watermark__idle_timeout="500 ms")
    running = kit.Running(COUNT.format(source=f"{given}, {more}"))
    running.until(lambda: running.read == 2)
    began, seconds = time.monotonic(), 30
    while running.rows.is_empty():
        with (folder / "busy.json").open("a") as file:
            minutes, rest = divmod(seconds, 60)
            file.write(f'{{"id":2,"ts":"1970-01-01 00:{minutes:02d}:{rest:02d}"}}\n')
        seconds += 1
        assert time.monotonic() - began < kit.PATIENCE
        time.sleep(0.05)
    assert time.monotonic() - began > 0.2, "it was held for the time-out"
    summary = running.stop()
    assert running.rows["n"].to_list()[0] == 2
    assert summary.sources[0].dropped == {}
