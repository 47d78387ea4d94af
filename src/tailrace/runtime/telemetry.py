"""What a job is given to be seen from outside: somebody who follows its rows, and sends out what is seen of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tailrace.engine.tracing import Tracer
from tailrace.runtime.observation import ExportStatus, Observation


class Telemetry(ABC):
    """Sends out what is seen of a job while it runs."""

    tracer: Tracer | None = None

    @abstractmethod
    def status(self) -> tuple[ExportStatus, ...]:
        """Tell what was sent, and what was lost."""


Look = Callable[[], Observation | None]
Telemetries = Callable[[str, Mapping[str, str], Look, Path | None], AbstractContextManager[Telemetry]]
"""Makes the telemetry of a job, by its name and settings; `Look` gives what is seen of it, and the folder is that of its state."""


class NoTelemetry(Telemetry):
    """Sends nothing."""

    def status(self) -> tuple[ExportStatus, ...]:
        return ()


def no_telemetry(
    _name: str, _settings: Mapping[str, str], _look: Look, _folder: Path | None
) -> AbstractContextManager[Telemetry]:
    """Make what sends nothing."""
    return nullcontext(NoTelemetry())
