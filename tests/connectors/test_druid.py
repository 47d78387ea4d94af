"""The connector `druid` without a server: specs, names of tasks, what answers mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("httpx", reason="Druid: the extra tailrace[druid] is not installed")

from connector_kit import context, drain, sink, source, table
from http_kit import Api, Asked, Said

from tailrace.connectors.base import Block, Limit, Refusals, StagedSink
from tailrace.connectors.druid.client import Server
from tailrace.connectors.druid.lines import lines
from tailrace.connectors.druid.options import OPTIONS
from tailrace.connectors.druid.spec import Datasource, Reading, supervisor_spec
from tailrace.connectors.druid.supervisor import Supervisor, Watch
from tailrace.errors import ConfigError, DataError, TailraceError, TerminalError, TransientError
from tailrace.options import OptionText
from tailrace.plan.catalog import Table
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INT,
    STRING,
    DataType,
    array,
    decimal,
    map_type,
    timestamp,
    timestamp_ltz,
)

COLUMNS: dict[str, DataType] = {"__time": timestamp_ltz(3), "name": STRING}


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as made:
        yield made


LOGIN: dict[str, Any] = {"username": "me", "password": "hidden"}
OPENED: list[StagedSink] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close the sinks of the test."""
    yield
    while OPENED:
        OPENED.pop().close()


def payments(url: str = "http://127.0.0.1:1", columns: dict[str, DataType] | None = None, **more: str) -> Table:
    """Declare a table; `more` are options, `_` for `-` and `__` for `.`."""
    given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
    return table("druid", columns or COLUMNS, {"url": url, **given}, name="payments")


def datasource(of: Table) -> Datasource:
    texts = {k: v for k, v in of.options.items() if OPTIONS.find(k) is not None}
    return Datasource.of(of, OPTIONS.parse(texts))


def said(value: Any, status: int = 200) -> Said:
    return Said(status, json.dumps(value).encode())


