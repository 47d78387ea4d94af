"""
kill -9 of the command while it reads a topic and writes others in transactions: readers of committed rows see each once.

`TAILRACE_KAFKA_KILLS` sets how often it kills (14), `TAILRACE_SEED` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import kafka_kit as kit
import polars as pl
import pytest

KILLS = int(os.environ.get("TAILRACE_KAFKA_KILLS", "14"))
SEED = int(os.environ.get("TAILRACE_SEED", str(time.time_ns() % 1_000_000)))
TAILRACE = str(Path(sys.executable).with_name("tailrace"))
LONGEST = 90.0
"""So many seconds a run may take to its first checkpoint, or to its end, on the slowest machine."""

TOPIC = "'connector' = 'kafka', 'properties.bootstrap.servers' = '{kafka}', 'format' = 'json', 'topic' = '{topic}'"
SCRIPT = """
SET 'execution.checkpointing.interval' = '100 ms';
SET 'pipeline.auto-watermark-interval' = '0';

CREATE TABLE events (id BIGINT, ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ({events}, 'scan.startup.mode' = 'earliest-offset', 'scan.watermark.idle-timeout' = '0'{bounded});

CREATE VIEW counted AS
SELECT MOD(id, 17) AS k, window_end, COUNT(*) AS n, SUM(id) AS total
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY MOD(id, 17), window_start, window_end;
"""
SINK = """
CREATE TABLE {name} (k BIGINT, window_end TIMESTAMP(3), n BIGINT, total BIGINT)
WITH ({sink}, 'sink.delivery-guarantee' = 'exactly-once');
"""

pytestmark = pytest.mark.integration


class World:
    """Topics, what was written into the first, and the job over them."""

    def __init__(self, kafka: str, folder: Path, sinks: int) -> None:
        self.kafka = kafka
        self.folder = folder
        self.state = folder / "state"
        self.events = kit.new_topic(kafka, 4)
        self.sinks = [kit.new_topic(kafka, 2) for _ in range(sinks)]
        self._written: list[tuple[int, int, int]] = []

    def write_script(self, *, bounded: bool) -> None:
        """Write the job's script."""
        more = ", 'scan.bounded.mode' = 'latest-offset'" if bounded else ""
        script = SCRIPT.format(events=TOPIC.format(kafka=self.kafka, topic=self.events), bounded=more)
        inserts = []
        for i, topic in enumerate(self.sinks):
            script += SINK.format(name=f"sink{i}", sink=TOPIC.format(kafka=self.kafka, topic=topic))
            inserts.append(f"INSERT INTO sink{i} SELECT * FROM counted;")
        (self.folder / "job.sql").write_text(f"{script}EXECUTE STATEMENT SET BEGIN {' '.join(inserts)} END;")

    def feed(self, count: int) -> None:
        """Write events, out of order and some of them late, into three partitions; the fourth stays empty."""
        first = len(self._written)
        new = [
            (i, i * 10 + 30_000 - i % 5 * 700 - (29_000 if i % 97 == 0 else 0), i % 3)
            for i in range(first, first + count)
        ]
        self._written += new
        kit.produce(self.kafka, self.events, [{"value": f'{{"id":{i},"ms":{ts}}}', "partition": p} for i, ts, p in new])

    def expected(self) -> pl.DataFrame:
        """Compute the windows from what was written: a row counts by the times before it in its partition."""
        rows = pl.DataFrame(self._written, schema=["id", "ts", "partition"], orient="row")
        end = (pl.col("ts") // 10_000 + 1) * 10_000
        before = pl.col("ts").cum_max().shift(1).over("partition") - 5000
        on_time = rows.with_columns(end.alias("window_end")).filter(
            before.is_null() | (pl.col("window_end") - 1 > before)
        )
        assert 0 < len(on_time) < len(rows), "some rows are late"
        grouped = on_time.group_by((pl.col("id") % 17).alias("k"), "window_end")
        return grouped.agg(pl.len().cast(pl.Int64).alias("n"), pl.col("id").sum().alias("total")).sort(
            "k", "window_end"
        )

    def seen(self, topic: str) -> pl.DataFrame:
        """Read what a reader of committed rows sees."""
        rows = pl.DataFrame([json.loads(m.value()) for m in kit.consume(self.kafka, topic)])
        end = pl.col("window_end").str.to_datetime(time_unit="ms").dt.epoch("ms")
        return rows.select("k", end, "n", "total").sort("k", "window_end")

    def epoch(self) -> int:
        """Give the number of the newest checkpoint; 0 without one."""
        return max((int(p.stem) for p in (self.state / "checkpoints").glob("*.manifest")), default=0)

    def start(self) -> subprocess.Popen[str]:
        """Start the command."""
        with (self.folder / "log").open("a") as log:
            command = [TAILRACE, "run", "job.sql", "--state", str(self.state)]
            return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=log, text=True)

    def said(self) -> str:
        """Give the end of what the runs said."""
        return (self.folder / "log").read_text()[-3000:]


def kill_at_random(world: World, rng: random.Random) -> bool:
    """Start the job, feed it, and kill it in recovery or after its first checkpoint; tell whether it took one."""
    before = world.epoch()
    process = world.start()
    if rng.random() < 0.35:
        world.feed(rng.randrange(1, 500))
        time.sleep(rng.uniform(0.5, 2.5))
    else:
        end = time.monotonic() + LONGEST
        while world.epoch() <= before:
            assert process.poll() is None, f"seed {SEED}: the job ended by itself: {world.said()}"
            assert time.monotonic() < end, f"seed {SEED}: no checkpoint within {LONGEST} s: {world.said()}"
            world.feed(rng.randrange(1, 500))
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5))
    process.send_signal(signal.SIGKILL)
    assert process.wait(LONGEST) == -signal.SIGKILL, (
        f"seed {SEED}: the job was over before it was killed: {world.said()}"
    )
    return world.epoch() > before


@pytest.mark.parametrize(("sinks", "share"), [(1, 0.6), (2, 0.4)], ids=["one topic", "two topics"])
def test_killed_at_any_moment_every_row_is_seen_once(kafka: str, tmp_path: Path, sinks: int, share: float) -> None:
    """P1, P4: transactions that a killed run left open are gone, and what they held comes again."""
    rng = random.Random(SEED)  # noqa: S311  moments are no secrets
    world = World(kafka, tmp_path, sinks)
    world.write_script(bounded=False)
    kills = round(KILLS * share)
    grown = sum(kill_at_random(world, rng) for _ in range(kills))
    assert grown >= kills / 4, f"seed {SEED}: hardly any run took checkpoints, so the kills proved little"
    world.feed(10)
    world.write_script(bounded=True)
    last = world.start()
    assert last.wait(LONGEST) == 0, f"seed {SEED}: {world.said()}"
    assert "went on from checkpoint" in world.said()
    for topic in world.sinks:
        assert world.seen(topic).equals(world.expected()), f"seed {SEED}"
