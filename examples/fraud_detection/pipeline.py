"""Alerts on card payments by three rules and a model: one row for each, with its reason."""

from __future__ import annotations

import polars as pl
from fraud_detection.features import FEATURES, features
from fraud_detection.model import Model, matrix

import tailrace as tr
from tailrace import col, functions, lit

ALERT = {"card": str, "reason": str, "payment": int, "ts": "TIMESTAMP(3)", "detail": str}
PER_MINUTE = 5
"""So many payments a card may make within a minute."""
FASTEST_KMH, NEARBY_KM = 1000, 100
PROBE, LARGE = 2, 100
"""A probe costs less than the one, and what it was for more than the other."""
SURE = 0.5
"""From this probability on the model's word is an alert."""


def alerts(payments: tr.Table, model: Model) -> tr.Table:
    """Give the alerts of all rules and the model."""
    known = features(payments)
    return velocity(known).union(travel(known), probing(payments), scored(known, model))


def velocity(known: tr.Table) -> tr.Table:
    """Tell of the payment with which a card passes its limit, and not of those behind it."""
    passing = known.filter(col("in_minute") == PER_MINUTE + 1)
    return alert(passing, "velocity", text("in_minute", " payments within a minute"))


def travel(known: tr.Table) -> tr.Table:
    """Tell of two payments that nobody can have travelled between."""
    too_far = known.filter(col("km") > NEARBY_KM + FASTEST_KMH * col("hours"))
    return alert(too_far, "travel", text(functions.round(col("km")).cast("BIGINT"), " km from the payment before"))


def probing(payments: tr.Table) -> tr.Table:
    """Tell of a large payment behind three or more that only tried the card."""
    probe, big = tr.step("probe", "amount"), tr.step("big", "amount")
    pattern = tr.Match(
        pattern="probe{3,} big",
        within="10m",
        partition_by="card",
        order_by="ts",
        define={"probe": probe < PROBE, "big": big > LARGE},
        measures={
            "payment": tr.step("big", "payment"),
            "ts": tr.step("big", "ts"),
            "amount": big,
            "probes": tr.call("COUNT", probe),
        },
    )
    detail = functions.concat(text("probes", " probes, then "), text("amount"))
    return alert(payments.match(pattern), "probing", detail)


def scored(known: tr.Table, model: Model) -> tr.Table:
    """Tell of payments that the model takes for fraud."""
    sure = known.with_columns(score=score(model)).filter(col("score") >= SURE)
    return alert(sure, "model", functions.concat("score ", text(functions.round(col("score"), 2))))


def score(model: Model) -> tr.Expr:
    """Call the model with the features of a whole batch at once."""

    @tr.udf(result_type="DOUBLE")
    def fraud_score(*given: pl.Series) -> pl.Series:
        rows = pl.DataFrame(dict(zip(FEATURES, given, strict=True)))
        return pl.Series(model(matrix(rows)), dtype=pl.Float64)

    return tr.call(fraud_score, *map(col, FEATURES))


def alert(found: tr.Table, reason: str, detail: tr.Expr) -> tr.Table:
    """Give what was found as alerts."""
    return found.select(
        "card", lit(reason).alias("reason"), "payment", ts=col("ts").cast("TIMESTAMP(3)"), detail=detail
    )


def text(value: str | tr.Expr, unit: str = "") -> tr.Expr:
    """Write a column or expression with its unit behind it."""
    written = (col(value) if isinstance(value, str) else value).cast("STRING")
    return functions.concat(written, unit) if unit else written
