"""The pipelines of examples/connectors, each on a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "connectors"


def run(name: str, folder: Path, **parameters: str) -> str:
    """Run a pipeline as a user does; give what it prints."""
    given = [x for key, value in parameters.items() for x in ("-p", f"{key}={value}")]
    command = [sys.executable, "-m", "tailrace", "run", str(EXAMPLES / name), "--state", str(folder / "state"), *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_postgres(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    pg8000 = pytest.importorskip("pg8000", reason="PostgreSQL: the extra tailrace[jdbc] is not installed")
    url = service("postgres", {}).partition("=")[2]
    run("postgres.sql", tmp_path, URL=f"jdbc:{url}")
    with pg8000.connect("postgres", port=int(url.rpartition(":")[2].partition("/")[0])) as client:
        cursor = client.cursor()
        assert cursor.execute("SELECT sum(n) FROM card_totals").fetchall() == ([1000],)


def test_redis(service: Callable[[str, dict[str, str]], str], tmp_path: Path) -> None:
    redis = pytest.importorskip("redis", reason="Redis: the extra tailrace[redis] is not installed")
    url = service("redis", {}).partition("=")[2]
    run("redis.sql", tmp_path, URL=url)
    client = redis.Redis.from_url(url)
    keys = client.keys("totals:*")
    assert sum(int(client.hget(key, "n")) for key in keys) == 1000
    assert client.xlen("large-payments") > 0
