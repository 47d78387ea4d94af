"""The pipelines of examples/connectors, each on a real server."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from http_kit import until
from login_kit import STRING
from server_kit import free_ports, running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "connectors"


def command(name: str, folder: Path, parameters: Mapping[str, str]) -> list[str]:
    """Give the command line that runs a pipeline with its state in a folder."""
    given = [x for key, value in parameters.items() for x in ("-p", f"{key}={value}")]
    return [sys.executable, "-m", "tailrace", "run", str(EXAMPLES / name), "--state", str(folder / "state"), *given]


def run(name: str, folder: Path, **parameters: str) -> str:
    """Run a pipeline as a user does; give what it prints."""
    done = subprocess.run(
        command(name, folder, parameters), capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_postgres(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    pg8000 = pytest.importorskip("pg8000", reason="PostgreSQL: the extra tailrace[jdbc] is not installed")
    url = service("postgres", {}).partition("=")[2]
    run("postgres.sql", tmp_path, URL=f"jdbc:{url}")
    with pg8000.connect("postgres", port=int(url.rpartition(":")[2].partition("/")[0])) as client:
        cursor = client.cursor()
        assert cursor.execute("SELECT sum(n) FROM card_totals").fetchall() == ([1000],)


def test_rabbitmq(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    pika = pytest.importorskip("pika", reason="RabbitMQ: its client pika is not installed")
    url = service("rabbitmq", {}).partition("=")[2]
    run("rabbitmq.sql", tmp_path, URL=url)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    assert connection.channel().queue_declare("payments", passive=True).method.message_count == 1000
    connection.close()


def test_kinesis(
    service: Callable[[str, dict[str, str]], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("botocore", reason="Kinesis: the extra tailrace[kinesis] is not installed")
    kit = pytest.importorskip("kinesis_kit", reason="Kinesis: what its tests need is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    endpoint = service("kinesis", {"KINESIS_PORT": str(free_ports(2))}).partition("=")[2]
    client = kit.client_of(endpoint)
    kit.make(client, "payments", 2)
    run("kinesis.sql", tmp_path, REGION="us-east-1", ENDPOINT=endpoint)
    assert len(kit.records(client, "payments")) == 1000


@pytest.mark.integration
def test_eventhubs(kafka: str, kafka_tls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a broker that takes a connection string over TLS."""
    monkeypatch.setenv("TAILRACE_EVENTHUBS", STRING)
    servers = f"127.0.0.1:{int(kafka.rpartition(':')[2]) + 2}"
    printed = run("eventhubs.sql", tmp_path, SERVERS=servers, CA=str(kafka_tls / "ca.pem"))
    assert re.search(r"\+I \| +1000 \| +1\d\d$|\+I \| +1000 \| +200$", printed, re.MULTILINE), printed


