"""
Why a receiver did not take what was sent: what the exporters of OpenTelemetry log, and what the answers of OTLP say.

An exporter tells only that it failed, and logs why, but not twice in a minute; of an answer with status 200 it does not read that some of the items were refused.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tailrace.observe.exporting.queue import PartlyRefusedError

T = TypeVar("T")

_PROVIDER = "OTEL_PYTHON_EXPORTER_OTLP_HTTP"
"""Variables of the environment that begin so name who makes the session of an exporter."""
_KEY_WORDS = ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED")
_MOST = 500


class _Heard(threading.local):
    """What was heard on this thread since the last export began."""

    said = ""
    status = ""
    refused = 0
    why = ""


_heard = _Heard()


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _heard.said = record.getMessage()


_LISTENER = _Listener(logging.WARNING)


def explained(export: Callable[[T], bool]) -> Callable[[T], None]:
    """
    Give a function that sends as `export` does, and raises what was not taken with the reason.

    Raises:
        ConnectionError: nothing was taken.
        PartlyRefusedError: some of it was not.
    """
    logging.getLogger("opentelemetry.exporter").addHandler(_LISTENER)

    def send(items: T) -> None:
        _heard.said, _heard.status, _heard.refused, _heard.why = "", "", 0, ""
        if not export(items):
            raise ConnectionError(_reason(_heard.status or _heard.said))
        if _heard.refused:
            raise PartlyRefusedError(_heard.refused, _heard.why[:_MOST] or "the receiver does not say why")

    return send


def _reason(said: str) -> str:
    """
    Give the reason, with what to look at.

    >>> _reason("status 401: Unauthorized").partition("; ")[2]
    "the key is missing or wrong: look at 'tailrace.otlp.headers'"
    """
    told = (said or "it was not taken")[:_MOST]
    return (
        f"{told}; the key is missing or wrong: look at 'tailrace.otlp.headers'"
        if any(w in told for w in _KEY_WORDS)
        else told
    )


def session() -> requests.Session | None:
    """Make a session whose answers are read; None where the environment names who makes it."""
    if any(key.lstrip("_").startswith(_PROVIDER) for key in os.environ):
        return None
    made = requests.Session()
    made.hooks["response"].append(_read)
    return made


def _read(answer: requests.Response, *_: Any, **__: Any) -> None:
    """Take note of what an answer says was refused; traces, metrics and log lines have the same form of it."""
    _heard.status = f"status {answer.status_code}: {answer.reason}"
    if not answer.ok or "protobuf" not in answer.headers.get("content-type", ""):
        return
    try:
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    except DecodeError:
        return  # a proxy's own answer
    _heard.refused, _heard.why = partial.rejected_spans, partial.error_message
