"""Rows as they came, for people: without the values of columns that must not be shown."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

MASK = "***"


def masked(value: Any, names: Collection[str]) -> Any:
    """
    Give a value of JSON without what stands under these names, at any depth.

    >>> masked({"n": 1, "who": [{"card": 4111}]}, {"card"})
    {'n': 1, 'who': [{'card': '***'}]}
    """
    if isinstance(value, dict):
        return {k: MASK if k in names else masked(v, names) for k, v in value.items()}
    return [masked(v, names) for v in value] if isinstance(value, list) else value


def readable(payload: bytes | None, names: Collection[str]) -> bytes | None:
    """
    Give the bytes of a row without the values of these columns; None if they can't be told from the others.

    >>> readable(b'{"card": "4111", "n": 1}', ["card"]), readable(b"4111,1", ["card"]), readable(b"4111,1", [])
    (b'{"card": "***", "n": 1}', None, b'4111,1')
    """
    if payload is None or not names:
        return payload
    try:
        found = json.loads(payload, object_pairs_hook=lambda pairs: _pairs(pairs, names))
    except (ValueError, RecursionError):
        return None
    # a text or a number alone may be the hidden value itself
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace") if isinstance(found, dict) else None


def _pairs(pairs: list[tuple[str, Any]], names: Collection[str]) -> dict[str, Any]:
    return {k: MASK if k in names else v for k, v in pairs}
