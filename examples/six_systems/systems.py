"""The six systems by their own clients: what has to be there, what is fed, and what came out."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pg8000
import pika
import pika.exceptions
from cassandra.cluster import Cluster
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from six_systems.generate import CUSTOMERS, PRODUCTS, Order
from six_systems.report import Outcome

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Systems:
    """Where the systems are."""

    rabbitmq: str
    kafka: str
    postgres: str
    redis: str
    cassandra: str
    opensearch: str

    def parameters(self) -> dict[str, str]:
        """Give the parameters of the scripts."""
        return {n.upper(): v for n, v in asdict(self).items()} | {"POSTGRES": f"jdbc:{self.postgres}"}

    # -- before

    def prepare(self) -> None:
        """Make the queue, the topic, the tables with what the shop knows, and the keyspace."""
        self._queue()
        admin = AdminClient({"bootstrap.servers": self.kafka})
        admin.create_topics([NewTopic("payments", 2, 1)])["payments"].result(SECONDS)
        self._tables()
        with self._cassandra() as cluster:
            replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
            making = f"CREATE KEYSPACE IF NOT EXISTS shop WITH replication = {replication}"
            cluster.connect().execute(making, timeout=SECONDS)

    def _queue(self) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbitmq))
        connection.channel().queue_declare("orders", durable=True, arguments={"x-queue-type": "quorum"})
        connection.close()

    def _tables(self) -> None:
        parts = urlsplit(self.postgres)
        user, host = parts.username or "postgres", parts.hostname or "localhost"
        with pg8000.connect(user, host, parts.path[1:], parts.port or 5432, parts.password) as client:
            cursor = client.cursor()
            cursor.execute("CREATE TABLE products (product text PRIMARY KEY, category text, price numeric(10, 2))")
            cursor.execute("CREATE TABLE customers (customer text PRIMARY KEY, region text)")
            rows = [(n, category, price) for n, (category, price) in PRODUCTS.items()]
            cursor.executemany("INSERT INTO products VALUES (%s, %s, %s)", rows)
            cursor.executemany("INSERT INTO customers VALUES (%s, %s)", list(CUSTOMERS.items()))
            client.commit()

    def _cassandra(self) -> Cluster:
        host, _, port = self.cassandra.partition(":")
        return Cluster([host], int(port or 9042), connect_timeout=SECONDS, control_connection_timeout=SECONDS)

    # -- in

    def pay(self, orders: Sequence[Order]) -> None:
        """Send the payments, the last order's first: an order and its payment come in any order."""
        producer = Producer({"bootstrap.servers": self.kafka})
        for order in reversed(orders):
            if order.paid is not None:
                producer.produce("payments", order.payment(), str(order.order_id))
        left: int = producer.flush(SECONDS)
        if left:
            raise TimeoutError(f"{left} payments were not taken")

    def order(self, orders: Sequence[Order]) -> None:
        """Send the orders, each confirmed; the id of each message is the order's."""
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbitmq))
        channel = connection.channel()
        channel.confirm_delivery()
        for order in orders:
            known = pika.BasicProperties(message_id=f"order-{order.order_id}", delivery_mode=2)
            channel.basic_publish("", "orders", order.message(), known, mandatory=True)
        connection.close()

    # -- out

    def outcome(self) -> Outcome:
        """Read what stands in both systems."""
        return Outcome(self.totals(), self.documents())

    def totals(self) -> dict[tuple[str, str], tuple[int, Decimal, Decimal]]:
        """Read the totals of Cassandra."""
        with self._cassandra() as cluster:
            session = cluster.connect("shop")
            if "totals" not in cluster.metadata.keyspaces["shop"].tables:
                return {}
            rows = session.execute("SELECT region, category, orders, due, paid FROM totals", timeout=SECONDS)
            return {(r.region, r.category): (r.orders, r.due, r.paid) for r in rows}

    def documents(self) -> dict[int, dict[str, Any]]:
        """Read the documents of OpenSearch."""
        if self._search("/paid-orders/_refresh") is None:
            return {}
        asked = {"size": 10_000, "query": {"match_all": {}}}
        answer = self._search("/paid-orders/_search", asked) or {"hits": {"hits": []}}
        return {hit["_source"]["order_id"]: hit["_source"] for hit in answer["hits"]["hits"]}

    def _search(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask OpenSearch; None while there is no index. Numbers with a point come as they are written."""
        given, headers = json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(self.opensearch + path, given, headers)  # noqa: S310  an address of the user's
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  as above
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return None