def rows(*names: str | None) -> pl.DataFrame:
    times = pl.Series("__time", range(len(names)), dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    return pl.DataFrame([times, pl.Series("name", names, dtype=pl.String)])


# -- specs


def test_dimensions_have_types() -> None:
    columns: dict[str, DataType] = {
        "ts": timestamp(3),
        "paid": BOOLEAN,
        "n": BIGINT,
        "x": DOUBLE,
        "small": decimal(10, 2),
        "large": decimal(38, 10),
        "raw": BYTES,
        "seen": timestamp_ltz(3),
        "tags": array(STRING),
        "counts": array(INT),
        "more": map_type(STRING, INT),
    }
    schema = datasource(payments(columns=columns, time_column="ts")).data_schema

    assert schema["timestampSpec"] == {"column": "ts", "format": "millis"}
    assert schema["dimensionsSpec"]["dimensions"] == [
        {"type": "long", "name": "paid"},
        {"type": "long", "name": "n"},
        {"type": "double", "name": "x"},
        {"type": "double", "name": "small"},
        {"type": "string", "name": "large"},
        {"type": "string", "name": "raw"},
        {"type": "long", "name": "seen"},
        {"type": "auto", "name": "tags", "castToType": "ARRAY<STRING>"},
        {"type": "auto", "name": "counts", "castToType": "ARRAY<LONG>"},
        {"type": "json", "name": "more"},
    ]


def test_rollup_and_metrics() -> None:
    columns = COLUMNS | {"amount": DOUBLE}
    more = {"rollup": "true", "query_granularity": "minute", "metrics": "n = count; total = doubleSum(amount)"}
    schema = datasource(payments(columns=columns, **more)).data_schema

    assert schema["dimensionsSpec"]["dimensions"] == [{"type": "string", "name": "name"}]
    assert schema["metricsSpec"] == [
        {"type": "count", "name": "n"},
        {"type": "doubleSum", "name": "total", "fieldName": "amount"},
    ]
    assert schema["granularitySpec"]["rollup"] is True
    assert schema["granularitySpec"]["queryGranularity"] == "MINUTE"


def test_the_supervisor_reads_the_topic_from_its_beginning() -> None:
    more = {"topic": "paid", "properties.bootstrap.servers": "a:1", "properties.sasl.password": "x"}
    of = table("druid", COLUMNS, {"url": "http://h:1", "supervisor.properties.client.id": "d", **more}, name="payments")
    options = OPTIONS.parse({k: v for k, v in of.options.items() if k != "connector"})
    spec = supervisor_spec(datasource(of), Reading.of(options))["spec"]

    assert spec["dataSchema"]["dataSource"] == "payments"
    assert spec["ioConfig"]["topic"] == "paid"
    assert spec["ioConfig"]["useEarliestOffset"] is True
    assert spec["ioConfig"]["consumerProperties"] == {"bootstrap.servers": "a:1", "client.id": "d"}


@pytest.mark.parametrize(
    ("columns", "more", "said"),
    [
        ({"ts": timestamp(3)}, {}, "has no column '__time'"),
        ({"__time": STRING}, {}, "can't be the time"),
        (COLUMNS | {"odd": timestamp(6)}, {}, "Druid keeps milliseconds"),
        (COLUMNS, {"dimensions": "nam"}, "names no column 'nam'"),
        (COLUMNS, {"metrics": "total = doubleSum(nam)"}, "names no column 'nam'"),
        (COLUMNS, {"metrics": "total = sum(name)"}, "expected 'n = count"),
        (COLUMNS, {"metrics": "name = count"}, "name of a dimension"),
        (COLUMNS, {"sink__ingestion": "streaming"}, "needs 'topic'"),
        (COLUMNS, {"topic": "t"}, "needs 'properties.bootstrap.servers'"),
        (COLUMNS, {"supervisor__submit": "false"}, "for streaming ingestion alone"),
        (COLUMNS, {"username": "me"}, "needs the option 'password'"),
        (COLUMNS, {"url": "ftp://h"}, "no address"),
    ],
    ids=range(12),
)
def test_what_is_refused(columns: dict[str, DataType], more: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        sink(payments(**({"columns": columns} | more)))  # type: ignore[arg-type]
    assert said in raised.value.message
    assert raised.value.location is not None


def test_a_query_stands_alone() -> None:
    with pytest.raises(ConfigError, match="don't go together"):
        source(payments(query="SELECT 1", scan__poll__interval="1 s"))


# -- batch


class Tasks:
    """Answers as an overlord: tasks by id, each with the states that it goes through."""

    def __init__(self, *states: str, report: str | None = "BUILD_SEGMENTS") -> None:
        self.states = states
        self.report = report
        self.given: dict[str, list[str]] = {}
        self.specs: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Said:
        if asked.path.endswith("/supervisor"):
            return said([])
        if asked.method == "POST":
            return self.take(asked.rows)
        name = asked.path.split("/")[5]
        if name not in self.given:
            return Said(404, b"Cannot find any task")
        if asked.path.endswith("/reports"):
            payload = {"ingestionStatsAndErrors": {"payload": {"ingestionState": self.report}}}
            return said(payload) if self.report else Said(404, b"none")
        states = self.given[name]
        state = states.pop(0) if len(states) > 1 else states[0]
        return said({"status": {"statusCode": state, "errorMsg": "disk full" if state == "FAILED" else None}})

    def take(self, spec: dict[str, Any]) -> Said:
        if spec["id"] in self.given:
            return said({"errorCode": "entryAlreadyExists", "errorMessage": "already exists"}, 400)
        self.specs.append(spec)
        self.given[spec["id"]] = ["RUNNING", self.states[min(len(self.specs), len(self.states)) - 1]]
        return said({"task": spec["id"]})


def staged(of: Table, folder: Path, state: Any = None, epoch: int = 0) -> StagedSink:
    made = sink(of, context(folder))
    assert isinstance(made, StagedSink)
    OPENED.append(made)
    made.open(state, epoch)
    return made


def test_the_rows_of_an_epoch_are_a_task(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a", None))
    made.commit(1, made.prepare(1))
    made.close()

    (spec,) = tasks.specs
    lines_of = spec["spec"]["ioConfig"]["inputSource"]["data"].splitlines()
    assert [json.loads(line) for line in lines_of] == [{"__time": 0, "name": "a"}, {"__time": 1, "name": None}]
    assert spec["spec"]["ioConfig"]["appendToExisting"] is True
    assert list(tmp_path.iterdir()) == []


def test_a_replay_asks_for_the_same_tasks(api: Api, tmp_path: Path) -> None:
    """After a crash behind the checkpoint, with the answer lost: nothing is ingested twice."""
    api.answer = tasks = Tasks("SUCCESS")
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a"))
    state = json.loads(json.dumps(made.prepare(3)))
    made.commit(3, state)
    again = staged(payments(api.url), tmp_path, state, 3)
    again.write(rows("b"))
    again.commit(4, again.prepare(4))

    names = [s["id"] for s in tasks.specs]
    assert names == [f"tailrace-{state['tag']}-3-0", f"tailrace-{state['tag']}-4-0"]


def test_staged_rows_are_ingested_when_the_job_comes_back(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a"))
    state = made.prepare(1)
    staged(payments(api.url), tmp_path, state, 1)

    assert [s["id"] for s in tasks.specs] == [f"tailrace-{state['tag']}-1-0"]


def test_another_job_has_other_tasks(api: Api, tmp_path: Path) -> None:
    """With its state gone a job begins anew: its first epoch is not that of the other."""
    api.answer = tasks = Tasks("SUCCESS")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        made = staged(payments(api.url), tmp_path / folder)
        made.write(rows("a"))
        made.commit(1, made.prepare(1))

    assert len({s["id"] for s in tasks.specs}) == 2


def test_a_task_that_failed_is_tried_by_another_name(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("FAILED", "SUCCESS")
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a"))
    made.commit(1, made.prepare(1))

    first, second = (s["id"] for s in tasks.specs)
    assert second == f"{first}-2"


@pytest.mark.parametrize(
    ("report", "hint", "attempts"),
    [("BUILD_SEGMENTS", "3 attempts", 3), (None, "not known whether", 1), ("COMPLETED", "not known whether", 1)],
    ids=["before", "unknown", "published"],
)
def test_a_task_that_fails_ends_the_job(api: Api, tmp_path: Path, report: str | None, hint: str, attempts: int) -> None:
    """With Druid's message; where it may have published, it is not tried again."""
    api.answer = tasks = Tasks("FAILED", report=report)
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a"))
    state = made.prepare(1)
    with pytest.raises(TerminalError, match="disk full") as raised:
        made.commit(1, state)

    assert hint in raised.value.hint
    assert len(tasks.specs) == attempts


def test_rows_are_cut_into_tasks(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    made = staged(payments(api.url, sink__task__max_size="1 kb"), tmp_path)
    for _ in range(4):
        made.write(rows(*["x" * 50] * 20))
    made.commit(1, made.prepare(1))

    sizes = [s["spec"]["ioConfig"]["inputSource"]["data"].count("\n") for s in tasks.specs]
    assert len(sizes) == 4
    assert sum(sizes) == 80


def test_a_shared_folder_is_one_task(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    folder = tmp_path / "staging"
    made = staged(payments(api.url, sink__task__max_size="1 kb", sink__staging_folder=str(folder)), tmp_path)
    for _ in range(4):
        made.write(rows(*["x" * 50] * 20))
    state = made.prepare(1)
    held = sorted(folder.iterdir())
    made.commit(1, state)

    (spec,) = tasks.specs
    assert spec["spec"]["ioConfig"]["inputSource"] == {"type": "local", "files": [str(p) for p in held]}
    assert list(folder.iterdir()) == []


def test_damaged_rows_are_not_ingested(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    made = staged(payments(api.url), tmp_path)
    made.write(rows("a"))
    state = made.prepare(1)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(TerminalError, match="damaged"):
        made.commit(1, state)
    assert tasks.specs == []


def test_rows_without_a_time_are_refused(api: Api, tmp_path: Path) -> None:
    api.answer = tasks = Tasks("SUCCESS")
    of = payments(api.url, {"id": BIGINT, "name": STRING}, time_column="id")
    made = staged(of, tmp_path)
    made.refusals = taken = _Taken()
    made.write(pl.DataFrame({"id": [1, None, 2**63 - 1, -(2**63)], "name": ["a", "b", "c", "d"]}))
    made.commit(1, made.prepare(1))

    assert tasks.specs[0]["spec"]["ioConfig"]["inputSource"]["data"] == '{"id":1,"name":"a"}\n'
    assert taken.names == ["b", "c", "d"]
    made.refusals = Refusals()
    with pytest.raises(DataError, match="has no time in column 'id'"):
        made.write(pl.DataFrame({"id": [None], "name": ["b"]}, schema={"id": pl.Int64, "name": pl.String}))


class _Taken(Refusals):
    tolerates = True

    def __init__(self) -> None:
        self.names: list[str] = []

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        assert code == "no-time"
        self.names += rows["name"].to_list()


# -- what answers mean


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Said(401), TerminalError, "refuses the login"),
        (Said(503, b"No server found"), TransientError, "can't for now: No server found"),
        (Said(404), ConfigError, "hand requests on to the overlord"),
        (Said(200, b"<html>"), TerminalError, "does not answer as Druid does"),
        (Said(200, None), TransientError, "is away"),
    ],
    ids=["login", "busy", "no-overlord", "not-druid", "cut"],
)
def test_errors_of_the_router(api: Api, tmp_path: Path, answer: Said, kind: type[TailraceError], said: str) -> None:
    api.answer = lambda _: answer
    with pytest.raises(kind, match=said):
        staged(payments(api.url, **LOGIN), tmp_path)
    report = sink(payments(api.url, **LOGIN), context(tmp_path)).check()
    assert not report.ok
    assert "hidden" not in report.message


def test_a_router_that_is_away() -> None:
    report = sink(payments()).check()
    assert not report.ok
    assert "127.0.0.1:1 is away" in report.message


# -- the source


def _answering(kinds: dict[str, tuple[str, str]], answer: bytes) -> Callable[[Asked], Said]:
    def answers(asked: Asked) -> Said:
        if asked.path == "/status":
            return said({"version": "33.0.0"})
        query = asked.rows["query"]
        if "LIMIT 0" in query:
            header = {n: {"type": t, "sqlType": s} for n, (t, s) in kinds.items()}
            return Said(200, json.dumps(header).encode() + b"\n\n")
        return Said(200, b"\n\n") if "sys.segments" in query else Said(200, answer)

    return answers


def _names(blocks: list[Block]) -> list[str]:
    return [n for b in blocks if isinstance(b.values, pl.DataFrame) for n in b.values["name"].to_list()]


KINDS = {"__time": ("LONG", "TIMESTAMP"), "name": ("STRING", "VARCHAR")}


def test_columns_are_read_by_their_names(api: Api) -> None:
    line = b'{"ts":5,"name":"a","$time":5}\n{"ts":7,"name":null,"$time":7}\n\n'
    api.answer = _answering(KINDS, line)
    of = payments(api.url, {"ts": timestamp(3), "name": STRING}, time_column="ts", scan__time_start="1970-01-01")
    reader = source(of).open({})
    blocks = drain(reader)
    reader.close()

    frame = pl.concat([b.values for b in blocks if isinstance(b.values, pl.DataFrame)])
    assert frame["name"].to_list() == ["a", None]
    assert frame["ts"].dt.epoch("ms").to_list() == [5, 7]
    assert blocks[-1].position == [7, 1]
    query = api.asked[-1].rows["query"]
    assert query.endswith('WHERE "__time" >= MILLIS_TO_TIMESTAMP(0) ORDER BY "__time"')


def test_reading_goes_on_behind_a_position(api: Api) -> None:
    """Rows of the same time that were given are passed by."""
    line = (
        b'{"__time":5,"name":"a","$time":5}\n{"__time":5,"name":"b","$time":5}\n{"__time":6,"name":"c","$time":6}\n\n'
    )
    api.answer = _answering(KINDS, line)
    reader = source(payments(api.url)).open({"payments": [5, 1]})
    blocks = drain(reader)
    reader.close()

    assert _names(blocks) == ["b", "c"]
    assert "MILLIS_TO_TIMESTAMP(5)" in api.asked[-1].rows["query"]


def test_an_answer_that_breaks_off_is_asked_for_again(api: Api) -> None:
    api.answer = _answering(KINDS, b'{"__time":5,"name":"a","$time":5}\n')
    reader = source(payments(api.url)).open({})
    given = reader.poll(Limit())
    with pytest.raises(TransientError, match="broke off"):
        reader.poll(Limit())
    api.answer = _answering(KINDS, b'{"__time":5,"name":"a","$time":5}\n\n')
    given += drain(reader)
    reader.close()
    assert _names(given) == ["a"]


@pytest.mark.parametrize(
    "pieces", [[b'{"a":1}\n{"a":'], [b'{"a":1}\n'], [b""], []], ids=["line", "end", "nothing", "none"]
)
def test_what_is_not_whole(pieces: list[bytes]) -> None:
    with pytest.raises(TransientError, match="broke off"):
        list(lines(pieces, "the query"))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_lines_in_pieces(size: int) -> None:
    text = b'{"a":1}\n{"a":22}\n{"a":333}\n\n'
    found = list(lines([text[i : i + size] for i in range(0, len(text), size)], "the query"))
    assert [r.row(i) for r in found for i in range(len(r))] == [b'{"a":1}', b'{"a":22}', b'{"a":333}']


def test_check_of_a_source(api: Api) -> None:
    api.answer = _answering(KINDS, b"\n\n")
    assert source(payments(api.url)).check().message.endswith("Druid 33.0.0")
    report = source(payments(api.url, COLUMNS | {"nam": STRING})).check()
    assert "has no column 'nam'" in report.message
    api.answer = lambda a: (
        said({"version": "33"})
        if a.path == "/status"
        else said({"errorMessage": "Object 'payments' not found (line [1], column [15])"}, 400)
    )
    assert "there is no datasource 'payments'" in source(payments(api.url)).check().message


# -- the supervisor


def _supervisor(url: str) -> Supervisor:
    given = {"url": OptionText(url), "topic": OptionText("t"), "properties.bootstrap.servers": OptionText("a:1")}
    options = OPTIONS.parse(given)
    return Supervisor(Server.of(options), datasource(payments(url)), Reading.of(options))


def test_a_supervisor_is_given_once(api: Api) -> None:
    """One that is the same stays, so that its tasks go on; one that reads another topic is somebody else's."""
    specs: list[Any] = []

    def answers(asked: Asked) -> Said:
        if asked.method == "POST":
            specs.append(asked.rows)
            return said({"id": "payments"})
        return said(specs[-1] | {"more": 1}) if specs else Said(404, b"none")

    api.answer = answers
    supervisor = _supervisor(api.url)
    with supervisor.server.client() as client:
        with pytest.raises(ConfigError, match="has no supervisor"):
            supervisor.ensure(client, submit=False)
        supervisor.ensure(client, submit=True)
        supervisor.ensure(client, submit=True)
        assert len(specs) == 1
        specs[0]["spec"]["ioConfig"]["taskCount"] = 2
        supervisor.ensure(client, submit=True)
        assert len(specs) == 2
        specs[-1]["spec"]["ioConfig"]["topic"] = "another"
        with pytest.raises(ConfigError, match="reads topic 'another'"):
            supervisor.ensure(client, submit=True)


def test_what_a_supervisor_says(api: Api) -> None:
    """An unhealthy one is an error of the job where that was asked for; rows that it could not parse are counted."""
    state: dict[str, Any] = {"healthy": True, "detailedState": "RUNNING", "aggregateLag": 7}

    def answers(asked: Asked) -> Said:
        if asked.path.endswith("/stats"):
            return said({"0": {"task": {"totals": {"buildSegments": {"processed": 5, "unparseable": 2}}}}})
        return said({"payload": state})

    api.answer = answers
    supervisor = _supervisor(api.url)
    calm, strict = Watch(supervisor, 1, fails=False), Watch(supervisor, 1, fails=True)
    with supervisor.server.client() as client:
        strict.look(client)
        strict.heed()
        assert strict.readings == {"supervisor_healthy": 1.0, "supervisor_lag": 7.0, "supervisor_unparseable": 2.0}
        errors = [{"message": "no such topic"}]
        state |= {"healthy": False, "detailedState": "UNABLE_TO_CONNECT_TO_STREAM", "recentErrors": errors}
        for watch in (calm, strict):
            watch.look(client)
        calm.heed()
        with pytest.raises(TerminalError, match="UNABLE_TO_CONNECT_TO_STREAM: no such topic"):
            strict.heed()
        api.answer = lambda _: Said(503)
        strict.look(client)  # away is no news of it
        assert strict.readings["supervisor_healthy"] == 0.0
