"""OTLP over HTTP or gRPC, by the exporters of OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from tailrace.observe.exporting.otlp_answers import session
from tailrace.settings import value


@dataclass(frozen=True, slots=True)
class Otlp:
    """Where OTLP goes, and how; what is not given is left to OpenTelemetry's variables of the environment."""

    protocol: str
    endpoint: str | None
    headers: Mapping[str, str]
    seconds: float

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Otlp:
        """
        Read it from the settings of a job.

        Raises:
            ConfigError: one can't be read.
        """
        given = (value(settings, f"tailrace.otlp.{k}") for k in ("protocol", "endpoint", "headers", "timeout"))
        protocol, endpoint, headers, timeout = given
        return cls(protocol, endpoint, headers, timeout / 1000)

    def spans(self) -> SpanExporter:
        """Make the exporter of traces."""
        if self.protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc  # noqa: PLC0415

            return Grpc(**self._grpc())
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http  # noqa: PLC0415

        return Http(**self._http("traces"))

    def metrics(self) -> MetricExporter:
        """Make the exporter of metrics."""
        if self.protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415
                OTLPMetricExporter as Grpc,
            )

            return Grpc(**self._grpc())
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as Http  # noqa: PLC0415

        return Http(**self._http("metrics"))

    def logs(self) -> LogRecordExporter:
        """Make the exporter of log lines."""
        if self.protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as Grpc  # noqa: PLC0415

            return Grpc(**self._grpc())
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as Http  # noqa: PLC0415

        return Http(**self._http("logs"))

    def _http(self, signal: str) -> dict[str, Any]:
        endpoint = self.endpoint and f"{self.endpoint.rstrip('/')}/v1/{signal}"
        headers = dict(self.headers) or None
        return {"endpoint": endpoint, "headers": headers, "timeout": self.seconds, "session": session()}

    def _grpc(self) -> dict[str, Any]:
        # gRPC takes header names in small letters only
        headers = tuple((name.lower(), text) for name, text in self.headers.items())
        insecure = None if self.endpoint is None else not self.endpoint.startswith("https://")
        return {"endpoint": self.endpoint, "headers": headers or None, "timeout": self.seconds, "insecure": insecure}
