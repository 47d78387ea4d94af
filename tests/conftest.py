"""Real servers for the tests that need one; each is started by its own script, and stopped if it was started here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parent / "services"
START_SECONDS = 600
"""The first start downloads the server."""


def free_ports(count: int) -> int:
    """Find a port with `count` free ones in a row, itself the first."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first: int = probe.getsockname()[1]
        if first + count < 65536 and all(_is_free(first + i) for i in range(count)):
            return first
    raise OSError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _script(verb: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SERVICES / "kafka.sh"), verb],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Give the bootstrap servers of a Kafka broker.

    It is the one that TAILRACE_TEST_KAFKA names, or one of this session's own, on free ports and with new data.
    """
    pytest.importorskip("confluent_kafka", reason="Kafka: the extra tailrace[kafka] is not installed")
    if given := os.environ.get("TAILRACE_TEST_KAFKA"):
        yield given
        return
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("Kafka: the broker needs Java and Maven")
    port = free_ports(3)
    run = tmp_path_factory.mktemp("services")
    environment = {"KAFKA_PORT": str(port), "TAILRACE_SERVICES_RUN": str(run)}
    started = _script("start", environment)
    try:
        if started.returncode:
            pytest.skip(f"Kafka: the broker could not be started: {started.stderr.strip()[-500:]}")
        yield f"127.0.0.1:{port}"
    finally:
        _script("stop", environment)
        shutil.rmtree(run, ignore_errors=True)
