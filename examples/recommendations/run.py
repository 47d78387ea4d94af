"""
Generate clicks, recommend items, and tell how good that was: `python -m recommendations.run`.

Profiles are looked up in a SQLite database. Without a broker the clicks are a frame in memory, and what is found goes into
SQLite too; with `--kafka HOST:PORT` the clicks are read from a topic, and what is found goes into two compacted ones.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from recommendations.generate import History, generate
from recommendations.pipeline import CLICK, PROFILE, TIME, Found, recommend
from recommendations.report import report, show

import tailrace as tr

BOUNDED = {"scan.bounded.mode": "latest-offset"}
KEYS = {"related": ("item", "place"), "recommendations": ("user", "place")}


def embedded(history: History, folder: Path) -> dict[str, pl.DataFrame]:
    """Run on the clicks as they lie in memory, into a database."""
    clicks = tr.from_polars(history.clicks, name="clicks", time=TIME)
    given = {name: {"path": str(folder / "found.db"), "table-name": name} for name in KEYS}
    return stored(recommend(clicks, profiles(history, folder)), "sqlite", given)


def on_kafka(bootstrap: str, history: History, folder: Path) -> dict[str, pl.DataFrame]:
    """Write the clicks into a topic, by their users, and run from there into topics that keep the last row of a key."""
    run = uuid.uuid4().hex[:8]
    topic = f"clicks-{run}"
    by_user = {"key.format": "raw", "key.fields": "user"}
    tr.from_polars(history.clicks).to_kafka(topic, bootstrap_servers=bootstrap, options=by_user).run("generate")
    clicks = tr.read_kafka(topic, CLICK, bootstrap_servers=bootstrap, time=TIME, name="clicks", options=BOUNDED)
    broker = BOUNDED | {"properties.bootstrap.servers": bootstrap, "key.format": "json", "value.format": "json"}
    given = {name: broker | {"topic": f"{name}-{run}"} for name in KEYS}
    return stored(recommend(clicks, profiles(history, folder)), "upsert-kafka", given)


def profiles(history: History, folder: Path) -> tr.Table:
    """Write the profiles into a database, and give the table of them to look up in."""
    path = str(folder / "profiles.db")
    tr.from_polars(history.profiles).to_sqlite(path, "profiles", primary_key="user").run("profiles")
    cache = {"lookup.cache": "PARTIAL", "lookup.partial-cache.max-rows": "100000"}
    return tr.read("sqlite", PROFILE, name="profiles", primary_key="user", options={"path": path} | cache)


def stored(found: Found, connector: str, options: Mapping[str, Mapping[str, str]]) -> dict[str, pl.DataFrame]:
    """Let tables by key have what is found, and read what stands in them at the end."""
    related, recommendations = (
        table.to(connector, options[name], primary_key=KEYS[name]) for name, table in found._asdict().items()
    )
    (related + recommendations).run("recommendations")
    return {
        name: tr.read(connector, table.schema, primary_key=KEYS[name], options=options[name]).collect()
        for name, table in found._asdict().items()
    }


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="recommendations.run", description=__doc__)
    parser.add_argument("--kafka", metavar="BOOTSTRAP", help="a broker to run on, as host:port")
    parser.add_argument("--rows", type=int, default=20_000, help="about so many clicks (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="other ones with another seed (%(default)s)")
    given = parser.parse_args()
    history = generate(given.rows, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found = on_kafka(given.kafka, history, place) if given.kafka else embedded(history, place)
    show(report(found["related"], found["recommendations"], history))


if __name__ == "__main__":
    main()
