"""Values as the format `json` carries them, both ways, written by hand so that the tests do not trust the format."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any


def to_json(columns: Mapping[str, str], row: Mapping[str, Any], separator: str = " ") -> str:
    """Write a row."""
    values = {n: _written(row[n], t, separator) for n, t in columns.items()}
    numbers = {f'"\x00{v}\x00"': str(v) for v in row.values() if isinstance(v, Decimal)}
    text = json.dumps(values, ensure_ascii=False)
    for mark, number in numbers.items():
        text = text.replace(json.dumps(mark[1:-1]), number)
    return text


def _written(value: Any, type_: str, separator: str) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return f"\x00{value}\x00"
    if isinstance(value, datetime):
        text = value.strftime(f"%Y-%m-%d{separator}%H:%M:%S.%f")[: -3 if "(3)" in type_ else None]
        return text + ("Z" if value.tzinfo else "")
    if isinstance(value, time):
        return value.isoformat(timespec="milliseconds")
    return value.isoformat() if isinstance(value, date) else value


def from_json(columns: Mapping[str, str], text: str | bytes) -> dict[str, Any]:
    """Read a row."""
    values = json.loads(text, parse_float=Decimal)
    return {n: read_value(values.get(n), t) for n, t in columns.items()}


def read_value(value: Any, type_: str) -> Any:
    """Give a value of JSON as one of a type."""
    if value is None:
        return None
    kind = type_.partition("(")[0]
    if kind in ("TIMESTAMP", "TIMESTAMP_LTZ"):
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if kind.endswith("LTZ") else found
    made = {
        "DECIMAL": lambda v: Decimal(str(v)),
        "DATE": date.fromisoformat,
        "TIME": time.fromisoformat,
        "BYTES": base64.b64decode,
        "FLOAT": float,
        "DOUBLE": float,
    }.get(kind)
    return value if made is None else made(value)
