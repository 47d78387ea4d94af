"""Values as Flink's SQL Gateway gives them, written as the cases do (as `tailrace run --output jsonl`)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cases import Row
from flink_gateway import Result

Type = dict[str, Any]

_KINDS = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_DAYS = re.compile(r"([+-])(\d+) (\d+):(\d+):(\d+)\.(\d+)")
_MONTHS = re.compile(r"([+-])(\d+)-(\d+)")


def rows_of(result: Result, sink: str = "", zone: str = "UTC") -> list[Row]:
    """Give the rows of a result; the gateway writes TIMESTAMP_LTZ in the session's `zone` (with a Z all the same)."""
    read: Callable[[Any, Type, str], Any] = from_text if result.plain else from_json
    return [
        Row(_KINDS[kind], {c.name: read(v, c.type, zone) for c, v in zip(result.columns, fields, strict=True)}, sink)
        for kind, fields in result.rows
    ]


def from_json(value: Any, kind: Type, zone: str = "UTC") -> Any:
    """Write a value of the gateway's JSON."""
    if value is None:
        return None
    match kind["type"]:
        case "DECIMAL":
            return f"{Decimal(value):.{kind.get('scale', 0)}f}"
        case "FLOAT" | "DOUBLE":
            return value if isinstance(value, str) else float(value)
        case "ARRAY":
            return [from_json(v, kind["elementType"], zone) for v in value]
        case "MAP":
            return {k: from_json(v, kind["valueType"], zone) for k, v in value.items()}
        case "ROW":
            return {f["name"]: from_json(value[f["name"]], f["fieldType"], zone) for f in kind["fields"]}
        case name if name.startswith(("TIMESTAMP", "TIME_")):
            return _time(str(value), name, zone)
    return value


def _time(text: str, name: str, zone: str = "UTC") -> str:
    """
    Write a time or timestamp with seconds, and a fraction without zeros at its end.

    >>> _time("2026-01-01T00:00", "TIMESTAMP_WITHOUT_TIME_ZONE"), _time("10:00:00.50", "TIME_WITHOUT_TIME_ZONE")
    ('2026-01-01 00:00:00', '10:00:00.5')
    >>> _time("2026-01-01T08:00:00.5Z", "TIMESTAMP_WITH_LOCAL_TIME_ZONE", "Asia/Shanghai")
    '2026-01-01 00:00:00.5Z'
    """
    text = text.replace("T", " ").removesuffix("Z")
    text += ":00" if text.count(":") == 1 else ""
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return _in_utc(text, zone) + "Z" if name in ("TIMESTAMP_WITH_LOCAL_TIME_ZONE", "TIMESTAMP_LTZ") else text


def _in_utc(text: str, zone: str) -> str:
    """Turn a local time into UTC; of the two in autumn it is the first."""
    if zone == "UTC":
        return text
    whole, dot, fraction = text.partition(".")
    return f"{datetime.fromisoformat(whole).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC):%Y-%m-%d %H:%M:%S}{dot}{fraction}"


def from_text(value: str | None, kind: Type, zone: str = "UTC") -> Any:
    """
    Write a value that came as text: what Flink gives where its JSON can't hold a map's keys.

    >>> from_text("{1=x, 2=NULL}", {"type": "MAP", "keyType": {"type": "INTEGER"}, "valueType": {"type": "VARCHAR"}})
    {'1': 'x', '2': None}
    """
    return None if value is None else _Text(value, zone).whole(kind)


class _Text:
    """Reads Flink's CAST(… AS STRING) by type; strings in it must not hold `, `, `=` or closing brackets."""

    def __init__(self, text: str, zone: str) -> None:
        self._text = text
        self._zone = zone
        self._at = 0

    def whole(self, kind: Type) -> Any:
        """Read all of it."""
        if kind["type"] in ("ARRAY", "MAP", "MULTISET", "ROW"):
            return self._nested(kind)
        return _scalar(self._text, kind, self._zone)

    def _nested(self, kind: Type) -> Any:
        match kind["type"]:
            case "ARRAY":
                return [v for _, v in self._items("[", "]", lambda _: (None, self._value(kind["elementType"], ",]")))]
            case "MAP":
                return dict(self._items("{", "}", lambda _: self._entry(kind["keyType"], kind["valueType"])))
            case "MULTISET":
                return dict(self._items("{", "}", lambda _: self._entry(kind["elementType"], {"type": "INTEGER"})))
        fields = kind["fields"]
        return dict(self._items("(", ")", lambda i: (fields[i]["name"], self._value(fields[i]["fieldType"], ",)"))))

    def _items(self, begin: str, end: str, read: Callable[[int], tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        self._take(begin)
        out: list[tuple[Any, Any]] = []
        while not self._text.startswith(end, self._at):
            if out:
                self._take(", ")
            out.append(read(len(out)))
        self._take(end)
        return out

    def _entry(self, key: Type, value: Type) -> tuple[str, Any]:
        name = self._value(key, "=")
        self._take("=")
        return _key(name), self._value(value, ",}")

    def _value(self, kind: Type, ends: str) -> Any:
        if self._text.startswith("NULL", self._at):
            self._at += 4
            return None
        if kind["type"] in ("ARRAY", "MAP", "MULTISET", "ROW"):
            return self._nested(kind)
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ends:
            self._at += 1
        return _scalar(self._text[start : self._at], kind, self._zone)

    def _take(self, mark: str) -> None:
        if not self._text.startswith(mark, self._at):
            raise ValueError(f"no '{mark}' at {self._at} of {self._text!r}")
        self._at += len(mark)


def _key(value: Any) -> str:
    """Write the key of a map as a name, as JSON objects have it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(text: str, kind: Type, zone: str) -> Any:
    name = kind["type"]
    match name:
        case "BOOLEAN":
            return text == "TRUE"
        case "FLOAT" | "DOUBLE":
            return text if text in ("NaN", "Infinity", "-Infinity") else float(text)
        case "BINARY" | "VARBINARY":
            return base64.b64encode(bytes.fromhex(text[2:-1])).decode()
        case "INTERVAL_DAY_TIME":
            return _days(text)
        case "INTERVAL_YEAR_MONTH":
            return _months(text)
    if name in _INTEGERS:
        return int(text)
    return _time(text, name, zone) if name.startswith("TIME") else text


def _days(text: str) -> int:
    """
    Give the milliseconds of an interval.

    >>> _days("-1 02:00:00.500")
    -93600500
    """
    found = _DAYS.fullmatch(text)
    assert found is not None
    sign, days, hours, minutes, seconds, fraction = found.groups()
    whole = ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return (whole * 1000 + int(fraction[:3].ljust(3, "0"))) * (-1 if sign == "-" else 1)


def _months(text: str) -> int:
    """
    Give the months of an interval.

    >>> _months("+1-02")
    14
    """
    found = _MONTHS.fullmatch(text)
    assert found is not None
    sign, years, months = found.groups()
    return (int(years) * 12 + int(months)) * (-1 if sign == "-" else 1)
