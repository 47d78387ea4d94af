"""What was found of the planted fraud, and what was taken for fraud and is none."""

from __future__ import annotations

import polars as pl


def report(alerts: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """
    Give a row for each reason: how many incidents it found, how many of its alerts were right, and how soon it told.

    An alert is right if its card was in an incident then, of whatever kind. The delay is from the first payment of an
    incident to the one that raised the alert.
    """
    right = alerts.join(truth, "card", suffix="_planted").filter(pl.col("ts").is_between("begin", "end"))
    own = right.filter(pl.col("reason") == pl.col("reason_planted"))
    first = own.group_by("reason", "card", "begin").agg((pl.col("ts").min() - pl.col("begin").first()).alias("delay"))
    parts = [
        truth.group_by("reason").agg(planted=pl.len()),
        first.group_by("reason").agg(found=pl.len(), delay=pl.col("delay").median().dt.total_seconds()),
        alerts.group_by("reason").agg(alerts=pl.len()),
        right.group_by("reason").agg(right=pl.struct("card", "payment").n_unique()),
    ]
    joined, *others = parts
    for part in others:
        joined = joined.join(part, "reason", "left")
    counted = joined.with_columns(pl.col("found", "alerts", "right").fill_null(0))
    return counted.sort("reason").select(
        "reason",
        "planted",
        "found",
        "alerts",
        recall=(pl.col("found") / pl.col("planted")).round(3),
        precision=(pl.col("right") / pl.col("alerts")).round(3).fill_nan(None),
        delay_seconds="delay",
    )


def show(found: pl.DataFrame) -> None:
    """Print it."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN", tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_rows=-1
    ):
        print(found)
