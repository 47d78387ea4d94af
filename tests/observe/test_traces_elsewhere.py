"""Traces in what is no topic of Kafka: entries of Redis, messages of RabbitMQ, requests of HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pika
import pytest
import redis
from connector_kit import context, source, table
from http_kit import Api, Said
from trace_kit import PARENT, TRACE, header, run

from tailrace.connectors import trace_headers
from tailrace.connectors.base import Block, Context, Limit
from tailrace.connectors.http.webhook import WebhookReader
from tailrace.schema import BIGINT, STRING

Service = Callable[[str, dict[str, str]], str]
UNFOLLOWED = PARENT[:-1] + "0"
B3 = f"{TRACE}-b7ad6b7169203331-1"


def _file(folder: Path, rows: int) -> str:
    """Give a table of a file with numbered rows."""
    came = folder / "came"
    came.mkdir()
    (came / "rows.json").write_text("".join(f'{{"id": {i}}}\n' for i in range(rows)))
    return (
        f"CREATE TABLE came (id BIGINT, now AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '{came}',"
        " 'format' = 'json');"
    )


@pytest.fixture(scope="module")
def redis_url(service: Service) -> str:
    """Give the address of a Redis of this module's own."""
    return service("redis", {}).partition("=")[2]


@pytest.fixture(scope="module")
def rabbit_url(service: Service) -> str:
    """Give the address of a RabbitMQ of this module's own."""
    return service("rabbitmq", {}).partition("=")[2]


def test_a_trace_goes_through_streams_of_redis(redis_url: str, tmp_path: Path) -> None:
    """It is taken up from our fields and from plain ones, and written in both styles that are asked for."""
    client = redis.Redis.from_url(redis_url, protocol=2)
    given: list[dict[str, str]] = [{}, {"header:traceparent": PARENT}, {"b3": B3}, {"traceparent": UNFOLLOWED}]
    for number, fields in enumerate(given):
        entry: dict[Any, Any] = {"value": json.dumps({"id": number}), **fields}
        client.xadd("came", entry)
    with_ = f"WITH ('connector' = 'redis', 'url' = '{redis_url}', 'data-type' = 'stream', 'format' = 'json'"
    script = f"""
    CREATE TABLE came (id BIGINT) {with_}, 'scan.bounded' = 'true');
    CREATE TABLE went (id BIGINT) {with_});
    INSERT INTO went SELECT id FROM came;
    """

    spans = run(script, tmp_path, {"tailrace.traces.propagation": "w3c;b3"})

    sent = {header(s) for s in spans if s.name == "send went"}
    assert len(sent) == 2
    assert {f"{s.context.trace_id:032x}" for s in spans if s.context} == {TRACE}
    entries: Any = client.xrange("went")
    written: list[dict[bytes, bytes]] = [fields for _, fields in entries]
    client.close()
    assert [set(fields) - {b"value"} for fields in written] == [
        set(),
        *([{b"header:traceparent", b"header:b3"}] * 3),
    ]
    assert {fields[b"header:traceparent"].decode() for fields in written[1:3]} == sent
    assert written[3][b"header:traceparent"].decode() == UNFOLLOWED
    assert written[3][b"header:b3"].decode() == B3[:-1] + "0"


def test_a_trace_goes_through_queues_of_rabbitmq(rabbit_url: str, tmp_path: Path) -> None:
    """Headers are text, as other clients read them, and a source gives them back."""
    script = f"""
    {_file(tmp_path, 2)}
    CREATE TABLE went (id BIGINT) WITH ('connector' = 'rabbitmq', 'url' = '{rabbit_url}', 'queue' = 'traced',
      'queue.declare' = 'true', 'format' = 'json');
    INSERT INTO went SELECT id FROM came;
    """

    spans = run(script, tmp_path, {"tailrace.traces.propagation": "w3c;b3-multi"}, ratio=1.0)

    sent = {header(s) for s in spans if s.name == "send went"}
    of = table("rabbitmq", {"id": BIGINT}, {"url": rabbit_url, "queue": "traced", "format": "json"})
    reader = source(of).open({})
    blocks: list[Block] = []
    while sum(map(len, blocks)) < 2:
        blocks += reader.poll(Limit(wait_seconds=0.1))
    reader.close()  # nothing was acknowledged: the messages are given again
    traces = [t for b in blocks if b.headers is not None and (t := trace_headers.read(b.headers)) is not None]
    assert {t for series in traces for t in series} == sent
    assert len(sent) == 2

    connection = pika.BlockingConnection(pika.URLParameters(rabbit_url))
    _, properties, _ = connection.channel().basic_get("traced", auto_ack=True)
    connection.close()
    assert properties is not None
    assert set(properties.headers) == {"traceparent", "X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled"}
    assert properties.headers["traceparent"] in sent
    assert properties.headers["X-B3-TraceId"] == properties.headers["traceparent"][3:35]


