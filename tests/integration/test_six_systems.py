"""One pipeline over six systems at once, killed in the middle, with one of the servers killed as well: exact results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("aio_pika", reason="RabbitMQ: the extra tailrace[rabbitmq] is not installed")
pytest.importorskip("confluent_kafka", reason="Kafka: the extra tailrace[kafka] is not installed")
pytest.importorskip("pg8000", reason="PostgreSQL: the extra tailrace[jdbc] is not installed")
pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")
pytest.importorskip("cassandra", reason="Cassandra: the extra tailrace[cassandra] is not installed")

import redis
from server_kit import free_ports, running
from six_systems.generate import generate
from six_systems.report import Outcome, expected
from six_systems.run import Shop, lives
from six_systems.systems import Systems


def test_generate_is_a_pure_function() -> None:
    assert generate(20, 3) == generate(20, 3)
    assert sum(o.paid is None for o in generate(20)) == 2


def test_a_difference_is_found() -> None:
    right = expected(generate(100))
    assert right.differences(right) == []
    less = expected(generate(99))
    assert [text.split()[0] for text in right.differences(less)] == ["document", "total"]
    assert len(right.differences(Outcome({}, {}))) == len(right.documents) + len(right.totals)


@pytest.mark.integration
@pytest.mark.slow
def test_six_systems(kafka: str, service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    """RabbitMQ and Kafka in, PostgreSQL and Redis beside, Cassandra and OpenSearch out."""
    rabbitmq = {"RABBITMQ_PORT": str(free_ports(3))}
    cassandra = {"CASSANDRA_PORT": str(free_ports(4)), "CASSANDRA_LOGIN": "false"}
    with (
        running("rabbitmq", tmp_path / "rabbitmq", rabbitmq) as (broker, url),
        running("cassandra", tmp_path / "cassandra", cassandra) as (_, contact),
    ):
        systems = Systems(
            url.partition("=")[2],
            kafka,
            service("postgres", {}).partition("=")[2],
            service("redis", {}).partition("=")[2],
            contact,
            service("opensearch", {"OPENSEARCH_PORT": str(free_ports(2))}),
        )
        shop = Shop(systems, tmp_path)

        def break_rabbitmq() -> None:
            broker.kill()
            broker.start()

        assert lives(shop, 500, break_rabbitmq, lambda _: None) == [], shop.log.read_text()[-3000:]
        assert len(shop.orders) == 2500
        with redis.Redis.from_url(systems.redis) as cache:  # the answers of PostgreSQL
            assert next(cache.scan_iter("products:*"), None) is not None
        assert '"event": "restored"' in shop.log.read_text()
