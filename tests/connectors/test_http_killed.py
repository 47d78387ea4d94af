"""kill -9 between a webhook that comes in and one that goes out: what was answered with 202 arrives, and once by its key."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
from http_kit import Api, until
from server_kit import free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "connectors" / "http.sql"
ROWS = 150


def _start(folder: Path, port: int, url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tailrace", "run", str(EXAMPLE), "--state", str(folder / "state")]
    command += ["-p", f"LISTEN=:{port}", "-p", f"URL={url}/alerts"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _post(client: httpx.Client, number: int) -> bool:
    """Post an order; True if it was taken."""
    row = {"id": number, "card": "c", "amount": 2000.0 if number % 2 else 1.0}
    try:
        answer = client.post("/orders", json=row, headers={"Idempotency-Key": f"order-{number}"})
    except httpx.TransportError:
        return False
    return answer.status_code == 202


def test_killed_between_two_webhooks(tmp_path: Path) -> None:
    port = free_ports(1)
    waiting = list(range(ROWS))
    with Api() as api, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for kills in (True, False):
            process = _start(tmp_path, port, api.url)
            until(lambda: _listens(port), "a start", 60.0)
            now = waiting[: ROWS // 3] if kills else [*waiting]
            with ThreadPoolExecutor(8) as pool:
                taken = dict(zip(now, pool.map(partial(_post, client), now), strict=True))
            waiting = [n for n in waiting if not taken.get(n)]
            if kills:
                process.kill()
                assert process.wait(30) == -signal.SIGKILL
        wanted = {n for n in range(ROWS) if n % 2}
        until(lambda: {a.rows["id"] for a in api.posted} == wanted, "all alerts", 60.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (tmp_path / "log").read_text()

        assert not waiting
        assert len({a.headers["idempotency-key"] for a in api.posted}) == len(wanted)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True