@pytest.mark.parametrize("style", ["traceparent", "b3"])
def test_a_webhook_takes_up_the_trace_of_a_request(tmp_path: Path, style: str) -> None:
    """All rows of a request have it; a request without one has rows without."""
    of = table("http", {"id": STRING}, {"listen": "127.0.0.1:0", "format": "json", "body": "array"})
    plain = context(tmp_path)
    where = Context(plain.job, plain.folder, plain.clock, traced=True)
    reader = source(of, where=where).open({})
    assert isinstance(reader, WebhookReader)
    with httpx.Client(base_url=f"http://127.0.0.1:{reader.port}") as client:
        headers = {style: PARENT if style == "traceparent" else B3, "Authorization": "Bearer hidden"}
        client.post("/", json=[{"id": "a"}, {"id": "b"}], headers=headers)
        client.post("/", json=[{"id": "c"}])
    blocks: list[Block] = []
    while sum(map(len, blocks)) < 3:
        blocks += reader.poll(Limit(wait_seconds=0.1))
    reader.close()

    found: list[Any] = []
    for block in blocks:
        assert block.headers is not None
        read = trace_headers.read(block.headers)
        found += [None] * len(block) if read is None else read.to_list()
        assert "hidden" not in str(block.headers.to_list())
    assert found == [PARENT, PARENT, None]


def test_requests_go_on_with_the_trace_of_their_rows(tmp_path: Path) -> None:
    """One row in a request: its own trace; several: that of the last one that is followed; another header stays as given."""
    with Api() as api:
        script = f"""
        {_file(tmp_path, 3)}
        CREATE TABLE single (id BIGINT) WITH ('connector' = 'http', 'url' = '{api.url}/single', 'format' = 'json',
          'body' = 'row', 'header.X-Kept' = 'as it is');
        CREATE TABLE several (id BIGINT) WITH ('connector' = 'http', 'url' = '{api.url}/several', 'format' = 'json');
        EXECUTE STATEMENT SET BEGIN
        INSERT INTO single SELECT id FROM came;
        INSERT INTO several SELECT id FROM came;
        END;
        """
        spans = run(script, tmp_path, ratio=1.0)
        single = [a for a in api.posted if a.path == "/single"]
        (several,) = [a for a in api.posted if a.path == "/several"]

    assert {a.headers["traceparent"] for a in single} == {header(s) for s in spans if s.name == "send single"}
    traces = [a.headers["traceparent"][3:35] for a in single]
    assert len(set(traces)) == 3
    assert single[0].headers["x-kept"] == "as it is"
    assert several.headers["traceparent"] in {header(s) for s in spans if s.name == "send several"}
    assert several.headers["traceparent"][3:35] == traces[-1]
    assert several.rows == [{"id": 0}, {"id": 1}, {"id": 2}]


def test_a_lookup_goes_on_with_the_trace_of_a_row(tmp_path: Path) -> None:
    """The server that is asked sees the trace; without a followed row it sees none."""
    with Api(lambda asked: Said(200, b'{"name": "n%s"}' % asked.path[-1].encode())) as api:
        script = f"""
        {_file(tmp_path, 2)}
        CREATE TABLE users (id BIGINT, name STRING) WITH ('connector' = 'http', 'url' = '{api.url}/users/{{id}}',
          'format' = 'json');
        CREATE TABLE went (id BIGINT, name STRING) WITH ('connector' = 'blackhole');
        INSERT INTO went SELECT c.id, u.name FROM came AS c LEFT JOIN users FOR SYSTEM_TIME AS OF c.now AS u ON c.id = u.id;
        """
        spans = run(script, tmp_path, {"tailrace.traces.propagation": "w3c;b3"}, ratio=1.0)
        asked = [a for a in api.posted if a.path.startswith("/users/")]

        run(script, tmp_path)
        untraced = [a for a in api.posted if a.path.startswith("/users/")][len(asked) :]

    traces = {f"{s.context.trace_id:032x}" for s in spans if s.context and s.name == "lookup users"}
    assert len(asked) == len(untraced) == 2
    assert all(a.headers["traceparent"][3:35] in traces for a in asked)
    assert all(a.headers["b3"][:32] == a.headers["traceparent"][3:35] for a in asked)
    assert not any("traceparent" in a.headers for a in untraced)
