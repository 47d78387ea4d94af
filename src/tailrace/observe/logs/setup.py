"""How log lines are written: by structlog, to one stream."""

from __future__ import annotations

from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from tailrace.errors import ConfigError
from tailrace.observe.logs.limits import Limiter
from tailrace.observe.logs.tee import to_exports

FORMATS = ("console", "json")
limiter = Limiter()


class _Named(structlog.PrintLogger):
    """A logger that knows its name."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file)
        self.name = name


def configure(level: int, stream: TextIO, renderer: Processor, stamp: Processor | None = None) -> None:
    """Send all lines from a level on to a stream."""

    def make(*names: Any) -> _Named:
        return _Named(stream, str(names[0]) if names else "")

    stamped = [] if stamp is None else [stamp]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            limiter,
            structlog.processors.add_log_level,
            to_exports,
            *stamped,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=make,
        cache_logger_on_first_use=False,
    )


def console(level: int, stream: TextIO, *, colours: bool = False) -> None:
    """Write lines for people."""
    render = structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, pad_level=False)

    def safe(logger: Any, method: str, event: EventDict) -> str:
        return render(logger, method, {k: escaped(v) if isinstance(v, str) else v for k, v in event.items()})

    configure(level, stream, safe, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False))


def ecs(level: int, stream: TextIO) -> None:
    """
    Write lines as JSON in the Elastic Common Schema.

    Raises:
        ConfigError: a package is missing.
    """
    try:
        from tailrace.observe.logs.ecs import line  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        message = f"logs in JSON need the package '{error.name}', which is not installed"
        raise ConfigError(message, hint="pip install 'tailrace[logs]'") from None
    configure(level, stream, line)


def tell_rest() -> None:
    """Write how many lines were held back and not told yet."""
    log = structlog.get_logger("tailrace.logs")
    for message, count in limiter.rest().items():
        log.warning("lines were held back", message=message, suppressed=count)


def escaped(text: str) -> str:
    r"""
    Write what would move a terminal's cursor, colour it or begin a new line as an escape.

    >>> escaped("a\r\n\x1b[31mb")
    'a\\r\\n\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
