"""Whether the alerts are those of the planted shortages, and the tables what stands in the warehouses."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from inventory.generate import History


def report(found: Mapping[str, pl.DataFrame], history: History) -> pl.DataFrame:
    """
    Give a row for each question: how much of the truth was found, and how much of what was found is true.

    Rows are compared as a whole. The delay of alerts is from the change that began or ended a shortage.
    """
    kinds = [
        compared(
            f"alerts: {state}", *(rows.filter(pl.col("state") == state) for rows in (found["alerts"], history.alerts))
        )
        for state in ("low", "over")
    ]
    tables = [
        compared("units of each article", found["on_hand"], history.on_hand),
        compared("value of each warehouse", found["value"], history.value),
    ]
    return pl.concat([*kinds, *tables], how="diagonal")


def compared(what: str, found: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Compare rows in all columns that the truth has."""
    right = len(found.join(truth, truth.columns, "semi"))
    return pl.DataFrame(
        {
            "what": what,
            "true": len(truth),
            "found": len(found),
            "right": right,
            "recall": round(right / max(len(truth), 1), 3),
            "precision": round(right / max(len(found), 1), 3),
            "delay_seconds": pl.Series([delay(found, truth)], dtype=pl.Float64),
        }
    )


def delay(found: pl.DataFrame, truth: pl.DataFrame) -> float | None:
    """Give the median time from what happened to what was told of it."""
    if "state" not in truth.columns:
        return None
    told = truth.join(found, ["sku", "warehouse", "state"], suffix="_found")
    seconds = (pl.col("at_found") - pl.col("at")).dt.total_milliseconds().median() / 1000
    median: float | None = told.select(seconds).item()
    return median


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
