"""The settings of a job (`SET`) that the runtime itself reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tailrace.options import Option, OptionSet, OptionText, duration, integer, memory_size

OPTIONS = OptionSet(
    "the job",
    (
        Option(
            "execution.checkpointing.interval",
            duration,
            1000,
            "how often a checkpoint is taken and output becomes visible; `0`: only at the end",
        ),
        Option("execution.checkpointing.timeout", duration, 600_000, "how long one checkpoint may take"),
        Option("tailrace.source.queue-size", memory_size, 32 << 20, "decoded rows that wait for the engine, a source"),
        Option("tailrace.sink.queue-size", memory_size, 32 << 20, "rows that wait for a sink, before sources wait"),
        Option("tailrace.tick.rows", integer, 100_000, "about how many rows go through the operators at a time"),
        Option(
            "tailrace.source.start-limit",
            duration,
            20_000,
            "how long a source or a sink may be away when the job starts",
        ),
        Option("tailrace.source.retry-limit", duration, 300_000, "how long a source may be away before the job stops"),
    ),
)


@dataclass(frozen=True, slots=True)
class JobSettings:
    """They, read; times in seconds, sizes in bytes."""

    interval: float
    timeout: float
    source_queue: int
    sink_queue: int
    tick_rows: int
    retry_limit: float
    start_limit: float

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> JobSettings:
        """
        Read them from all settings of the job.

        >>> JobSettings.of({"execution.checkpointing.interval": "5 s"}).interval
        5.0

        Raises:
            ConfigError: one can't be read.
        """
        values = OPTIONS.parse({k: OptionText(v) for k, v in settings.items() if OPTIONS.find(k)})
        return cls(
            values["execution.checkpointing.interval"] / 1000,
            values["execution.checkpointing.timeout"] / 1000,
            values["tailrace.source.queue-size"],
            values["tailrace.sink.queue-size"],
            max(1, values["tailrace.tick.rows"]),
            values["tailrace.source.retry-limit"] / 1000,
            values["tailrace.source.start-limit"] / 1000,
        )
