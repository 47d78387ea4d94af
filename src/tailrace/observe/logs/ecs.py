"""Log lines in the Elastic Common Schema, and the index template that fits them."""

from __future__ import annotations

from typing import Any

from ecs_logging import StructlogFormatter
from structlog.typing import EventDict

FIELDS = {
    "job": "service.name",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "error": "error.message",
    "logger": "log.logger",
}
"""The keys of lines that have a place in the schema; all others are below `tailrace.`."""

_KEEPS = {"event", "exception", "@timestamp"}
_TYPES = {
    "@timestamp": "date",
    "message": "text",
    "ecs.version": "keyword",
    "log.level": "keyword",
    "log.logger": "keyword",
    "service.name": "keyword",
    "trace.id": "keyword",
    "span.id": "keyword",
    "error.message": "text",
    "error.stack_trace": "text",
    "tailrace.table": "keyword",
    "tailrace.operator": "keyword",
    "tailrace.partition": "keyword",
    "tailrace.offset": "long",
    "tailrace.stage": "keyword",
    "tailrace.code": "keyword",
    "tailrace.suppressed": "long",
    "tailrace.epoch": "long",
    "tailrace.rows": "long",
    "tailrace.seconds": "double",
}
_format = StructlogFormatter()


def line(logger: Any, method: str, event: EventDict) -> str:
    """
    Write a line as JSON (it is a renderer of structlog).

    >>> made = line(None, "warning", {"event": "a row was dropped", "job": "fraud", "offset": 7})
    >>> '"message":"a row was dropped"' in made, '"service":{"name":"fraud"}' in made, '"tailrace":{"offset":7}' in made
    (True, True, True)
    """
    name = logger if isinstance(logger, str) else getattr(logger, "name", "")
    given = {"logger": name} | {k: v for k, v in event.items() if k != "level"}
    renamed = {FIELDS.get(k, k if k in _KEEPS else f"tailrace.{k}"): _plain(v) for k, v in given.items()}
    return _format(logger, method, renamed)


def _plain(value: Any) -> Any:
    """Give a value that keeps the type of its field."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def index_template(index: str) -> dict[str, Any]:
    """
    Give the index template (for OpenSearch and Elasticsearch) of a data stream that takes log lines.

    >>> index_template("logs-tailrace")["index_patterns"]
    ['logs-tailrace*']
    """
    properties: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        *above, last = name.split(".")
        level = properties
        for part in above:
            level = level.setdefault(part, {"properties": {}})["properties"]
        level[last] = {"type": kind}
    texts = {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}
    return {
        "index_patterns": [f"{index}*"],
        "data_stream": {},
        "priority": 200,
        "template": {
            "settings": {"index.mapping.total_fields.limit": 500},
            "mappings": {"dynamic_templates": [{"texts": texts}], "properties": properties},
        },
        "_meta": {"description": "Log lines of Tailrace, in the Elastic Common Schema"},
    }
