"""Real servers for the tests that need one; each is started by its own script, and stopped if it was started here."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_kit import free_ports, run_recipe

from tailrace.testing import FaultProxy

START_SECONDS = 600
"""The first start downloads the server."""
KAFKA_PORTS = 7
BEHIND_PROXY, PROXY = 3, 4
"""The port of a broker's listener that a proxy leads to, and the port of the proxy, counted from the first one."""

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Find what a module's tests left open behind them, not behind whichever test the collector happens to run in."""
    yield
    gc.collect()


def _recipe(name: str, environment: dict[str, str]) -> Run:
    """Give a function that runs a verb of a service's script."""
    return lambda verb: run_recipe(name, verb, environment, START_SECONDS)


def _kafka(run_folder: Path) -> Iterator[tuple[str, Run]]:
    """Start a broker with new data on free ports; give its address and its script."""
    pytest.importorskip("confluent_kafka", reason="Kafka: the extra tailrace[kafka] is not installed")
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("Kafka: the broker needs Java and Maven")
    port = free_ports(KAFKA_PORTS)
    environment = {"KAFKA_PORT": str(port), "KAFKA_PROXY_PORT": str(port + PROXY)}
    run = _recipe("kafka", environment | {"TAILRACE_SERVICES_RUN": str(run_folder)})
    started = run("start")
    try:
        if started.returncode:
            pytest.skip(f"Kafka: the broker could not be started: {started.stderr.strip()[-500:]}")
        yield f"127.0.0.1:{port}", run
    finally:
        run("stop")
        shutil.rmtree(run_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the session's broker; TAILRACE_TEST_KAFKA_FOLDER names that of one that runs already."""
    given = os.environ.get("TAILRACE_TEST_KAFKA_FOLDER")
    return Path(given) if given else tmp_path_factory.mktemp("kafka")


@pytest.fixture(scope="session")
def kafka_tls(kafka: str, kafka_folder: Path) -> Path:  # noqa: ARG001 - the broker has to be there
    """Give the folder of the certificates and keys of the session's broker."""
    folder = kafka_folder / "kafka" / "tls"
    if not folder.exists():
        pytest.skip("Kafka: TAILRACE_TEST_KAFKA_FOLDER does not say where the broker's certificates are")
    return folder


@pytest.fixture(scope="session")
def kafka(kafka_folder: Path) -> Iterator[str]:
    """
    Give the bootstrap servers of a Kafka broker.

    It is the one that TAILRACE_TEST_KAFKA names, or one of this session's own.
    """
    if given := os.environ.get("TAILRACE_TEST_KAFKA"):
        yield given
        return
    for bootstrap, _ in _kafka(kafka_folder):
        yield bootstrap


@pytest.fixture(scope="session")
def _kafka_proxy(kafka: str) -> Iterator[FaultProxy]:
    """Keep the port of the proxy for the whole session: nobody else can take it."""
    host, _, text = kafka.rpartition(":")
    behind, before = int(text) + BEHIND_PROXY, int(text) + PROXY
    try:
        socket.create_connection((host, behind), 5).close()
    except OSError:
        pytest.skip(f"Kafka: the broker was not started with KAFKA_PROXY_PORT={before}")
    with FaultProxy(f"{host}:{behind}", port=before) as proxy:
        yield proxy


@pytest.fixture
def kafka_proxy(_kafka_proxy: FaultProxy) -> Iterator[FaultProxy]:
    """Give the proxy before the broker `kafka`: a table whose servers are its `address` has all its connections there."""
    yield _kafka_proxy
    _kafka_proxy.heal()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[tuple[str, Run]]:
    """Give a broker of the test's own, which it may stop and start by the script that comes with it."""
    yield from _kafka(tmp_path / "services")


def _registry(run_folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, Run]]:
    """Start a schema registry on a free port; give its address and its script."""
    pytest.importorskip(
        "confluent_kafka.schema_registry", reason="Schema registry: the extra tailrace[registry] is not installed"
    )
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("Schema registry: the server needs Java and Maven")
    port = free_ports(1)
    given = {"REGISTRY_PORT": str(port), "TAILRACE_SERVICES_RUN": str(run_folder)} | environment
    run = _recipe("registry", given)
    started = run("start")
    try:
        if started.returncode:
            pytest.skip(f"Schema registry: the server could not be started: {started.stderr.strip()[-500:]}")
        yield started.stdout.strip().rpartition("\n")[2].partition("=")[2], run
    finally:
        run("stop")
        shutil.rmtree(run_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def schema_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Give the address of a schema registry with Confluent's API.

    It is the one that TAILRACE_TEST_REGISTRY names, or one of this session's own.
    """
    if given := os.environ.get("TAILRACE_TEST_REGISTRY"):
        yield given
        return
    for url, _ in _registry(tmp_path_factory.mktemp("registry"), {}):
        yield url


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[tuple[str, Run]]:
    """Give a registry of the test's own, which it may stop and start (it keeps what it has) by the script with it."""
    yield from _registry(tmp_path / "services", {"REGISTRY_KEEP": "true"})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, dict[str, str]], str]]:
    """
    Give a function that starts a server by its recipe, on a free port, and gives what that prints.

    The environment variable of its port is the name in capitals with `_PORT`. All are stopped at the end.
    """
    runs: list[Run] = []

    def start(name: str, environment: dict[str, str]) -> str:
        folder = tmp_path_factory.mktemp(name)
        given = {f"{name.upper()}_PORT": str(free_ports(1)), "TAILRACE_SERVICES_RUN": str(folder)} | environment
        run = _recipe(name, given)
        runs.append(run)
        started = run("start")
        if started.returncode:
            pytest.skip(f"{name}: the server could not be started: {started.stderr.strip()[-500:]}")
        return started.stdout.strip().rpartition("\n")[2]

    yield start
    for run in runs:
        run("stop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless all tests were asked for."""
    if not os.environ.get("TAILRACE_TEST_ALL"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long: scripts/test --all runs it"))
