"""`tailrace alerts test`: each channel gets a sample, and what does not answer is said."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ALERTS = (
    "CREATE TABLE alerts (card STRING, n BIGINT) WITH ('connector' = 'alert', 'alert.title' = '{{card}}: {{n}}', {});"
)


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give the address of a receiver of webhooks, and what it gets."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", got
    server.shutdown()
    server.server_close()


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command over a script."""
    (folder / "job.sql").write_text(script)
    command = [sys.executable, "-m", "tailrace", "alerts", "test", "job.sql", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_samples(tmp_path: Path, received: tuple[str, list[dict[str, Any]]]) -> None:
    """One that begins and one that ends; the other channel is away, and the status says so."""
    url, got = received
    done = run(tmp_path, ALERTS.format(f"'webhook.url' = '{url}', 'teams.url' = 'http://127.0.0.1:1'"))
    assert [(g["state"], g["title"]) for g in got] == [
        ("firing", "Test of alerts: <card>: <n>"),
        ("resolved", "Test of alerts: <card>: <n>"),
    ]
    assert done.stdout.splitlines() == [
        "alerts: teams: FAILED: channel 'teams' does not answer: ConnectError",
        "alerts: webhook: ok: took a sample, and its end",
    ]
    assert done.returncode == 1


def test_json(tmp_path: Path, received: tuple[str, list[dict[str, Any]]]) -> None:
    done = run(tmp_path, ALERTS.format(f"'webhook.url' = '{received[0]}'"), "--json")
    assert done.returncode == 0
    assert [t["ok"] for t in json.loads(done.stdout)] == [True]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("SET 'pipeline.name' = 'x';", "the script has no table of connector 'alert'"),
        (ALERTS.format("'alert.text' = 'x'"), "needs a channel"),
        (ALERTS.format("'webhook.url' = 'http://localhost:1/', 'alert.key' = 'x'"), "names no column 'x'"),
    ],
)
def test_nothing_to_test(tmp_path: Path, script: str, message: str) -> None:
    done = run(tmp_path, script)
    assert done.returncode == 2
    assert message in done.stderr
