"""What the connector makes of a server's answers, on one that answers as told; the real one is in the conformance suite."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

pytest.importorskip("opensearchpy", reason="Elasticsearch: the extra tailrace[elasticsearch] is not installed")

from connector_kit import context, sink, source, table

from tailrace.connectors import registry
from tailrace.connectors.base import AtLeastOnceSink, Refusals
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.schema import BIGINT, STRING, timestamp_ltz

COLUMNS = {"id": BIGINT, "name": STRING}


class Answers:
    """A server that answers each bulk request with the next of `bulks`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.bulks: list[tuple[int, str]] = []
        self.asked: list[tuple[str, str, str]] = []
        self.url = ""

    def answer(self, method: str, path: str, body: str) -> tuple[int, str]:
        """Give the state and the body of an answer."""
        self.asked.append((method, path, body))
        if self.status != 200:
            return self.status, '{"error": {"type": "security_exception", "reason": "no such user"}}'
        if "_bulk" in path:
            return self.bulks.pop(0) if self.bulks else (200, '{"errors": false}')
        return 200, '{"version": {"number": "2.19.1", "distribution": "opensearch"}}'

    @property
    def bodies(self) -> list[str]:
        """The bodies of the bulk requests."""
        return [body for _, path, body in self.asked if "_bulk" in path]


@pytest.fixture
def server() -> Iterator[Answers]:
    """Give one that listens."""
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, text = answers.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_PUT = do_GET  # noqa: N815  as the base class names them

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    answers.url = f"http://127.0.0.1:{listening.server_port}"
    yield answers
    listening.shutdown()
    thread.join()
    listening.server_close()


def opened(server: Answers, key: tuple[str, ...] = ("id",), **options: str) -> AtLeastOnceSink:
    """Open the sink of a table; `_` in an option's name stands for `-`, `__` for `.`."""
    given = {"hosts": server.url, "index": "t"} | {
        k.replace("__", ".").replace("_", "-"): v for k, v in options.items()
    }
    columns = (
        COLUMNS | {"@timestamp": timestamp_ltz(3)} if "data_stream" in options or "{" in given["index"] else COLUMNS
    )
    made = sink(table("elasticsearch", columns, given, primary_key=key), context())
    assert isinstance(made, AtLeastOnceSink)
    made.open()
    return made


def rows(*ids: int, **more: pl.Series) -> pl.DataFrame:
    """Make rows."""
    return pl.DataFrame({"id": list(ids), "name": [f'n"{i}' for i in ids], **more})


class Kept(Refusals):
    """Keeps refused rows."""

    tolerates = True

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self.rows += [(i, reason) for i in rows["id"].to_list()]


def test_lines_of_a_request(server: Answers) -> None:
    """Documents by id, and rows to delete without one."""
    made = opened(server)
    made.write(rows(1, 2).with_columns(pl.Series(KIND, [RowKind.INSERT, RowKind.DELETE], dtype=pl.UInt8)))
    made.prepare(1)
    made.close()
    lines = server.bodies[0].splitlines()
    assert [json.loads(line) for line in lines] == [
        {"index": {"_id": "1"}},
        {"id": 1, "name": 'n"1'},
        {"delete": {"_id": "2"}},
    ]


def test_rows_that_are_refused_and_rows_that_are_not_taken_for_now(server: Answers) -> None:
    """N16, N17: a refused row goes alone, one for which the server is too busy comes again, alone."""
    busy = {"index": {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}}
    bad = {"index": {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "failed to parse"}}}
    good = {"index": {"status": 201}}
    server.bulks = [(200, json.dumps({"errors": True, "items": [bad, good, busy]}))]
    made, kept = opened(server), Kept()
    made.refusals = kept
    made.write(rows(1, 2, 3))
    with pytest.raises(TransientError, match="too busy for 1 rows"):
        made.prepare(1)
    made.prepare(1)
    made.close()
    assert [i for i, _ in kept.rows] == [1]
    assert "failed to parse (mapper_parsing_exception)" in kept.rows[0][1]
    assert json.loads(server.bodies[1].splitlines()[0]) == {"index": {"_id": "3"}}


