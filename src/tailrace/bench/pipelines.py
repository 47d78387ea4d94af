"""The pipeline of the benchmarks in SQL, over files or Kafka, and the check of what it wrote."""

from __future__ import annotations

import polars as pl

_COLUMNS = (
    "user_id BIGINT, price DECIMAL(10, 2), qty INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND"
)
_OUT = "user_id BIGINT, window_start TIMESTAMP(3), n BIGINT, total DECIMAL(38, 2)"

_SCRIPT = """
SET 'pipeline.name' = '{name}';
SET 'pipeline.auto-watermark-interval' = '0';
SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE events ({columns}) WITH ({source});
{target}
SELECT user_id, window_start, COUNT(*), SUM(price * qty)
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY user_id, window_start, window_end;
"""


def options(**given: str) -> str:
    """Write table options; `_` in a name stands for `-`, `__` for `.`."""
    named = {key.replace("__", ".").replace("_", "-"): value for key, value in given.items()}
    return ", ".join(f"'{key}' = '{value}'" for key, value in named.items())


def script(name: str, source: str, sink: str) -> str:
    """Give the 10-second count and sum by user from one table into another."""
    target = f"CREATE TABLE totals ({_OUT}) WITH ({sink});\nINSERT INTO totals"
    return _SCRIPT.format(name=name, columns=_COLUMNS, source=source, target=target)


def query(name: str, source: str) -> str:
    """Give the same from one table, to be printed."""
    return _SCRIPT.format(name=name, columns=_COLUMNS, source=source, target="")


def kafka_table(bootstrap: str, topic: str, **more: str) -> str:
    """Give the options of a table over a topic of JSON."""
    given = {"connector": "kafka", "topic": topic, "properties__bootstrap__servers": bootstrap, "format": "json"}
    return options(**given, **more)


def read_totals(lines: list[bytes]) -> pl.DataFrame:
    """Read the rows that the pipeline wrote, in the form of `events.expected`."""
    schema = {"user_id": pl.Int64, "window_start": pl.String, "n": pl.Int64, "total": pl.Float64}
    frame = pl.read_ndjson(b"\n".join(lines), schema=schema)
    start = pl.col("window_start").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms").to_physical()
    cents = (pl.col("total") * 100).round().cast(pl.Int64).alias("total_cents")
    return frame.select("user_id", start, "n", cents).sort("window_start", "user_id")
