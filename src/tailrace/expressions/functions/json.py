"""Functions of JSON texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import Context, constant, define, first_text, fixed, never_null, texts
from tailrace.schema import BOOLEAN, STRING


def _json_path(path: str) -> list[str | int]:
    body = path.strip().removeprefix("lax").removeprefix("strict").strip()
    if not body.startswith("$"):
        raise ConfigError(f"a JSON path begins with $, not as '{path}'")
    steps = re.findall(r"\.([A-Za-z_]\w*)|\['([^']*)'\]|\[(\d+)\]", body[1:])
    if "".join(re.findall(r"\.[A-Za-z_]\w*|\['[^']*'\]|\[\d+\]", body[1:])) != body[1:]:
        raise ConfigError(f"the JSON path '{path}' is not supported")
    return [int(c) if c else (a or b) for a, b, c in steps]


_MISSING = object()


def _json_at(text: str, steps: list[str | int]) -> object:
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _MISSING
    for step in steps:
        value = _step(value, step)
    return value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
    return value[step] if isinstance(value, list) and step < len(value) else _MISSING


def _json(kind: str) -> Callable[[Context, Call], pl.Expr]:
    def lower_(ctx: Context, e: Call) -> pl.Expr:
        steps = _json_path(constant(e.args[1], "the JSON path"))

        def batch(s: pl.Series) -> pl.Series:
            found = [_MISSING if v is None else _json_at(v, steps) for v in s]
            if kind == "EXISTS":
                return pl.Series(
                    s.name,
                    [None if v is None else f is not _MISSING for v, f in zip(s, found, strict=True)],
                    dtype=pl.Boolean,
                )
            return pl.Series(s.name, [_shown(f, kind) for f in found], dtype=pl.String)

        return ctx.lower(e.args[0]).map_batches(batch, return_dtype=e.type.polars)

    return lower_


def _shown(value: object, kind: str) -> str | None:
    if value is _MISSING or value is None:
        return None
    structured = isinstance(value, dict | list)
    if kind == "QUERY":
        return msgspec.json.encode(value).decode() if structured else None
    if structured:
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


define(
    "JSON_VALUE",
    "json",
    "JSON_VALUE(a, path)",
    "The scalar at a path, as text; NULL if there is none.",
    fixed(STRING, always=True),
    _json("VALUE"),
    2,
    2,
    first_text,
)
define(
    "JSON_QUERY",
    "json",
    "JSON_QUERY(a, path)",
    "The object or array at a path, as text.",
    fixed(STRING, always=True),
    _json("QUERY"),
    2,
    2,
    first_text,
)
define(
    "JSON_EXISTS",
    "json",
    "JSON_EXISTS(a, path)",
    "Whether there is something at a path.",
    fixed(BOOLEAN),
    _json("EXISTS"),
    2,
    2,
    first_text,
)
define(
    "IS JSON",
    "json",
    "a IS JSON",
    "Whether a text is JSON.",
    never_null(BOOLEAN),
    lambda ctx, e: ctx.lower(e.args[0]).map_batches(
        lambda s: pl.Series(s.name, [v is not None and _json_at(v, []) is not _MISSING for v in s], dtype=pl.Boolean),
        return_dtype=pl.Boolean,
    ),
    1,
    1,
    texts,
)