def test_redis(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    redis = pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")
    url = service("redis", {}).partition("=")[2]
    run("redis.sql", tmp_path, URL=url)
    client = redis.Redis.from_url(url)
    keys = client.keys("totals:*")
    assert sum(int(client.hget(key, "n")) for key in keys) == 1000
    assert client.xlen("large-payments") > 0


def test_services_that_share_a_cache(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    """Two processes at a time: what one writes, the other finds; what nobody wrote, it does not."""
    redis = pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")
    url = service("redis", {}).partition("=")[2]
    for folder in ("writer", "reader"):
        (tmp_path / folder).mkdir()
    client = redis.Redis.from_url(url)
    writer = subprocess.Popen(command("shared_cache/writer.sql", tmp_path / "writer", {"URL": url}))
    try:
        until(lambda: bool(client.keys("courier:*")), "a first place of a courier", 60)
        run("shared_cache/reader.sql", tmp_path / "reader", URL=url)
    finally:
        writer.terminate()
        status = writer.wait(60)
    assert status == 0
    with closing(sqlite3.connect(tmp_path / "reader" / "orders.db")) as database:
        rows = database.execute("SELECT id, courier, place FROM placed_orders").fetchall()
    assert sorted(r[0] for r in rows) == list(range(1, 2001))
    found = [(courier, place) for _, courier, place in rows if place is not None]
    assert len({place for _, place in found}) > 20, "it found but one place of each: the two did not run together"
    assert all(place.startswith(f"courier {courier} at ") for courier, place in found)
    assert not any(courier > 20 for courier, _ in found)


def test_memcached(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    client = pytest.importorskip("pymemcache.client.base", reason="Memcached: its extra is not installed")
    servers = service("memcached", {}).partition("=")[2]
    with closing(sqlite3.connect(tmp_path / "limits.db")) as database:
        database.execute("CREATE TABLE limits (card INTEGER PRIMARY KEY, most REAL)")
        database.execute("INSERT INTO limits VALUES (1, 50.0), (2, 800.0)")
        database.commit()
    run("memcached.sql", tmp_path, SERVERS=servers)
    host, _, port = servers.partition(":")
    reader = client.Client((host, int(port)), timeout=10)
    found = {r["card"]: r for r in map(json.loads, reader.get_many([f"seen:{n}" for n in range(1, 21)]).values())}
    assert sum(row["n"] for row in found.values()) == 1000
    assert found[1]["over_limit"] > found[2]["over_limit"]
    assert not any(row["over_limit"] for card, row in found.items() if card > 2)
    assert int(reader.stats()[b"curr_items"]) == 2 * len(found), "the cache has not all limits, and what is none"
    reader.close()


@pytest.mark.slow
def test_elasticsearch(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    client = pytest.importorskip("opensearchpy", reason="Elasticsearch: its extra is not installed")
    url = service("opensearch", {})
    run("elasticsearch.sql", tmp_path, HOSTS=url)
    reader = client.OpenSearch(url, timeout=60)
    reader.indices.refresh(index="totals,large-payments")
    found = reader.search(index="totals", body={"size": 100})["hits"]["hits"]
    assert sum(hit["_source"]["n"] for hit in found) == 1000
    assert {hit["_id"] for hit in found} == {str(hit["_source"]["card"]) for hit in found}
    assert reader.count(index="large-payments")["count"] > 0
    assert reader.indices.get_data_stream(name="large-payments")["data_streams"]
    reader.close()


@pytest.mark.slow
def test_cassandra(tmp_path: Path) -> None:
    driver = pytest.importorskip("cassandra.cluster", reason="Cassandra: its extra is not installed")
    with running("cassandra", tmp_path / "server", {"CASSANDRA_PORT": str(free_ports(4))}) as (_, address):
        host, _, port = address.partition(":")
        session = driver.Cluster([host], int(port)).connect()
        session.execute("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        said = run("cassandra.sql", tmp_path, POINTS=address)
        assert sum(n for (n,) in session.execute("SELECT n FROM shop.totals")) == 1000
        assert said.count("|") > 20
        session.cluster.shutdown()


def test_dynamodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = pytest.importorskip("botocore.session", reason="DynamoDB: the extra tailrace[dynamodb] is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tailrace")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with running("dynamodb", tmp_path / "server", {"DYNAMODB_PORT": str(free_ports(1))}) as (_, address):
        url = f"http://{address}"
        client = kit.get_session().create_client("dynamodb", region_name="eu-central-1", endpoint_url=url)
        client.create_table(
            TableName="totals",
            KeySchema=[{"AttributeName": "card", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "card", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        said = run("dynamodb.sql", tmp_path, ENDPOINT=url)
        items = client.scan(TableName="totals")["Items"]
        assert sum(int(item["n"]["N"]) for item in items) == 1000
        assert all("expires" in item for item in items)
        assert said.count("|") > 20


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_cosmosdb(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    cosmos = pytest.importorskip("azure.cosmos", reason="Cosmos DB: the extra tailrace[cosmosdb] is not installed")
    url = service("cosmosdb", {}).partition("=")[2]
    client = cosmos.CosmosClient(url, "a2V5", connection_verify=False, enable_endpoint_discovery=False)
    database = client.create_database_if_not_exists("shop")
    totals = database.create_container("totals", partition_key=cosmos.PartitionKey("/card"))
    script = tmp_path / "cosmosdb.sql"  # with what an emulator needs
    text = (EXAMPLES / "cosmosdb.sql").read_text()
    script.write_text(text.replace("'database'", "'ssl.verify' = 'false', 'endpoint-discovery' = 'false', 'database'"))
    said = run(str(script), tmp_path, ENDPOINT=url, KEY="a2V5")
    assert sum(item["n"] for item in totals.query_items("SELECT c.n FROM c", enable_cross_partition_query=True)) == 1000
    assert said.count("|") > 20


@pytest.mark.slow
def test_hbase(tmp_path: Path) -> None:
    client = pytest.importorskip("happybase", reason="HBase: its extra is not installed")
    with running("hbase", tmp_path / "server", {"HBASE_PORT": str(free_ports(2))}) as (_, address):
        run("hbase.sql", tmp_path, THRIFT=address)
        host, _, port = address.partition(":")
        connection = client.Connection(host, int(port))
        rows = dict(connection.table("totals").scan())
        assert sum(int.from_bytes(cells[b"counted:n"], "big") for cells in rows.values()) == 1000
        connection.close()


@pytest.mark.slow
def test_druid(tmp_path: Path) -> None:
    client = pytest.importorskip("httpx", reason="Druid: its extra is not installed")
    with running("druid", tmp_path / "server", {"DRUID_PORT": str(free_ports(7))}) as (_, address):
        run("druid.sql", tmp_path, DRUID=address)
        query = 'SELECT SUM("n") AS n, COUNT(*) AS "rows" FROM sales'
        end = time.monotonic() + 90
        while (answer := client.post(f"{address}/druid/v2/sql", json={"query": query})).status_code != 200:
            assert time.monotonic() < end, answer.text
            time.sleep(0.5)
        assert answer.json()[0]["n"] == 1000
        assert answer.json()[0]["rows"] <= 50
