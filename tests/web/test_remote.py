"""`tailrace ui`: the jobs of several servers on one dashboard."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tailrace.runtime.observation import Observation
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.web.address import TOKEN, Address
from tailrace.web.app import Routes
from tailrace.web.gate import Gate
from tailrace.web.guard import OPEN
from tailrace.web.jobs import LocalJobs, job_id
from tailrace.web.remote import RemoteJobs
from tailrace.web.server import Server
from tailrace.web.site import Site

HERE = "127.0.0.1"
SECRET = "a secret of the test"  # noqa: S105  of the test


class Job:
    """A job that reads ten rows a second."""

    inspection = None
    control = None

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.monotonic()

    def observe(self) -> Observation:
        seconds = time.monotonic() - self._began
        source = SourceStatus("scan-t", "t", int(seconds * 10), 1, None, None, {}, 0, 0)
        sink = SinkStatus("o", "o", 1, 0, 0)
        return Observation(Status(self._name, "running", seconds, (source,), (sink,), CheckpointStatus()))


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    """Give two servers, each with a job of the same name."""
    one, other = Job("fraud"), Job("fraud")
    with Server(Address(HERE, 0), lambda: [one]) as first, Server(Address(HERE, 0), lambda: [other]) as second:
        yield first, second


def event(url: str) -> dict[str, Any]:
    """Give the first event of a server that has jobs."""
    with httpx.stream("GET", f"{url}/api/stream", timeout=20) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and '"jobs": []' not in line:
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError("the stream has ended")


def test_two_servers_on_one_page(servers: tuple[Server, Server]) -> None:
    """Jobs of the same name are two; what pages ask is asked where the job is."""
    with Server(Address(HERE, 0), list, others=[s.address for s in servers]) as ui:
        seen = event(ui.url)
        assert [j["where"] for j in seen["jobs"]] == [f"{HERE}:{s.address.port}" for s in servers]
        ids = [j["id"] for j in seen["jobs"]]
        assert len(set(ids)) == 2
        assert seen["away"] == {}
        history = httpx.get(f"{ui.url}/api/jobs/{ids[0]}/history", timeout=10)
        assert "rows_in" in history.json()
        assert httpx.get(f"{ui.url}/api/jobs/{job_id('fraud')}/history", timeout=10).status_code == 404
        for path in ("/metrics", "/api/jobs", f"/api/jobs/{ids[0]}/../../../metrics", f"/api/jobs/{ids[0]}/other"):
            assert httpx.get(ui.url + path, timeout=10).status_code == 404


def test_who_does_not_answer_is_named(servers: tuple[Server, Server]) -> None:
    """And the others are shown."""
    with socket.create_server((HERE, 0)) as free:
        gone = Address(HERE, free.getsockname()[1])
    with Server(Address(HERE, 0), list, others=[gone, servers[0].address]) as ui:
        seen = event(ui.url)
    assert len(seen["jobs"]) == 1
    assert seen["away"] == {f"{HERE}:{gone.port}": "Connection refused"}


def test_the_token_is_shown_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nothing is told, and the page says what is missing."""
    job = Job("fraud")
    monkeypatch.setenv(TOKEN, SECRET)
    with Server(Address(HERE, 0), lambda: [job]) as locked:
        assert [v["name"] for v in RemoteJobs([locked.address]).views()] == ["fraud"]
        monkeypatch.delenv(TOKEN)
        jobs = RemoteJobs([locked.address])
        assert jobs.views() == []
        assert list(jobs.away.values()) == [f"it wants a token, or another one: set {TOKEN}"]


def test_nothing_without_the_token(monkeypatch: pytest.MonkeyPatch, servers: tuple[Server, Server]) -> None:
    """Each route of such a server, by each method."""
    others = [servers[0].address]
    routes = Routes(Site(LocalJobs(list), remote=RemoteJobs(others)), Gate(None)).all()
    monkeypatch.setenv(TOKEN, SECRET)
    with Server(Address(HERE, 0), list, others=others) as ui, httpx.Client(timeout=10) as client:
        for path in {r.path.replace("{job}", job_id("fraud")) for r in routes} - OPEN:
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
                assert client.request(method, ui.url + path).status_code in (401, 403), f"{method} {path}"


def test_from_the_command_line(tmp_path: Path, servers: tuple[Server, Server]) -> None:
    """It says where the dashboard is, and ends by a signal."""
    command = [sys.executable, "-m", "tailrace", "ui", "--listen", "0", *(str(s.address.port) for s in servers)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "dashboard" in line)
        url = re.findall(r"http://127\.0\.0\.1:\d+", told)[0]
        assert [j["name"] for j in event(url)["jobs"]] == ["fraud", "fraud"]
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == 0
