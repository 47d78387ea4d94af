"""Log lines: what they say of a row, how many there are, how they are written, and that they can't forge others."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.resources import Resource
from structlog import DropEvent

from tailrace.observe.exporting.log_lines import BulkLines
from tailrace.observe.exporting.otlp_logs import OtlpLines
from tailrace.observe.logs import ecs, setup
from tailrace.observe.logs.limits import Limiter
from tailrace.observe.logs.tee import Line, taking

SCRIPT = """
CREATE TABLE came (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'rows.json', 'format' = 'json',
  'tailrace.on-error' = 'drop'{more});
CREATE TABLE went (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO went SELECT id FROM came;
"""


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave structlog as the other tests found it."""
    before = structlog.get_config()
    was = structlog.is_configured()
    yield
    if was:
        structlog.configure(**before)
    else:
        structlog.reset_defaults()


def run(folder: Path, *options: str, more: str = "", rows: str = '{"id": 1}\nsecret\n') -> list[str]:
    """Run the script as a command; give the lines of standard error."""
    (folder / "rows.json").write_text(rows)
    (folder / "job.sql").write_text(SCRIPT.format(more=more))
    command = [sys.executable, "-m", "tailrace", "run", "job.sql", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def documents(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.parametrize("by", ["option", "setting"])
def test_a_bad_row_as_json(tmp_path: Path, by: str) -> None:
    """The line has the fields of the Elastic Common Schema: job, table, partition, offset, and nothing of the row."""
    options = ["--log-format", "json"] if by == "option" else ["--set", "tailrace.logs.format=json"]
    lines = run(tmp_path, *options)

    (told,) = [d for d in documents(lines) if d["message"] == "a row was dropped"]
    assert told["log.level"] == "warning" or told["log"]["level"] == "warning"
    assert told["service"]["name"] == "job"
    assert told["tailrace"]["table"] == "came"
    assert told["tailrace"]["offset"] == 10
    assert told["tailrace"]["partition"].endswith("rows.json")
    assert told["@timestamp"].endswith("Z")
    assert not any("secret" in line for line in lines)


def test_a_payload_is_shown_when_asked(tmp_path: Path) -> None:
    lines = run(tmp_path, "--log-format", "json", more=", 'tailrace.error-samples' = 'true'")

    (told,) = [d for d in documents(lines) if d["message"] == "a row was dropped"]
    assert told["tailrace"]["sample"] == "6 bytes: 'secret'"


def test_many_are_counted(tmp_path: Path) -> None:
    """Of three hundred lines ten are written; the others are counted to the last one."""
    lines = run(tmp_path, "--log-format", "json", rows="bad\n" * 300)
    told = [d for d in documents(lines) if d["message"] == "a row was dropped"]
    rest = [d for d in documents(lines) if d["message"] == "lines were held back"]
    held = sum(d["tailrace"].get("suppressed", 0) for d in (*told, *rest))

    assert len(told) + held == 300
    assert 10 <= len(told) < 100


def test_limits() -> None:
    """In each ten seconds so many lines of a message pass; the next one says how many did not; others are not touched."""
    now = [0.0]
    limiter = Limiter(lambda: now[0], most=2)

    def passes(event: str) -> dict[str, Any] | None:
        try:
            return dict(limiter(None, "warning", {"event": event}))
        except DropEvent:
            return None

    assert [passes("a") is not None for _ in range(5)] == [True, True, False, False, False]
    assert passes("b") == {"event": "b"}
    now[0] = 10.0
    assert passes("a") == {"event": "a", "suppressed": 3}
    assert passes("a") == {"event": "a"}
    assert passes("a") is None
    assert limiter.rest() == {"a": 1}
    assert limiter.rest() == {}


def test_limits_of_many_messages() -> None:
    """Texts that are all different take no memory without end, and no count is lost."""
    limiter = Limiter(lambda: 0.0, most=1)
    for i in range(3000):
        limiter(None, "info", {"event": str(i)})
        with pytest.raises(DropEvent):
            limiter(None, "info", {"event": str(i)})

    assert sum(limiter.rest().values()) == 3000


ATTACK = "ok\r\n12:00:00 [info] forged line\x1b]0;title\x07\x1b[31m\u2028\u202e\x9b"


def test_no_line_is_forged_on_a_console() -> None:
    """A line feed, an escape sequence or a mark of direction in a value or a message is written as an escape."""
    stream = io.StringIO()
    setup.console(logging.INFO, stream)
    structlog.get_logger("t").warning("seen " + ATTACK, topic=ATTACK, n=1)

    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert "\\x1b[31m" in text


def test_no_line_is_forged_in_json() -> None:
    stream = io.StringIO()
    setup.ecs(logging.INFO, stream)
    structlog.get_logger("t").warning("seen " + ATTACK, topic=ATTACK)

    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert json.loads(text)["tailrace"]["topic"] == ATTACK


LINE = Line(
    1_700_000_000_123_000_000,
    "tailrace.rows",
    "warning",
    {"event": "a row was dropped", "job": "j", "offset": 7, "trace_id": "0af7651916cd43dd8448eb211c80319c"},
)


def test_lines_of_a_job_are_taken() -> None:
    """An exporter gets the lines of its job and those of none, but not what is said of exporters."""
    taken: list[Line] = []
    setup.console(logging.INFO, io.StringIO())
    with taking("j", taken.append):
        for name, values in {"a": {"job": "j"}, "b": {"job": "other"}, "c": {}}.items():
            structlog.get_logger(name).warning("line", **values)
        structlog.get_logger("tailrace.telemetry").warning("line")
    structlog.get_logger("a").warning("after")

    assert [(t.logger, t.level, t.event["event"]) for t in taken] == [
        ("a", "warning", "line"),
        ("c", "warning", "line"),
    ]


def test_otlp_lines() -> None:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    OtlpLines(exporter, Resource({"service.name": "j"})).send([LINE])

    (record,) = exporter.get_finished_logs()
    found = record.log_record
    assert (found.body, found.severity_text, found.timestamp) == ("a row was dropped", "WARNING", LINE.time)
    assert found.trace_id == int(LINE.event["trace_id"], 16)
    assert found.attributes == {"tailrace.job": "j", "tailrace.offset": 7, "log.logger": "tailrace.rows"}


@pytest.mark.parametrize(("status", "errors", "well"), [(200, False, True), (200, True, False), (401, False, None)])
def test_bulk_lines(monkeypatch: pytest.MonkeyPatch, status: int, errors: bool, well: bool | None) -> None:
    """Each line is a document to be created; the key goes along; what is refused is known to be."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json={"errors": errors})

    bulk = BulkLines({"tailrace.opensearch.api-key": "k", "tailrace.opensearch.url": "http://search:9200"})
    monkeypatch.setattr(
        bulk,
        "_client",
        httpx.Client(
            transport=httpx.MockTransport(answer), base_url="http://search:9200", headers=bulk._client.headers
        ),
    )
    if well is None:
        with pytest.raises(httpx.HTTPStatusError):
            bulk.send([LINE])
    else:
        assert bulk.send([LINE, LINE]) is well

    request = asked[0]
    assert (str(request.url), request.headers["authorization"]) == (
        "http://search:9200/logs-tailrace/_bulk",
        "ApiKey k",
    )
    action, document = request.content.decode().splitlines()[:2]
    assert json.loads(action) == {"create": {}}
    assert json.loads(document)["trace"]["id"] == LINE.event["trace_id"]
    assert json.loads(document)["@timestamp"] == "2023-11-14T22:13:20.123+00:00"


def test_the_template_has_the_fields_of_lines() -> None:
    """Each field that a line has a place for is mapped."""
    mapped = ecs.index_template("logs-x")["template"]["mappings"]["properties"]

    def has(name: str) -> bool:
        level: Any = mapped
        for part in name.split("."):
            level = level.get("properties", level).get(part, {})
        return "type" in level

    assert [f for f in (*ecs.FIELDS.values(), "message", "@timestamp", "tailrace.offset") if not has(f)] == []


def test_observe_index_template() -> None:
    command = [sys.executable, "-m", "tailrace", "observe", "index-template", "--index", "logs-pay"]
    made = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)

    assert made["index_patterns"] == ["logs-pay*"]
