"""
Run two services that are chained by a topic, and stop, kill and upgrade each on its own: `python -m microservices.run`.

It needs a broker (`--kafka HOST:PORT`) and a schema registry (`--registry URL`). With `--zipkin URL` traces go there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from microservices.generate import Order, generate
from microservices.report import report
from microservices.services import Service

WAIT_SECONDS = 120


@dataclass
class Chain:
    """Two services, the topics between them, and what came out at the end."""

    bootstrap: str
    registry: str
    folder: Path
    settings: Sequence[str] = ()
    orders: list[Order] = field(default_factory=list)
    parcels: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        run = uuid.uuid4().hex[:8]
        names = ("ORDERS", "SCREENED", "PARCELS")
        self.topics = {name: f"{name.lower()}-{run}" for name in names}
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for made in admin.create_topics([NewTopic(t, 2, 1) for t in self.topics.values()]).values():
            made.result(30)
        parameters = {**self.topics, "BROKER": self.bootstrap, "REGISTRY": self.registry}
        self.screening = Service("screening", self.folder, parameters, self.settings)
        self.shipping = Service("shipping", self.folder, parameters, self.settings)
        self._producer = Producer({"bootstrap.servers": self.bootstrap})
        self._consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": run, "auto.offset.reset": "earliest"}
        )
        self._consumer.subscribe([self.topics["PARCELS"]])

    def order(self, count: int, seed: int = 1) -> None:
        """Send orders, each with the trace of its request."""
        made = generate(count, seed, len(self.orders))
        for one in made:
            headers = [("traceparent", one.traceparent.encode())]
            self._producer.produce(self.topics["ORDERS"], one.message(), headers=headers)
        self._producer.flush(30)
        self.orders += made

    def arrive(self) -> None:
        """
        Take parcels until all orders have theirs.

        Raises:
            TimeoutError: they do not come.
        """
        wanted = sum(o.ships for o in self.orders)
        end = time.monotonic() + WAIT_SECONDS
        while len(self.parcels) < wanted:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.parcels)} of {wanted} parcels came; see {self.folder}")
            self.screening.check()
            self.shipping.check()
            self.parcels += [m for m in self._consumer.consume(500, 0.2) if not m.error()]

    def versions(self) -> list[int]:
        """Give the versions of the schema between the services."""
        with SchemaRegistryClient({"url": self.registry}) as client:
            found: list[int] = client.get_versions(f"{self.topics['SCREENED']}-value")
        return found

    def close(self) -> None:
        """End both services."""
        self.screening.stop()
        self.shipping.stop()
        self._consumer.close()


def lives(chain: Chain, count: int, say: Callable[[str], None] = print) -> pl.DataFrame:
    """Send orders through all that happens to services in their lives, and tell what came of them."""
    try:
        say("both services start")
        chain.screening.start("screening.sql")
        chain.shipping.start("shipping.sql")
        chain.order(count)
        chain.arrive()
        say("shipping is killed; orders come meanwhile; it starts again")
        chain.shipping.kill()
        chain.order(count)
        chain.shipping.start("shipping.sql")
        chain.arrive()
        say("screening is upgraded, and adds a column; shipping runs on")
        chain.screening.stop()
        chain.order(count)
        chain.screening.start("screening_v2.sql")
        chain.arrive()
        say("shipping is upgraded, and reads the new column")
        chain.shipping.stop()
        chain.order(count)
        chain.shipping.start("shipping_v2.sql")
        chain.arrive()
    finally:
        chain.close()
    return report(chain.orders, chain.parcels, chain.versions())


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="microservices.run", description=__doc__)
    parser.add_argument("--kafka", metavar="BOOTSTRAP", required=True, help="a broker, as host:port")
    parser.add_argument("--registry", metavar="URL", required=True, help="a schema registry with Confluent's API")
    parser.add_argument("--zipkin", metavar="URL", help="where traces go, as http://localhost:9411")
    parser.add_argument("--rows", type=int, default=200, help="so many orders in each of four parts (%(default)s)")
    given = parser.parse_args()
    settings = []
    if given.zipkin:
        settings = ["tailrace.traces.exporter=zipkin", f"tailrace.zipkin.endpoint={given.zipkin}/api/v2/spans"]
    with tempfile.TemporaryDirectory() as folder:
        chain = Chain(given.kafka, given.registry, Path(folder), settings or PASSED_ON)
        print(lives(chain, given.rows))
    if given.zipkin:
        print(f"a trace: {given.zipkin}/zipkin/traces/{chain.orders[1].trace_id}")


PASSED_ON = ("tailrace.traces.exporter=zipkin", "tailrace.traces.max-per-second=0")
"""Traces are passed on from service to service, and none of their steps is told."""

if __name__ == "__main__":
    main()
