"""The settings of a job (`SET`) that the runtime itself reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tailrace.settings import value


@dataclass(frozen=True, slots=True)
class JobSettings:
    """They, read; times in seconds, sizes in bytes."""

    interval: float
    timeout: float
    source_queue: int
    sink_queue: int
    tick_rows: int
    retry_limit: float
    sink_retry_limit: float
    start_limit: float
    stop_limit: float

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> JobSettings:
        """
        Read them from all settings of the job.

        >>> JobSettings.of({"execution.checkpointing.interval": "5 s"}).interval
        5.0

        Raises:
            ConfigError: one can't be read.
        """
        return cls(
            value(settings, "execution.checkpointing.interval") / 1000,
            value(settings, "execution.checkpointing.timeout") / 1000,
            value(settings, "tailrace.source.queue-size"),
            value(settings, "tailrace.sink.queue-size"),
            value(settings, "tailrace.tick.rows"),
            value(settings, "tailrace.source.retry-limit") / 1000,
            value(settings, "tailrace.sink.retry-limit") / 1000,
            value(settings, "tailrace.source.start-limit") / 1000,
            value(settings, "tailrace.stop.limit") / 1000,
        )
