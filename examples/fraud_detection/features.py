"""
What a card did before each payment, as a table with a row for each payment.

Rules, training and scoring take it from here: a model sees on the stream what it was trained on.
"""

from __future__ import annotations

import tailrace as tr
from tailrace import col, functions

PAYMENT = {
    "payment": int,
    "card": str,
    "amount": "DECIMAL(10, 2)",
    "category": str,
    "lat": float,
    "lon": float,
    "ts": "TIMESTAMP(3)",
}
TIME = tr.event_time("ts", delay="5s")
FEATURES = ("ratio", "hour", "in_hour", "km", "online")
"""The columns that the model takes, in its order."""
EARTH_KM = 12_742
"""The diameter."""


def features(payments: tr.Table) -> tr.Table:
    """Give each payment with what came before it on its card."""
    return amounts(counts(moves(payments)))


def moves(payments: tr.Table) -> tr.Table:
    """Add how far and how long ago the payment before was: 0 km for the first of a card."""
    before = {f"{name}_before": col(name).shift().over("card", order_by="ts") for name in ("lat", "lon", "ts")}
    return payments.with_columns(**before).with_columns(
        km=haversine("lat_before", "lon_before", "lat", "lon").fill_null(0.0),
        hours=functions.timestampdiff("SECOND", col("ts_before"), col("ts")) / 3600.0,
    )


def haversine(lat_a: str, lon_a: str, lat_b: str, lon_b: str) -> tr.Expr:
    """Give the kilometres between two places along the surface of the earth."""
    up, along = (functions.sin(functions.radians(col(b) - col(a)) / 2) for a, b in ((lat_a, lat_b), (lon_a, lon_b)))
    round_ = functions.cos(functions.radians(col(lat_a))) * functions.cos(functions.radians(col(lat_b)))
    return functions.asin(functions.sqrt(up * up + round_ * along * along)) * EARTH_KM


def counts(payments: tr.Table) -> tr.Table:
    """Add how many payments the card made within the minute and the hour up to this one."""
    minute = tr.count().over("card", order_by="ts", range="1m")
    hour = tr.count().over("card", order_by="ts", range="1h")
    return payments.with_columns(in_minute=minute).with_columns(in_hour=hour)


def amounts(payments: tr.Table) -> tr.Table:
    """Add how many times the mean of the card's last day it is, that without it; and when and where it was made."""
    value = col("amount").cast("DOUBLE")
    day = {"total": value.sum(), "n": tr.count()}
    summed = payments.with_columns(
        **{name: of_all.over("card", order_by="ts", range="2d") for name, of_all in day.items()}
    )
    usual = (col("total") - value) / functions.nullif(col("n") - 1, 0)
    return summed.with_columns(
        ratio=(value / functions.nullif(usual, 0.0)).fill_null(1.0),
        hour=functions.hour(col("ts")),
        online=tr.when(col("category") == "online").then(1).otherwise(0),
    ).drop("total", "n")
