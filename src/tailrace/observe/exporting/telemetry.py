"""From the settings of a job to what sends out its metrics, traces and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tailrace.errors import ConfigError
from tailrace.observe.exporting.push import Push, Send
from tailrace.observe.exporting.queue import ExportQueue
from tailrace.observe.logs.tee import Line, taking
from tailrace.observe.operations import wanted
from tailrace.runtime.observation import ExportStatus
from tailrace.runtime.telemetry import Look, NoTelemetry, Telemetry
from tailrace.settings import value

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExporter


LOOK_SECONDS = 1.0
"""How often conditions of a job are looked for."""


class Way(Protocol):
    """One way out."""

    @property
    def status(self) -> ExportStatus:
        """What became of what was sent."""


class Exports(Telemetry):
    """What is sent out while a job runs."""

    def __init__(self) -> None:
        self.ways: list[Way] = []

    def status(self) -> tuple[ExportStatus, ...]:
        return tuple(way.status for way in self.ways)


@contextmanager
def telemetry(name: str, settings: Mapping[str, str], look: Look, folder: Path | None = None) -> Iterator[Telemetry]:
    """
    Send out what the settings of a job ask for, while it runs; `folder` is that of its state.

    Raises:
        ConfigError: a setting can't be read, or a package is missing.
    """
    signals = ("traces", "metrics", "logs")
    if not wanted(settings) and not any(value(settings, f"tailrace.{signal}.exporter") for signal in signals):
        yield NoTelemetry()
        return
    with ExitStack() as stack:
        exports = Exports()
        try:
            _traces(exports, name, settings, stack)
            _metrics(exports, name, settings, look, stack)
            _logs(exports, name, settings, stack)
            _alerts(exports, name, settings, look, stack, folder)
        except ModuleNotFoundError as error:
            raise _missing(error) from None
        yield exports


def _traces(exports: Exports, name: str, settings: Mapping[str, str], stack: ExitStack) -> None:
    ways = value(settings, "tailrace.traces.exporter")
    if ways:
        from tailrace.observe.exporting import spans  # noqa: PLC0415  an extra

        tells = resource(name, settings)
        queues = [spans.span_queue(way, _span_exporter(way, settings), tells) for way in ways]
        for queue in queues:
            stack.callback(queue.close)
            exports.ways.append(queue)
        keys = ("sample", "max-per-second", "max-new-per-second")
        ratio, most, new = (value(settings, f"tailrace.traces.{key}") for key in keys)
        exports.tracer = spans.OtelTracer(queues, ratio, most, new)


def _metrics(exports: Exports, name: str, settings: Mapping[str, str], look: Look, stack: ExitStack) -> None:
    seconds = value(settings, "tailrace.metrics.interval") / 1000
    for way in value(settings, "tailrace.metrics.exporter"):
        push = Push(way, _sender(way, name, settings), look, seconds)
        stack.callback(push.close)
        exports.ways.append(push)


def _alerts(
    exports: Exports, name: str, settings: Mapping[str, str], look: Look, stack: ExitStack, folder: Path | None
) -> None:
    if wanted(settings):
        from tailrace.observe.telling import OperationalAlerts  # noqa: PLC0415  an extra

        push = Push("channels", OperationalAlerts(name, settings, folder=folder).send, look, LOOK_SECONDS, "alerts")
        stack.callback(push.close)
        exports.ways.append(push)


def _sender(way: str, name: str, settings: Mapping[str, str]) -> Send:
    if way == "dogstatsd":
        from tailrace.observe.exporting.dogstatsd import DogStatsdMetrics  # noqa: PLC0415  an extra

        tags = {"service": name} | value(settings, "tailrace.telemetry.attributes")
        return DogStatsdMetrics(value(settings, "tailrace.dogstatsd.address"), tags).send
    from tailrace.observe.exporting.otlp import Otlp  # noqa: PLC0415  an extra
    from tailrace.observe.exporting.otlp_metrics import OtlpMetrics  # noqa: PLC0415  an extra

    return OtlpMetrics(Otlp.of(settings).metrics(), resource(name, settings)).send


def _logs(exports: Exports, name: str, settings: Mapping[str, str], stack: ExitStack) -> None:
    for way in value(settings, "tailrace.logs.exporter"):
        queue = ExportQueue("logs", way, _line_sender(way, name, settings, stack))
        stack.callback(queue.close)
        stack.enter_context(taking(name, queue.put))
        exports.ways.append(queue)


def _line_sender(
    way: str, name: str, settings: Mapping[str, str], stack: ExitStack
) -> Callable[[Sequence[Line]], bool | None]:
    if way == "opensearch":
        from tailrace.observe.exporting.log_lines import BulkLines  # noqa: PLC0415  an extra

        lines = BulkLines(settings)
        stack.callback(lines.close)
        return lines.send
    from tailrace.observe.exporting.otlp import Otlp  # noqa: PLC0415  an extra
    from tailrace.observe.exporting.otlp_logs import OtlpLines  # noqa: PLC0415  an extra

    return OtlpLines(Otlp.of(settings).logs(), resource(name, settings)).send


def _span_exporter(way: str, settings: Mapping[str, str]) -> SpanExporter:
    if way == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415  an extra

        return ZipkinExporter(endpoint=value(settings, "tailrace.zipkin.endpoint"))
    from tailrace.observe.exporting.otlp import Otlp  # noqa: PLC0415  an extra

    return Otlp.of(settings).spans()


def resource(name: str, settings: Mapping[str, str]) -> Resource:
    """Tell what sends: the job as the service, and what the user says of it."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  an extra

    own = {"service.name": name, "service.namespace": "tailrace", "service.version": version("tailrace")}
    return Resource.create(own | value(settings, "tailrace.telemetry.attributes"))


def _missing(error: ModuleNotFoundError) -> ConfigError:
    extra = {"datadog": "datadog", "ecs_logging": "logs", "httpx": "logs"}.get(error.name or "", "otel")
    return ConfigError(
        f"this needs the package '{error.name}', which is not installed", hint=f"pip install 'tailrace[{extra}]'"
    )
