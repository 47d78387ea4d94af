"""The example of an inventory: step by step on a clock of its own, against its planted truth, and on a broker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from inventory import run
from inventory.generate import History, generate
from inventory.pipeline import CHANGE, CHANGED, PLACE, PRICE, SINCE, STOCK, inventory
from inventory.report import report
from polars.testing import assert_frame_equal

import tailrace as tr
from tailrace.testing import Change, Drive

ROWS = 3000
BATCHES = 7
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def drive() -> Drive:
    """Drive the pipeline with all of its results."""
    topic = {"topic": "stock", "properties.bootstrap.servers": "not-reached:1", "scan.startup.mode": "earliest-offset"}
    by_key = topic | {"topic": "prices", "key.format": "json", "value.format": "json"}
    del by_key["scan.startup.mode"]
    found = inventory(
        tr.read("kafka", STOCK, name="stock", primary_key=PLACE, options=topic | {"format": "debezium-json"}),
        tr.read("kafka", CHANGE, name="changes", time=CHANGED, options=topic | {"format": "json"}),
        tr.read("upsert-kafka", PRICE, name="prices", primary_key="sku", time=SINCE, options=by_key),
    )
    on_hand, value, alerts = (table.to("blackhole", name=f"{name}_out") for name, table in found._asdict().items())
    return Drive(on_hand + value + alerts)


Row = Mapping[str, object]


def stock(units: int, warehouse: str = "berlin", minimum: int = 10) -> Row:
    """Give the row of a stock of tea."""
    return {"sku": "tea", "warehouse": warehouse, "units": units, "minimum": minimum}


def change(kept: Drive, before: Row | None, after: Row | None, second: int) -> None:
    """Let the table change, as Debezium tells of it."""
    told = {"before": before, "after": after, "ts_ms": int(BEGIN.timestamp() + second) * 1000}
    op = "c" if before is None else "d" if after is None else "u"
    line = json.dumps(told | {"op": op})
    kept.push_bytes("stock", [line])
    kept.push_bytes("changes", [line])


def price(amount: str, second: int) -> dict[str, object]:
    """Give a price of tea."""
    return {"sku": "tea", "price": amount, "since": datetime.fromtimestamp(BEGIN.timestamp() + second, UTC)}


def alerts(kept: Drive) -> list[tuple[str, str, int | None]]:
    """Give the alerts: where, what, and how many units were left."""
    return [(row["warehouse"], row["state"], row["units"]) for row in kept.rows("alerts_out")]


def test_an_alert_tells_of_the_begin_and_the_end() -> None:
    """Once each, however the stock goes on in between; exactly the minimum is enough."""
    kept = drive()
    change(kept, None, stock(20), 0)
    for second, (before, after) in enumerate(pairwise([20, 10, 9, 4, 0, 10, 30]), 1):
        change(kept, stock(before), stock(after), second)

    assert alerts(kept) == [("berlin", "low", 9), ("berlin", "over", 10)]
    assert [row["at"].second for row in kept.rows("alerts_out")] == [2, 5]


def test_an_alert_ends_with_its_article() -> None:
    """What is new may be low from the start, what is deleted is not low any more, and a minimum may be raised."""
    kept = drive()
    change(kept, None, stock(3), 0)
    change(kept, stock(3), None, 1)
    change(kept, None, stock(12, "porto"), 2)
    change(kept, stock(12, "porto"), stock(12, "porto", minimum=15), 3)

    assert alerts(kept) == [("berlin", "low", 3), ("berlin", "over", None), ("porto", "low", 12)]


def test_units_over_all_warehouses() -> None:
    """An update takes back what it replaces, also after a crash; an article that is nowhere has no row."""
    kept = drive()
    change(kept, None, stock(20), 0)
    change(kept, None, stock(5, "lyon"), 1)
    kept.checkpoint()
    change(kept, stock(20), stock(12), 2)
    kept.crash()
    kept.expect([{"sku": "tea", "units": 17, "warehouses": 2}], "on_hand_out")

    change(kept, stock(12), None, 3)
    kept.expect([{"sku": "tea", "units": 5, "warehouses": 1}], "on_hand_out")
    change(kept, stock(5, "lyon"), None, 4)
    assert kept.rows("on_hand_out") == []


def test_a_stock_has_the_price_of_its_time() -> None:
    """Whenever that price comes: a change waits until no other price of its time can come."""
    kept = drive()
    change(kept, None, stock(20), 10)
    change(kept, stock(20), stock(10), 30)
    kept.push("prices", [price("2.00", 0), price("3.00", 20), price("9.00", 40)])  # the changes may be back to 00:25
    kept.expect([{"warehouse": "berlin", "units": 20, "unpriced": 0, "value": "40.00", "at": at(10)}], "value_out")

    change(kept, None, stock(1, "lyon"), 60)
    kept.push("prices", [price("4.00", 60)])
    kept.expect([{"warehouse": "berlin", "units": 10, "unpriced": 0, "value": "30.00", "at": at(30)}], "value_out")
    assert [c.op for c in kept.changes if c.table == "value_out"] == ["+I", "-U", "+U"]
    kept.end()
    assert {row["warehouse"]: str(row["value"]) for row in kept.rows("value_out")} == {
        "berlin": "30.00",
        "lyon": "4.00",
    }


def at(second: int) -> datetime:
    """Give a second of the first minute."""
    return datetime.fromtimestamp(BEGIN.timestamp() + second, UTC)


def test_a_stock_without_a_price() -> None:
    """It is counted apart, until it has one and changes again."""
    kept = drive()
    change(kept, None, stock(20), 10)
    kept.push("prices", [price("2.00", 15)])
    change(kept, None, stock(7, "lyon"), 40)
    kept.push("prices", [price("2.50", 40)])
    kept.expect([{"warehouse": "berlin", "units": 20, "unpriced": 20, "value": None, "at": at(10)}], "value_out")

    change(kept, stock(20), stock(4), 50)
    kept.end()
    found = {row["warehouse"]: (row["unpriced"], str(row["value"])) for row in kept.rows("value_out")}
    assert found == {"berlin": (0, "10.00"), "lyon": (0, "17.50")}


@pytest.fixture(scope="module")
def history() -> History:
    """Give the changes of some articles."""
    return generate(ROWS, seed=2)


TABLES = {name: f"{name}_out" for name in run.KEYS}


def test_all_of_the_planted_truth_is_found(history: History) -> None:
    """In batches, with a crash in the middle."""
    kept = drive()
    kept.push("prices", history.prices)
    size = len(history.changes) // BATCHES + 1
    for number, batch in enumerate(history.changes["line"].to_frame().iter_slices(size)):
        for table in ("stock", "changes"):
            kept.push_bytes(table, batch["line"].to_list())
        if number == BATCHES // 2:
            kept.checkpoint()
        if number == BATCHES // 2 + 1:
            kept.crash()
    kept.end()

    assert kept.refused == []
    as_planted(history, {name: kept.frame(table) for name, table in TABLES.items()})


def as_planted(history: History, found: Mapping[str, pl.DataFrame]) -> None:
    """Make sure that all rows are those of the truth, and that the report says so."""
    for name, truth in (("alerts", history.alerts), ("on_hand", history.on_hand), ("value", history.value)):
        assert len(truth) >= 3
        assert_frame_equal(found[name].select(truth.columns), truth, check_row_order=False)
    told = report(found, history)
    assert told["recall"].to_list() == told["precision"].to_list() == [1.0] * 4
    assert told["delay_seconds"].drop_nulls().to_list() == [0.0, 0.0]


def test_embedded(history: History, tmp_path: Path) -> None:
    """Out of files, into SQLite."""
    as_planted(history, run.embedded(history, tmp_path))


@pytest.mark.integration
def test_on_kafka(kafka: str, history: History, tmp_path: Path) -> None:
    """Out of topics, into topics."""
    as_planted(history, run.on_kafka(kafka, history, tmp_path))


def test_changes_are_pushed_as_changes_too() -> None:
    """Without Debezium's envelope a test may say what a change does."""
    kept = drive()
    kept.push("stock", [stock(20), Change("-U", dict(stock(20))), Change("+U", dict(stock(7)))])

    kept.expect([{"sku": "tea", "units": 7, "warehouses": 1}], "on_hand_out")
