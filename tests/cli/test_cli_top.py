"""`tailrace top`: what it shows of a job, and servers that it can't ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tailrace.cli import top
from tailrace.engine.executor import OperatorStatistics
from tailrace.engine.histogram import BOUNDS, Counted
from tailrace.errors import ConfigError, TerminalError
from tailrace.runtime.observation import Observation
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.web.address import TOKEN, Address
from tailrace.web.server import Server

SOURCE = SourceStatus("scan-t", "pay\x1b[31mments", 1000, 70, 3, None, {"late": 2}, 1, 10, "")
SINK = SinkStatus("sink-o", "alerts", 5, 20, 4, {}, 2)
OPERATOR = OperatorStatistics("agg", 1000, 5, 2, 4_321, None, 1.0, "Aggregate by card")
SEEN = Observation(
    Status("fraud", "running", 10.0, (SOURCE,), (SINK,), CheckpointStatus()),
    (OPERATOR,),
    latency=Counted((0, 1, *(0,) * (len(BOUNDS) - 1)), 0.002),
)
LATER = replace(
    SEEN,
    status=replace(SEEN.status, seconds=12.0, sources=(replace(SOURCE, rows=3000),)),
    operators=(replace(OPERATOR, busy_seconds=2.5),),
)


class Moving:
    """A job that gets on at each look."""

    inspection = None
    control = None

    def __init__(self) -> None:
        self._looks = iter([SEEN])

    def observe(self) -> Observation:
        return next(self._looks, LATER)


async def _never(_seconds: float, _step: object) -> None:
    """Nobody looks but who asks."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the port of a server whose job gets on at each look."""
    monkeypatch.setattr("tailrace.web.server._again", _never)
    job = Moving()
    with Server(Address("127.0.0.1", 0), lambda: [job]) as server:
        yield str(server.address.port)


@pytest.mark.parametrize("columns", ["60", "80"])
def test_a_narrow_terminal_shows_all_numbers(
    port: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """It is the names that are cut."""
    title = "Calc " + "x" * 100
    monkeypatch.setitem(globals(), "LATER", replace(LATER, operators=(replace(LATER.operators[0], title=title),)))
    monkeypatch.setenv("COLUMNS", columns)
    top.top(port, 0.1, once=True, json_=False)
    lines = capsys.readouterr().out.splitlines()
    (heads,) = [line.split() for line in lines if line.startswith("operator")]
    assert heads == ["operator", "rows", "out/s", "busy", "state", "rows", "late"]
    (shown,) = [line for line in lines if line.startswith("Calc")]
    assert shown.split()[-4:] == ["0", "75%", "4,321", "2"]
    assert "…" in shown
    assert len(shown) <= int(columns)


def test_once(port: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates are those between two looks; what data could say to a terminal is shown as text."""
    monkeypatch.setenv("COLUMNS", "200")
    top.top(port, 0.1, once=True, json_=False)
    shown = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in shown.splitlines() if line.strip()}
    assert "fraud: running" in shown
    assert "p99 2.5 ms" in shown
    source = next(line for line in shown.splitlines() if "ments" in line)
    assert source.split()[-4:] == ["3,000", "1,000", "3", "3"]
    assert lines["Aggregate"][-4:] == ["0", "75%", "4,321", "2"]
    assert lines["alerts"] == ["alerts", "5", "0", "20", "4", "2"]
    assert "\x1b[31m" not in shown


def test_json(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    top.top(port, 0.1, once=False, json_=True)
    assert json.loads(capsys.readouterr().out)[0]["name"] == "fraud"


def test_nobody_answers() -> None:
    with pytest.raises(TerminalError, match=r"nothing answers at http://127\.0\.0\.1:1: .*Connection refused"):
        top.top("1", 0.1, once=True, json_=False)


def test_somebody_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is none of ours, and one that wants another token."""
    monkeypatch.setenv(TOKEN, "the token of the job")
    with Server(Address("127.0.0.1", 0), list) as server:
        assert top.look(server.url) == []
        monkeypatch.setenv(TOKEN, "the token of another")
        with pytest.raises(ConfigError, match="wants a token, or another one"):
            top.look(server.url)
        monkeypatch.delenv(TOKEN)
        with pytest.raises(ConfigError, match="wants a token"):
            top.look(server.url)
        with pytest.raises(TerminalError, match="nothing answers"):
            top.look(f"ftp://127.0.0.1:{server.address.port}")
