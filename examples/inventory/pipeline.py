"""What is in stock, what is it worth, and what runs short: from the changes of a database's table, and prices."""

from __future__ import annotations

from typing import NamedTuple

import tailrace as tr
from tailrace import col, functions

STOCK = {"sku": str, "warehouse": str, "units": int, "minimum": int}
PLACE = ("sku", "warehouse")
ROW = "ROW<sku STRING, warehouse STRING, units BIGINT, minimum BIGINT>"
CHANGE = {"before": ROW, "after": ROW, "ts_ms": int, "at": functions.to_timestamp_ltz(col("ts_ms"), 3)}
CHANGED = tr.event_time("at", delay="5s")
PRICE = {"sku": str, "price": "DECIMAL(10, 2)", "since": "TIMESTAMP_LTZ(3)"}
SINCE = tr.event_time("since", delay="5s")


class Inventory(NamedTuple):
    """What is kept up to date: units by article, value by warehouse; and the alerts, each once."""

    on_hand: tr.Table
    value: tr.Table
    alerts: tr.Table


def inventory(stock: tr.Table, changes: tr.Table, prices: tr.Table) -> Inventory:
    """
    Answer all three questions.

    `stock` and `changes` are the same topic, read in two ways: as the table that its changes make, and as the changes
    themselves, each a row with what stood there before and after it, and a time.
    """
    return Inventory(on_hand(stock), value(changes, prices), alerts(changes))


def on_hand(stock: tr.Table) -> tr.Table:
    """Count the units of each article over all warehouses."""
    return stock.group_by("sku").agg(units=col("units").sum(), warehouses=tr.count())


def value(changes: tr.Table, prices: tr.Table) -> tr.Table:
    """Value each warehouse: each stock by the price that held when it last changed."""
    moved = changes.select(
        sku=either("sku"), warehouse=either("warehouse"), units=after("units").fill_null(0), at=col("at")
    )
    valued = moved.join(prices, "sku", "left", as_of="at").unique(PLACE, keep="last", order_by="at")
    return valued.group_by("warehouse").agg(
        units=col("units").sum(),
        unpriced=functions.coalesce(col("units").sum().filter(col("price").is_null()), 0),
        value=(col("units") * col("price")).sum(),
        at=col("at").max(),
    )


def alerts(changes: tr.Table) -> tr.Table:
    """Tell when a stock falls below its minimum, and when that is over: one row for each."""
    was, is_low = low("before"), low("after")
    turned = changes.filter(was != is_low)
    state = tr.when(is_low).then(tr.lit("low")).otherwise(tr.lit("over"))
    return turned.select(
        sku=either("sku"),
        warehouse=either("warehouse"),
        state=state,
        units=after("units"),
        minimum=either("minimum"),
        at=col("at"),
    )


def low(side: str) -> tr.Expr:
    """Tell whether a row has less than its minimum; one that is not there has not."""
    return (col(side).field("units") < col(side).field("minimum")).is_true()


def after(name: str) -> tr.Expr:
    """Give a column of the row after a change; NULL of one that was deleted."""
    return col("after").field(name)


def either(name: str) -> tr.Expr:
    """Give a column of the row after a change, or of the one that was deleted."""
    return after(name).fill_null(col("before").field(name))
