"""Alerts of the job itself: each condition begins and ends, by a clock of the test's own; and a real receiver hears of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tailrace.clock import ManualClock
from tailrace.engine.executor import OperatorStatistics
from tailrace.errors import TransientError
from tailrace.observe.operations import Limits, Watch
from tailrace.observe.telling import OperationalAlerts, page_of
from tailrace.observe.usual import FILE, Usual
from tailrace.runtime.observation import Observation
from tailrace.runtime.script import Script
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.sql.session import Session
from tailrace.web.pages import PAGES

SOURCE = SourceStatus("scan-t", "t", 0, 0, None, None, {}, 0, 0)
SINK = SinkStatus("sink-o", "o", 0, 0, 0)


def seen(
    *, checkpoints: int = 0, restarts: int = 0, state: int = 0, sink: SinkStatus = SINK, **source: Any
) -> Observation:
    """Make what is seen of a job with one source and one sink."""
    status = Status("j", "running", 9.0, (replace(SOURCE, **source),), (sink,), CheckpointStatus())
    operators = (OperatorStatistics("agg", 0, 0, 0, state, None),)
    return Observation(status, operators, checkpoints=checkpoints, restarts=restarts)


class Looking:
    """A watch that is looked through once a second; each look has one checkpoint more, unless told otherwise."""

    def __init__(self, **limits: Any) -> None:
        self.watch = Watch(Limits(**limits))
        self.now = 0.0

    def rules(self, **given: Any) -> list[str]:
        """Look once, and give the rules that hold."""
        self.now += 1
        given = {"checkpoints": int(self.now), "rows": int(self.now)} | given
        return [c.rule for c in self.watch.look(seen(**given), self.now, int(self.now // 3600))]

    def for_seconds(self, seconds: int, **given: Any) -> list[str]:
        """Look so often; give the rules of the last look."""
        found: list[str] = []
        for _ in range(seconds):
            found = self.rules(**given)
        return found


def test_a_job_that_gets_on_has_no_conditions() -> None:
    assert Looking().for_seconds(1000) == []


def test_no_data() -> None:
    look = Looking(no_data=60)
    assert look.for_seconds(60, rows=7) == []
    assert look.rules(rows=7) == ["TailraceNoData"]
    assert look.rules(rows=8) == []


def test_event_time_that_stands_though_rows_come() -> None:
    look = Looking(stuck=60)
    assert look.for_seconds(60, watermark=5) == []
    assert look.rules(watermark=5) == ["TailraceWatermarkStuck"]
    assert look.rules(watermark=6) == []


def test_checkpoints_that_stand() -> None:
    look = Looking(stuck=60)
    assert look.for_seconds(60, checkpoints=3) == []
    assert look.rules(checkpoints=3) == ["TailraceNoCheckpoint"]
    assert look.rules(checkpoints=4) == []


def test_lag_that_grows() -> None:
    look = Looking(lag=100)
    for lag in range(400):
        last = look.rules(lag=lag)
    assert last == ["TailraceLagGrows"]
    assert look.for_seconds(301, lag=399) == []  # much, and no more than before


def test_the_share_of_bad_rows() -> None:
    look = Looking(share=0.1)
    look.for_seconds(301)
    assert look.rules(dropped={"decode": 20}) == []
    assert look.rules(dropped={"decode": 60}) == ["TailraceBadRows"]
    assert look.rules(dropped={"late": 60}) == []  # late rows are no bad ones


def test_what_came_before_the_first_look_counts() -> None:
    """A job may have read all that is bad within its first second."""
    look = Looking()
    (letters,) = look.watch.look(seen(dead_letters=42), 1.0, 0)
    assert letters.text == "42 dead letters came from t within a minute."
    assert Looking().rules(sink=replace(SINK, dead_letters=1)) == ["TailraceRowsRefused"]
    (one,) = Looking().watch.look(seen(dead_letters=1), 1.0, 0)
    assert one.text == "1 dead letter came from t within a minute."


def test_dead_letters() -> None:
    look = Looking()
    look.for_seconds(61)
    assert look.rules(dead_letters=2) == ["TailraceDeadLetters"]
    assert look.for_seconds(61, dead_letters=2) == []
    assert look.rules(sink=replace(SINK, dead_letters=1), dead_letters=2) == ["TailraceRowsRefused"]


def test_systems_that_are_away() -> None:
    look = Looking()
    look.rules()
    assert look.for_seconds(60, waiting="broker is away") == []
    assert look.rules(waiting="broker is away") == ["TailraceSourceAway"]
    assert look.for_seconds(62, sink=replace(SINK, waiting="store is away")) == ["TailraceSinkAway"]
    assert look.rules() == []


def test_restarts_and_state() -> None:
    look = Looking(state_rows=1000)
    look.rules()
    assert look.rules(restarts=1) == ["TailraceRestarted"]
    assert look.for_seconds(901, restarts=1) == []
    assert look.rules(restarts=1, state=1001) == ["TailraceStateLarge"]


def test_a_rate_that_is_not_usual_for_the_hour() -> None:
    watch = Watch(Limits(factor=3, no_data=1e9, stuck=1e9))
    rows = 0

    def through(hours: range, rate: int) -> list[str]:
        """Look each 10 s through hours, at so many rows a second."""
        nonlocal rows
        found: list[str] = []
        for second in range(hours.start * 3600, hours.stop * 3600, 10):
            rows += rate * 10
            found = [c.rule for c in watch.look(seen(rows=rows), second, second // 3600)]
        return found

    assert through(range(26), 100) == []
    assert through(range(26, 27), 60) == []
    assert through(range(27, 28), 20) == ["TailraceUnusualRate"]
    assert through(range(28, 29), 400) == ["TailraceUnusualRate"]


def test_what_is_usual_is_kept_over_restarts(tmp_path: Path) -> None:
    """A day is learnt, the job is started anew, and the next day is known from its first ten minutes on."""
    limits, rows = Limits(factor=3, no_data=1e9, stuck=1e9), 0

    def through(watch: Watch, hours: range, rate: int) -> list[str]:
        nonlocal rows
        found: list[str] = []
        for second in range(hours.start * 3600, hours.stop * 3600, 10):
            rows += rate * 10
            found = [c.rule for c in watch.look(seen(rows=rows), second, second // 3600)]
        return found

    assert through(Watch(limits, Usual(tmp_path)), range(26), 100) == []

    rows = 0  # counted anew
    assert through(Watch(limits, Usual(tmp_path)), range(26, 27), 20) == ["TailraceUnusualRate"]
    rows = 0
    assert through(Watch(limits), range(26, 27), 20) == []


def test_a_short_look_teaches_nothing(tmp_path: Path) -> None:
    """A job that is started just before the end of an hour has seen nothing that is usual for it."""
    usual = Usual(tmp_path)
    for second in range(3000 + 10, 3700, 10):
        usual.see({"scan-t": second}, second, second // 3600)
    assert usual.rate("scan-t", 0) is None
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"rates": {"scan-t": {"x": 1}}}', b"\xff"])
def test_a_file_that_is_damaged_is_learnt_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    usual = Usual(tmp_path)
    assert usual.rate("scan-t", 0) is None
    for second in range(0, 7200, 600):
        usual.see({"scan-t": second}, second, second // 3600)
    assert Usual(tmp_path).rate("scan-t", 0) == 1.0


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    usual = Usual(tmp_path / "gone")
    for second in range(0, 7200, 600):
        usual.see({"scan-t": second}, second, second // 3600)
    assert usual.rate("scan-t", 0) == 1.0


@pytest.fixture
def receiver() -> Iterator[Any]:
    """Give a web server that keeps what it is told, and answers as `status` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if server.status == 200:
                server.told.append(json.loads(body))
                heard.set()
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    class Server(HTTPServer):
        status = 200

    heard = threading.Event()
    server: Any = Server(("127.0.0.1", 0), Handler)
    server.told, server.heard = [], heard
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_what_begins_and_ends_is_told_once(receiver: Any) -> None:
    clock = ManualClock(1_767_225_600_000)
    alerts = OperationalAlerts(
        "j", {"tailrace.alerts.webhook.url": receiver.url, "tailrace.alerts.state-rows": "5"}, clock
    )
    assert alerts.send(seen()) == 0
    assert alerts.send(seen(state=6)) == 1
    assert alerts.send(seen(state=7)) == 0
    assert alerts.send(seen(state=1)) == 1
    assert [m["state"] for m in receiver.told] == ["firing", "resolved"]
    assert receiver.told[0]["title"] == "TailraceStateLarge in job j"
    assert receiver.told[0]["severity"] == "warning"


