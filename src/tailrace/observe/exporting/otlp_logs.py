"""Log lines in the words of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags

from tailrace.observe.exporting.otlp_answers import explained
from tailrace.observe.logs.tee import Line

_GRAVE = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_OWN_PLACE = ("event", "level", "trace_id")


class OtlpLines:
    """Sends lines by an exporter of OpenTelemetry."""

    def __init__(self, exporter: LogRecordExporter, resource: Resource) -> None:

        def export(records: Sequence[ReadableLogRecord]) -> bool:
            return exporter.export(records) is LogRecordExportResult.SUCCESS

        self._send = explained(export)
        self._resource = resource
        self._scope = InstrumentationScope("tailrace", version("tailrace"))

    def send(self, lines: Sequence[Line]) -> None:
        """
        Send lines.

        Raises:
            ConnectionError, PartlyRefusedError: they were not taken, or not all.
        """
        records = [ReadableLogRecord(_record(given), self._resource, self._scope) for given in lines]
        self._send(records)


def _record(given: Line) -> LogRecord:
    event = given.event
    attributes = {f"tailrace.{k}": _plain(v) for k, v in event.items() if k not in _OWN_PLACE and v is not None}
    trace = event.get("trace_id")
    return LogRecord(
        timestamp=given.time,
        observed_timestamp=given.time,
        trace_id=int(trace, 16) if trace else None,
        trace_flags=TraceFlags(TraceFlags.SAMPLED) if trace else None,
        severity_text=given.level.upper(),
        severity_number=_GRAVE.get(given.level, SeverityNumber.INFO),
        body=str(event.get("event")),
        attributes=attributes | {"log.logger": given.logger},
    )


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)
