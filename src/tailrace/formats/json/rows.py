"""One row of JSON to the values of a schema: the slow path, and the oracle of the fast one."""

from __future__ import annotations

from typing import Any

from tailrace.formats.decoding import BadRowError
from tailrace.formats.json.values import Converters, NotJsonError, parse
from tailrace.formats.scalars import BadValueError
from tailrace.schema import Schema

_BOM = b"\xef\xbb\xbf"


class RowReader:
    """Reads rows one by one."""

    def __init__(self, schema: Schema, converters: Converters, *, fail_on_missing: bool) -> None:
        self._fields = [(f.name, converters.of(f.type)) for f in schema]
        self._fail_on_missing = fail_on_missing

    def read(self, row: bytes | None) -> list[Any]:
        """
        Give the values of a row.

        Raises:
            BadRowError: it can't be read.
        """
        value = parse_object(row)
        values = []
        for name, convert in self._fields:
            if self._fail_on_missing and name not in value:
                raise BadRowError("missing", f"there is no field '{name}'")
            try:
                values.append(convert(value.get(name)))
            except BadValueError as error:
                raise BadRowError(error.code, f"field '{name}': {error}") from None
        return values


def parse_object(row: bytes | None) -> dict[str, Any]:
    """
    Parse the bytes of a row into an object.

    Raises:
        BadRowError: they are none.
    """
    if row is None:
        raise BadRowError("tombstone", "a row without bytes (a tombstone)")
    if not row:
        raise BadRowError("empty", "a row of zero bytes")
    try:
        text = row.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise BadRowError("utf-8", f"not UTF-8 from byte {error.start} on") from None
    try:
        value = parse(text)
    except NotJsonError as error:
        raise BadRowError(error.code, str(error)) from None
    except RecursionError:
        raise BadRowError("depth", "nested too deep") from None
    if not isinstance(value, dict):
        raise BadRowError("shape", "the row is JSON, but no object")
    return value