def test_a_job_that_ends_between_two_looks_tells_of_its_dead_letters(receiver: Any) -> None:
    """They are told of once, and stand no longer; what stood until then is over."""
    settings = {"tailrace.alerts.webhook.url": receiver.url, "tailrace.alerts.state-rows": "5"}
    alerts = OperationalAlerts("j", settings, ManualClock(1_767_225_600_000))
    ended = seen(dead_letters=2, sink=replace(SINK, dead_letters=1))
    ended = replace(ended, status=replace(ended.status, state="finished"))
    alerts.send(seen(state=6))
    assert alerts.send(ended) == 3
    told = [(m["title"].partition(" ")[0], m["state"]) for m in receiver.told]
    assert told[1:] == [
        ("TailraceDeadLetters", "firing"),
        ("TailraceRowsRefused", "firing"),
        ("TailraceStateLarge", "resolved"),
    ]
    assert alerts.send(ended) == 0


def test_a_short_job_tells_of_its_dead_letters(receiver: Any, tmp_path: Path) -> None:
    """It is over long before the first look."""
    from tailrace.observe.exporting.telemetry import telemetry  # noqa: PLC0415  as below

    path = tmp_path / "rows.json"
    path.write_text('{"n": 1}\nno row\n')
    sql = f"""SET 'tailrace.alerts.webhook.url' = '{receiver.url}';
    CREATE TABLE letters (reason STRING) WITH ('connector' = 'blackhole');
    CREATE TABLE t (n INT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json',
      'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'letters');
    CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT n FROM t;"""
    session = Session()
    statements = session.bind(sql, "job.sql")
    Script("short", statements, session.tables, session.settings, telemetry=telemetry).run()
    (message,) = receiver.told
    assert message["text"] == "1 dead letter came from t within a minute."


