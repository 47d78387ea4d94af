"""`tailrace run --listen`: metrics and health of a running script."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

PROGRAM = [sys.executable, "-m", "tailrace", "run", "job.sql", "--listen"]
SCRIPT = """CREATE TABLE ticks (id BIGINT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen',
  'rows-per-second' = '200');
CREATE TABLE nowhere (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT id FROM ticks;
"""


def until(url: str, status: int) -> httpx.Response:
    """Ask until an answer has this status."""
    end = time.monotonic() + 30
    while True:
        answer = httpx.get(url, timeout=10)
        if answer.status_code == status or time.monotonic() > end:
            return answer
        time.sleep(0.1)


def test_a_running_script_is_seen(tmp_path: Path) -> None:
    """The address is told on standard error; the server ends with the script."""
    (tmp_path / "job.sql").write_text(SCRIPT)
    with subprocess.Popen([*PROGRAM, "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "listening" in line)
        found = re.search(r"http://127\.0\.0\.1:\d+", told)
        assert found is not None
        assert until(found[0] + "/health/ready", 200).json() == {"ready": True, "reasons": []}
        assert 'tailrace_job_up{job_name="job"} 1.0' in httpx.get(found[0] + "/metrics").text
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(found[0] + "/metrics")


@pytest.mark.parametrize(
    ("listen", "message"),
    [
        ("nowhere", "'nowhere' is no address to listen on"),
        ("0.0.0.0:0", "others could reach 0.0.0.0:0 without a token"),
    ],
)
def test_what_can_not_be_listened_on(tmp_path: Path, listen: str, message: str) -> None:
    """Nothing has run then."""
    (tmp_path / "job.sql").write_text(SCRIPT)
    done = subprocess.run([*PROGRAM, listen], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_dashboard_of_a_running_script(tmp_path: Path) -> None:
    """Its address is told; the same server has the metrics."""
    (tmp_path / "job.sql").write_text(SCRIPT)
    command = [sys.executable, "-m", "tailrace", "run", "--ui=0", "job.sql"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = re.findall(r"http://127\.0\.0\.1:\d+", next(line for line in process.stderr if "dashboard" in line))[0]
        assert "<title>Tailrace</title>" in httpx.get(url).text
        assert httpx.get(url + "/api/session").json()["actions"] is False
        assert until(url + "/metrics", 200).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 0
