"""Servers of tests that are killed and started again, by their recipes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

RECIPES = Path(__file__).resolve().parents[1] / "services"
START_SECONDS = 900


PORTS = range(20000, 32000)
"""Below those that systems give to outgoing connections: none of these takes a port before its server listens there."""
LANES = 6


class _Lane:
    """Ports that no other worker of the tests gives, one after another: the server of a port may listen much later."""

    def __init__(self, worker: str) -> None:
        number = int(worker.removeprefix("gw")) % LANES
        size = len(PORTS) // LANES
        self._ports = PORTS[number * size : (number + 1) * size]
        self._at = os.getpid() % size  # two runs on one machine begin in different places

    def take(self, count: int) -> int:
        for _ in self._ports:
            if self._at + count > len(self._ports):
                self._at = 0
            first, self._at = self._ports[self._at], self._at + count
            if all(_is_free(first + i) for i in range(count)):
                return first
        raise OSError("no free ports in a row")


_lane = _Lane(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))


def free_ports(count: int) -> int:
    """Find the first of `count` free ports in a row."""
    return _lane.take(count)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def run_recipe(
    name: str, verb: str, environment: dict[str, str], seconds: float = START_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a verb of a service's script."""
    return subprocess.run(
        [str(RECIPES / f"{name}.sh"), verb],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class Recipe:
    """A server by its recipe, with data, log and process id in a folder of its own."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self._name = name
        self._folder = folder
        self._environment = environment | {"TAILRACE_SERVICES_RUN": str(folder)}

    def start(self) -> str:
        """Start it; give the last line that the recipe prints."""
        done = self._run("start")
        if done.returncode:
            pytest.skip(f"{self._name}: the server could not be started: {done.stderr.strip()[-500:]}")
        return done.stdout.strip().rpartition("\n")[2]

    def stop(self) -> None:
        """End it in good order."""
        self._run("stop")

    def kill(self) -> None:
        """Kill it, and all that it has started, by SIGKILL; wait until it is gone."""
        process = self._process
        os.killpg(process, signal.SIGKILL)  # recipes start servers in sessions of their own
        while _living(process):
            time.sleep(0.02)
        self._pid_file.unlink()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop it, and all that it has started, for a while."""
        process = self._process
        os.killpg(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(process, signal.SIGCONT)

    @property
    def _process(self) -> int:
        return int(self._pid_file.read_text())

    @property
    def _pid_file(self) -> Path:
        return self._folder / self._name / "pid"

    def _run(self, verb: str) -> subprocess.CompletedProcess[str]:
        return run_recipe(self._name, verb, self._environment)


class ByRecipe:
    """For suites, before `System`: a server that is killed and started again by its recipe."""

    recipe: Recipe

    def kill(self) -> None:
        """Kill it by SIGKILL."""
        self.recipe.kill()

    def start(self) -> None:
        """Start it again, with its data."""
        self.recipe.start()


def _living(group: int) -> list[str]:
    """Give the processes of a group that still run: its first one may be gone before the server that it started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, member, *_ = stat.read_text().rpartition(")")[2].split()
            found += [stat.parent.name] if int(member) == group and state != "Z" else []
    return found


@contextmanager
def running(name: str, folder: Path, environment: dict[str, str]) -> Iterator[tuple[Recipe, str]]:
    """Start a server, and stop it at the end; give it with what its recipe prints."""
    recipe = Recipe(name, folder, environment)
    try:
        yield recipe, recipe.start()
    finally:
        recipe.stop()