def test_an_alert_leads_to_the_dashboard(receiver: Any) -> None:
    """To the page that shows more of it; each page that rules name is one of the dashboard."""
    settings = {"tailrace.alerts.webhook.url": receiver.url, "tailrace.alerts.state-rows": "5"}
    more = {"tailrace.alerts.dashboard": "https://jobs.example:9280/", "tailrace.alerts.runbook": "https://wiki/book"}
    alerts = OperationalAlerts("j", settings | more, ManualClock(1_767_225_600_000))
    alerts.send(seen())
    alerts.send(seen(state=6, dead_letters=1))
    links = {m["title"].partition(" ")[0]: m["link"] for m in receiver.told}
    assert links["TailraceStateLarge"] == "https://jobs.example:9280/#/time-lines/"
    assert links["TailraceDeadLetters"] == "https://jobs.example:9280/#/dead-letters/"
    assert receiver.told[0]["values"]["runbook"].startswith("https://wiki/book#tailrace")
    named = {
        page_of("", rule).split("/")[2]
        for rule in ("TailraceNoData", "TailraceBadRows", "TailraceNoCheckpoint", "TailraceLagGrows")
    }
    assert named <= {page.name for page in PAGES}


def test_a_job_started_anew_tells_what_is_unusual(receiver: Any, tmp_path: Path) -> None:
    """The whole way to the channel, by a clock of the test's own: a day at one rate, a restart, the next day at another."""
    clock = ManualClock(1_767_225_600_000)
    settings = {
        "tailrace.alerts.webhook.url": receiver.url,
        "tailrace.alerts.no-data": "30 d",
        "tailrace.alerts.stuck": "30 d",
    }

    def through(hours: int, rate: int) -> int:
        alerts, rows, sent = OperationalAlerts("j", settings, clock, tmp_path), 0, 0
        for _ in range(hours * 60):
            clock.advance(60_000)
            rows += rate * 60
            sent += alerts.send(seen(rows=rows))
        return sent

    assert through(24, 100) == 0
    assert through(2, 1000) == 1
    assert receiver.told[0]["title"] == "TailraceUnusualRate in job j"
    assert "at this hour 100 are usual" in receiver.told[0]["text"]


def test_what_a_channel_does_not_take_is_sent_again(receiver: Any) -> None:
    clock = ManualClock(1_767_225_600_000)
    alerts = OperationalAlerts(
        "j", {"tailrace.alerts.webhook.url": receiver.url, "tailrace.alerts.state-rows": "5"}, clock
    )
    receiver.status = 503
    with pytest.raises(TransientError):
        alerts.send(seen(state=6))
    receiver.status = 200
    assert alerts.send(seen(state=6)) == 1
    assert len(receiver.told) == 1


def test_a_job_that_runs_tells_of_rows_that_stay_away(receiver: Any, tmp_path: Path) -> None:
    """One setting switches it on."""
    from tailrace.observe.exporting.telemetry import telemetry  # noqa: PLC0415  here alone

    path = tmp_path / "rows.json"
    path.write_text('{"n": 1}\n')
    sql = f"""SET 'tailrace.alerts.webhook.url' = '{receiver.url}';
    SET 'tailrace.alerts.no-data' = '1 s';
    CREATE TABLE t (n INT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json',
      'source.monitor-interval' = '100 ms');
    CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT n FROM t;"""
    session = Session()
    statements = session.bind(sql, "job.sql")
    script = Script("quiet", statements, session.tables, session.settings, telemetry=telemetry)
    running = threading.Thread(target=script.run)
    running.start()
    try:
        assert receiver.heard.wait(30)
    finally:
        script.stop()
        running.join(30)
    assert receiver.told[0]["title"] == "TailraceNoData in job quiet"