def test_a_request_that_is_too_large(server: Answers) -> None:
    """N17: it is cut in halves, until one row alone is too large."""
    server.bulks = [(413, "{}"), (413, "{}"), (413, "{}")]
    made, kept = opened(server), Kept()
    made.refusals = kept
    made.write(rows(1, 2, 3, 4))
    made.prepare(1)
    made.close()
    assert [i for i, _ in kept.rows] == [1]
    assert [len(b.splitlines()) // 2 for b in server.bodies] == [4, 2, 1, 1, 2]


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_that_is_refused(server: Answers, status: int) -> None:
    """It is told as such, without the password, by `check` and by the sink."""
    server.status = status
    given = {"hosts": server.url, "index": "t", "username": "u", "password": "canary-secret"}
    report = sink(table("elasticsearch", COLUMNS, given, primary_key=("id",)), context()).check()
    assert not report.ok
    assert "refuses the login" in report.message
    assert "canary-secret" not in report.message
    with pytest.raises(TerminalError, match="refuses the login"):
        opened(server, username="u", password="canary-secret")  # noqa: S106  a canary


def test_a_server_that_is_busy(server: Answers) -> None:
    """The whole request comes again."""
    server.bulks = [(503, "{}")]
    made = opened(server)
    made.write(rows(1))
    with pytest.raises(TransientError, match="status 503"):
        made.prepare(1)
    made.prepare(1)
    made.close()
    assert server.bodies[0] == server.bodies[1]


def test_an_index_by_the_time_of_the_row(server: Answers) -> None:
    """Each row names its index; a template has the mapping."""
    made = opened(server, (), index="Logs-{name}-{@timestamp|yyyy.MM.dd}")
    times = pl.Series([datetime(2026, 1, 2, tzinfo=UTC)], dtype=pl.Datetime("ms", "UTC"))
    made.write(rows(1, **{"@timestamp": times}))
    made.prepare(1)
    made.close()
    assert json.loads(server.bodies[0].splitlines()[0]) == {"index": {"_index": 'logs-n"1-2026.01.02'}}
    (template,) = [json.loads(body) for _, path, body in server.asked if "_index_template" in path]
    assert template["index_patterns"] == ["logs-*-*"]
    assert template["template"]["mappings"]["properties"]["@timestamp"] == {"type": "date"}


def test_a_data_stream(server: Answers) -> None:
    """Documents are created in it, and never replaced."""
    made = opened(server, (), data_stream="true")
    times = pl.Series([datetime(2026, 1, 2, tzinfo=UTC)], dtype=pl.Datetime("ms", "UTC"))
    made.write(rows(1, **{"@timestamp": times}))
    made.prepare(1)
    made.close()
    assert json.loads(server.bodies[0].splitlines()[0]) == {"create": {}}
    assert any('"data_stream": {}' in body for _, path, body in server.asked if "_index_template" in path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hosts": "localhost:9200"}, "http://localhost:9200"),
        ({"hosts": "http://me:secret@localhost:9200"}, "with a login"),
        ({"index": "t-{nam}"}, "names no column 'nam'"),
        ({"index": "t-{name|yyyy}"}, "is no time"),
        ({"username": "u"}, "needs the option 'password'"),
        ({"username": "u", "password": "p", "api-key": "k"}, "two logins"),
        ({"data-stream": "true"}, "needs a column '@timestamp'"),
        ({"sink.flush-on-checkpoint": "false"}, "always sends what waits"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    """They are refused before anything is reached."""
    given = {"hosts": "http://127.0.0.1:1", "index": "t"} | options
    with pytest.raises(ConfigError) as error:
        sink(table("opensearch", COLUMNS, given), context())
    assert message in str(error.value)


def test_what_it_is_not() -> None:
    """It can't be read as a stream; without a key it takes no updates."""
    of = table("elasticsearch", COLUMNS, {"hosts": "http://127.0.0.1:1", "index": "t"})
    with pytest.raises(ConfigError, match="can't be read"):
        source(of)
    assert "PRIMARY KEY" in registry.get("elasticsearch").refuses_updates(of)
    assert registry.get("opensearch") is registry.get("elasticsearch")
