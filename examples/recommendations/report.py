"""What was found of the items that belong together and of what visitors want, and whether each row is right."""

from __future__ import annotations

import polars as pl
from recommendations.generate import History
from recommendations.pipeline import TOP


def report(related: pl.DataFrame, recommendations: pl.DataFrame, history: History) -> pl.DataFrame:
    """
    Give a row for each question: how much of the truth was found, and how much of what was found is true.

    The last two are the rows as they must be to the last number, computed at once from the visits that were made. The
    delay is from the last click of a visit to when its recommendations hold.
    """
    scored = expected_related(history.visits)
    rows = expected_recommendations(history, scored)
    keys = recommendations.select("user", "item")
    delays = recommendations.join(history.visits.unique("user", keep="last", maintain_order=True), "user")
    minutes = (pl.col("since") - pl.col("last")).dt.total_milliseconds().median() / 60_000
    delay = delays.select(minutes.round(1)).item()
    return pl.concat(
        [
            compared("items that belong together", related.select("item", "also"), history.related),
            compared("items that visitors want", keys, history.wanted, delay),
            compared("rows of related items", related, scored),
            compared("rows of recommendations", recommendations, rows),
        ]
    )


def compared(what: str, found: pl.DataFrame, truth: pl.DataFrame, delay: float | None = None) -> pl.DataFrame:
    """Compare rows as a whole."""
    right = len(found.join(truth, found.columns, "semi"))
    return pl.DataFrame(
        {
            "what": what,
            "true": len(truth),
            "found": len(found),
            "right": right,
            "recall": round(right / max(len(truth), 1), 3),
            "precision": round(right / max(len(found), 1), 3),
            "delay_minutes": pl.Series([delay], dtype=pl.Float64),
        }
    )


# the same as a batch


def expected_related(visits: pl.DataFrame) -> pl.DataFrame:
    """Count the pairs of all visits at once."""
    pairs = visits.select("items", item="items").explode("item").explode("items")
    counted = pairs.filter(pl.col("item") != pl.col("items")).group_by("item", also="items").agg(together=pl.len())
    return best(counted, "item", "together", "also").select("item", "also", "together", "place")


def expected_recommendations(history: History, related: pl.DataFrame) -> pl.DataFrame:
    """Look at the last visit of each willing visitor."""
    last = history.visits.unique("user", keep="last", maintain_order=True)
    willing = last.join(history.profiles.filter("personalised"), "user")
    near = willing.explode("items").join(related, left_on="items", right_on="item")
    unseen = near.join(willing.explode("items"), left_on=["user", "also"], right_on=["user", "items"], how="anti")
    scored = unseen.group_by("user", "name", "last", item="also").agg(score=pl.col("together").sum())
    since = pl.col("last") + pl.duration(minutes=30) - pl.duration(milliseconds=1)
    return best(scored, "user", "score", "item").select("user", "place", "item", "score", "name", since=since)


def best(rows: pl.DataFrame, of: str, by: str, tie: str) -> pl.DataFrame:
    """Give the first rows of each one with their places."""
    ranked = rows.sort(by, tie, descending=[True, False]).with_columns(place=pl.int_range(1, pl.len() + 1).over(of))
    return ranked.filter(pl.col("place") <= TOP).with_columns(pl.col(by, "place").cast(pl.Int64))


def show(found: pl.DataFrame) -> None:
    """Print it."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
    ):
        print(found)
