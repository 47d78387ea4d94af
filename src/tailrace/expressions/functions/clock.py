"""The time of the wall clock, the watermark, and what else the session knows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from tailrace.expressions.names import NOW, WATERMARK
from tailrace.expressions.nodes import Expr
from tailrace.expressions.registry import define, never_null
from tailrace.expressions.zones import to_local
from tailrace.schema import DATE, STRING, TIMESTAMPS, DataType, Kind, time_type, timestamp, timestamp_ltz

for _name in ("NOW", "CURRENT_TIMESTAMP", "CURRENT_ROW_TIMESTAMP", "PROCTIME"):
    define(
        _name,
        "temporal",
        f"{_name}()" if _name != "CURRENT_TIMESTAMP" else _name,
        "The time of the wall clock.",
        never_null(timestamp_ltz(3)),
        lambda *_: pl.col(NOW),
        0,
    )
define(
    "LOCALTIMESTAMP",
    "temporal",
    "LOCALTIMESTAMP",
    "The time of the wall clock in the session's zone.",
    never_null(timestamp(3)),
    lambda ctx, _: to_local(pl.col(NOW), ctx.timezone),
    0,
)
define(
    "CURRENT_DATE",
    "temporal",
    "CURRENT_DATE",
    "The day of the wall clock in the session's zone.",
    never_null(DATE),
    lambda ctx, _: to_local(pl.col(NOW), ctx.timezone).dt.date(),
    0,
)
for _name in ("CURRENT_TIME", "LOCALTIME"):
    define(
        _name,
        "temporal",
        _name,
        "The time of day of the wall clock in the session's zone.",
        never_null(time_type(0)),
        lambda ctx, _: to_local(pl.col(NOW), ctx.timezone).dt.truncate("1s").dt.time(),
        0,
    )


def _watermark_type(args: list[Expr]) -> DataType:
    if args[0].type.kind not in TIMESTAMPS:
        raise ValueError("it takes the row time")
    return replace(args[0].type, precision=3, nullable=True)


define(
    "CURRENT_WATERMARK",
    "temporal",
    "CURRENT_WATERMARK(t)",
    "The watermark before the row; NULL before the first.",
    _watermark_type,
    lambda _, e: pl.col(WATERMARK).cast(pl.Datetime("ms", "UTC" if e.type.kind is Kind.TIMESTAMP_LTZ else None)),
    1,
)
define(
    "CURRENT_DATABASE",
    "conditional",
    "CURRENT_DATABASE()",
    "The name of the database.",
    never_null(STRING),
    lambda *_: pl.lit("default_database"),
    0,
)
