"""What was found of the planted anomalies, and what was taken for one and is none."""

from __future__ import annotations

from datetime import datetime

import polars as pl


def report(found: pl.DataFrame, truth: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """
    Give a row for each kind: how many anomalies it found, how many of its alerts were right, and how soon it told.

    An alert is right if its sensor had an anomaly then, of whatever kind. The delay is from the beginning of an anomaly to the
    time of the first alert of its kind. Alerts behind the last reading, `until`, are left out: every sensor is silent then.
    """
    found = found.filter(pl.col("ts") <= until)
    right = found.join(truth, "sensor", suffix="_planted").filter(pl.col("ts").is_between("begin", "end"))
    own = right.filter(pl.col("kind") == pl.col("kind_planted"))
    first = own.group_by("kind", "sensor", "begin").agg((pl.col("ts").min() - pl.col("begin").first()).alias("delay"))
    parts = [
        truth.group_by("kind").agg(planted=pl.len()),
        first.group_by("kind").agg(found=pl.len(), delay=pl.col("delay").median().dt.total_minutes()),
        found.group_by("kind").agg(alerts=pl.len()),
        right.group_by("kind").agg(right=pl.struct("sensor", "ts").n_unique()),
    ]
    joined, *others = parts
    for part in others:
        joined = joined.join(part, "kind", "left")
    counted = joined.with_columns(pl.col("found", "alerts", "right").fill_null(0))
    return counted.sort("kind").select(
        "kind",
        "planted",
        "found",
        "alerts",
        recall=(pl.col("found") / pl.col("planted")).round(3),
        precision=(pl.col("right") / pl.col("alerts")).round(3).fill_nan(None),
        delay_minutes="delay",
    )


def show(found: pl.DataFrame) -> None:
    """Print it."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN", tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_rows=-1
    ):
        print(found)
