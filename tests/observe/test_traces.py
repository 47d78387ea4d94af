"""Traces through pipelines: taken up from headers, followed, and written to the headers of what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from kafka_kit import consume, new_topic, produce
from trace_kit import PARENT, TRACE, run

SCRIPT = """
CREATE TABLE came (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{one}',
  'properties.bootstrap.servers' = '{broker}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset');
CREATE TABLE went (id BIGINT) WITH ('connector' = 'kafka', 'topic' = '{two}',
  'properties.bootstrap.servers' = '{broker}', 'format' = 'json');
INSERT INTO went SELECT id * 10 FROM came WHERE id <> 3;
"""


def headers(message: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers() or []}


def test_a_trace_goes_through(kafka: str, tmp_path: Path) -> None:
    """The row that has a trace is followed, from its parent to the header of what it became; the others have none."""
    one, two = new_topic(kafka), new_topic(kafka)
    traced = [("traceparent", PARENT.encode()), ("tracestate", b"vendor=1,other=2")]
    unsampled = [("traceparent", PARENT[:-1].encode() + b"0")]
    given: dict[int, list[tuple[str, bytes]]] = {1: traced, 2: unsampled, 4: [("traceparent", b"nonsense")]}
    produce(kafka, one, [{"value": b'{"id": %d}' % i, "headers": given.get(i, [])} for i in range(5)])

    spans = run(SCRIPT.format(one=one, two=two, broker=kafka), tmp_path)

    by_id = {json.loads(m.value())["id"]: headers(m) for m in consume(kafka, two)}
    assert {i: bool(h) for i, h in by_id.items()} == {0: False, 10: True, 20: True, 40: False}
    assert by_id[20] == {"traceparent": PARENT[:-1] + "0"}
    assert by_id[10]["tracestate"] == "vendor=1,other=2"
    named = {s.name: s for s in spans}
    assert set(named) == {"process came", "batch", "scan-came", "calc", "sink-went", "send went"}
    assert {s.context.trace_id for s in spans} == {int(TRACE, 16)}
    read, sent = named["process came"], named["send went"]
    assert read.parent is not None
    assert f"{read.parent.span_id:016x}" == "b7ad6b7169203331"
    assert by_id[10]["traceparent"] == f"00-{TRACE}-{sent.context.span_id:016x}-01"
    assert read.attributes is not None
    assert read.attributes["tailrace.offset"] == 1


def test_few_traces_go_through_chained_jobs(kafka: str, tmp_path: Path) -> None:
    """Through two jobs with transactions each trace stays at its row, among thousands without one, and all stay in order."""
    topics = [new_topic(kafka) for _ in range(3)]
    given = {n: f"00-{n + 1:032x}-{'b' * 16}-0{n % 2}" for n in (0, 1_001, 1_002, 5_998)}
    messages: list[Mapping[str, Any]] = [
        {"value": b'{"id": %d}' % n, "headers": [("traceparent", given[n].encode())] if n in given else None}
        for n in range(6_000)
    ]
    produce(kafka, topics[0], messages)

    once = "'format' = 'json', 'sink.delivery-guarantee' = 'exactly-once');\nINSERT"
    for number, (one, two) in enumerate(pairwise(topics)):
        folder = tmp_path / str(number)
        folder.mkdir()
        run(SCRIPT.format(one=one, two=two, broker=kafka).replace("'format' = 'json');\nINSERT", once), folder)

    found = consume(kafka, topics[2])
    assert [json.loads(m.value())["id"] for m in found] == [n * 100 for n in range(6_000) if n != 3]
    parents = {json.loads(m.value())["id"] // 100: headers(m)["traceparent"] for m in found if m.headers()}
    assert {n: p[3:35] for n, p in parents.items()} == {n: p[3:35] for n, p in given.items()}
    assert {n: p[-1] for n, p in parents.items()} == {0: "0", 1_001: "1", 1_002: "0", 5_998: "0"}
    assert {n for n, p in parents.items() if p == given[n]} == {0, 1_002, 5_998}
