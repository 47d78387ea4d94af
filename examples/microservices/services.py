"""Services as processes of their own: started, stopped in good order, killed, and upgraded."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
STOP_SECONDS = 60


class Service:
    """One service: a script that runs as a process, with its state in a folder that all its versions share."""

    def __init__(self, name: str, folder: Path, parameters: Mapping[str, str], settings: Sequence[str] = ()) -> None:
        self.name = name
        self._folder = folder
        self._parameters = [x for n, v in parameters.items() for x in ("--parameter", f"{n}={v}")]
        self._settings = [x for s in settings for x in ("--set", s)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says."""
        return self._folder / f"{self.name}.log"

    def start(self, script: str) -> None:
        """Start it, from where it was stopped or killed."""
        state = ["--state", str(self._folder / self.name)]
        command = [sys.executable, "-m", "tailrace", "run", str(HERE / script), *state, "--json"]
        with self.log.open("ab") as log:
            everything = [*command, *self._parameters, *self._settings]
            self._process = subprocess.Popen(everything, stdout=log, stderr=log)  # noqa: S603  of our own making

    def check(self) -> None:
        """
        Make sure that it runs.

        Raises:
            RuntimeError: it has ended by itself.
        """
        if self._process is not None and (status := self._process.poll()) is not None:
            raise RuntimeError(f"service {self.name} has ended with status {status}: see {self.log}")

    def stop(self) -> None:
        """Let it put through what it has read, and end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it in the middle of what it does."""
        self._end(signal.SIGKILL)

    def _end(self, by: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(by)
            process.wait(STOP_SECONDS)
