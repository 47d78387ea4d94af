"""The events of the benchmarks: 150-byte JSON payments by 10,000 users, out of order and some of them late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

USERS = 10_000
EVENTS_PER_SECOND = 20_000
DISORDER_MS = 4_000
WINDOW_MS = 10_000
DELAY_MS = 5_000
BASE_MS = 1_767_225_600_000  # 2026-01-01

_CHUNK = 250_000


def events(first: int, count: int, seed: int = 7) -> pl.DataFrame:
    """
    Give events `first` up to `first + count` as columns; a pure function of its arguments.

    One in 1,000 comes 20 seconds late, the others within four seconds of their order.
    """
    rng = np.random.default_rng([seed, first])
    number = np.arange(first, first + count)
    delay = rng.integers(0, DISORDER_MS, count) + np.where(rng.integers(0, 1000, count) == 0, 20_000, 0)
    return pl.DataFrame(
        {
            "user_id": rng.integers(0, USERS, count),
            "price_cents": rng.integers(100, 100_000, count),
            "qty": rng.integers(1, 10, count),
            "ts": BASE_MS + number * 1000 // EVENTS_PER_SECOND - delay,
            "number": number,
        }
    )


def lines(frame: pl.DataFrame) -> pl.Series:
    """Give each event as a JSON text of about 150 bytes."""
    number = pl.col("number")
    ts = pl.col("ts").cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S%.3f")
    cents = pl.col("price_cents")
    parts: list[str | pl.Expr] = [
        '{"event_id":', number, ',"user_id":', pl.col("user_id"), ',"country":"DE","channel":"web","price":',
        cents // 100, ".", (cents % 100).cast(pl.String).str.zfill(2), ',"qty":', pl.col("qty"),
        ',"ts":"', ts, '","session":"s-', number.cast(pl.String).str.zfill(9), '-0123456789ab"}',
    ]  # fmt: skip
    return frame.select(pl.concat_str([pl.lit(p) if isinstance(p, str) else p for p in parts])).to_series()


def chunks(count: int) -> Iterator[pl.DataFrame]:
    """Give `count` events in pieces that fit in memory."""
    for first in range(0, count, _CHUNK):
        yield events(first, min(_CHUNK, count - first))


def write_file(path: Path, count: int) -> None:
    """Write `count` events as lines of JSON."""
    with path.open("wb") as file:
        for chunk in chunks(count):
            file.write(("\n".join(lines(chunk).to_list()) + "\n").encode())


def expected(count: int, partitions: int = 1) -> pl.DataFrame:
    """
    Compute the windows in one batch: user_id, window_start, n, total.

    With a watermark after each row and the events dealt to partitions by number: a row counts while the end of its window
    less 1 ms lies beyond the greatest time seen before it in its partition, less the delay.
    """
    frame = pl.concat(list(chunks(count))).with_columns((pl.col("number") % partitions).alias("partition"))
    start = pl.col("ts") // WINDOW_MS * WINDOW_MS
    before = pl.col("ts").cum_max().shift(1).over("partition") - DELAY_MS
    kept = frame.with_columns(start.alias("window_start"), before.alias("mark")).filter(
        pl.col("mark").is_null() | (pl.col("window_start") + WINDOW_MS - 1 > pl.col("mark"))
    )
    grouped = kept.group_by("user_id", "window_start").agg(
        pl.len().cast(pl.Int64).alias("n"), (pl.col("price_cents") * pl.col("qty")).sum().alias("total_cents")
    )
    return grouped.sort("window_start", "user_id")
