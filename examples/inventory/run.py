"""
Generate changes and prices, keep the inventory, and tell whether it is right: `python -m inventory.run`.

Without a broker the changes and prices are files, and the results go into SQLite; with `--kafka HOST:PORT` all are topics:
changes in Debezium's envelopes, prices and tables compacted by key, alerts each exactly once.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from inventory.generate import History, generate
from inventory.pipeline import CHANGE, CHANGED, PLACE, PRICE, SINCE, STOCK, Inventory, inventory
from inventory.report import report, show

import tailrace as tr

BOUNDED = {"scan.bounded.mode": "latest-offset"}
EARLIEST = {"scan.startup.mode": "earliest-offset"}
KEYS: Mapping[str, str | tuple[str, ...]] = {"on_hand": "sku", "value": "warehouse", "alerts": ()}

Sink = tuple[str, Mapping[str, str]]
"""A connector and its options."""


def embedded(history: History, folder: Path) -> dict[str, pl.DataFrame]:
    """Run from files into a database."""
    changes, prices = str(folder / "changes"), str(folder / "prices")
    tr.from_polars(history.changes).select("line").to_files(changes, format="raw").run("changes")
    tr.from_polars(history.prices).to_files(prices).run("prices")
    debezium, json = ({"path": changes, "format": name} for name in ("debezium-json", "json"))
    found = inventory(
        tr.read("filesystem", STOCK, name="stock", primary_key=PLACE, options=debezium),
        tr.read("filesystem", CHANGE, name="changes", time=CHANGED, options=json),
        tr.read("filesystem", PRICE, name="prices", primary_key="sku", time=SINCE, options=json | {"path": prices}),
    )
    path = str(folder / "inventory.db")
    return stored(found, {name: ("sqlite", {"path": path, "table-name": name}) for name in KEYS}, folder)


def on_kafka(bootstrap: str, history: History, folder: Path) -> dict[str, pl.DataFrame]:
    """Write changes and prices into topics, by their articles, and run from there into topics."""
    run = uuid.uuid4().hex[:8]
    broker = BOUNDED | {"properties.bootstrap.servers": bootstrap}
    changes = broker | EARLIEST | {"topic": f"stock-{run}"}
    by_key = broker | {"key.format": "json", "value.format": "json"}
    prices = by_key | {"topic": f"prices-{run}"}
    lines = {"key.format": "raw", "key.fields": "sku", "value.format": "raw", "value.fields-include": "EXCEPT_KEY"}
    tr.from_polars(history.changes).to("kafka", changes | lines).run("changes")
    tr.from_polars(history.prices).to("upsert-kafka", prices, primary_key="sku").run("prices")
    found = inventory(
        tr.read("kafka", STOCK, name="stock", primary_key=PLACE, options=changes | {"format": "debezium-json"}),
        tr.read("kafka", CHANGE, name="changes", time=CHANGED, options=changes | {"format": "json"}),
        tr.read("upsert-kafka", PRICE, name="prices", primary_key="sku", time=SINCE, options=prices),
    )
    once = broker | EARLIEST | {"format": "json", "sink.delivery-guarantee": "exactly-once"}
    sinks: dict[str, Sink] = {
        "on_hand": ("upsert-kafka", by_key | {"topic": f"on-hand-{run}"}),
        "value": ("upsert-kafka", by_key | {"topic": f"value-{run}"}),
        "alerts": ("kafka", once | {"topic": f"alerts-{run}"}),
    }
    return stored(found, sinks, folder)


def stored(found: Inventory, sinks: Mapping[str, Sink], folder: Path) -> dict[str, pl.DataFrame]:
    """Write all results in one job, and read what stands in them at the end."""
    tables = found._asdict()
    on_hand, value, alerts = (
        table.to(*sinks[name], name=f"{name}_out", primary_key=KEYS[name]) for name, table in tables.items()
    )
    (on_hand + value + alerts).run("inventory", state=folder / "state")
    return {
        name: tr.read(sinks[name][0], table.schema, primary_key=KEYS[name], options=sinks[name][1]).collect()
        for name, table in tables.items()
    }


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="inventory.run", description=__doc__)
    parser.add_argument("--kafka", metavar="BOOTSTRAP", help="a broker to run on, as host:port")
    parser.add_argument("--rows", type=int, default=20_000, help="about so many changes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="other ones with another seed (%(default)s)")
    given = parser.parse_args()
    history = generate(given.rows, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found = on_kafka(given.kafka, history, place) if given.kafka else embedded(history, place)
    show(report(found, history))


if __name__ == "__main__":
    main()
