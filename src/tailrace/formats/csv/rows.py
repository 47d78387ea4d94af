"""One row of CSV to the values of a schema: the slow path, and the oracle of the fast one."""

from __future__ import annotations

import csv
from typing import Any

from tailrace.formats.csv.options import Dialect
from tailrace.formats.csv.values import Convert
from tailrace.formats.decoding import BadRowError, SkippedRowError
from tailrace.formats.scalars import BadValueError

_BOM = b"\xef\xbb\xbf"
MAX_FIELD = 1 << 26
"""No field may have more characters than this."""

csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))


class RowReader:
    """Reads rows one by one; `fields` has the name and the converter of each wanted field, by its place in the row."""

    def __init__(self, dialect: Dialect, width: int, fields: dict[int, tuple[str, Convert]], *, lenient: bool) -> None:
        self._dialect = dialect
        self._width = width
        self._fields = fields
        self._lenient = lenient

    def read(self, row: bytes | None) -> list[Any]:
        """
        Give the values of a row.

        Raises:
            BadRowError: it can't be read.
            SkippedRowError: it is a comment.
        """
        found = self._split(_text(row))
        values = []
        for place, (name, convert) in self._fields.items():
            text = found[place] if place < len(found) else None
            values.append(None if text is None else self._value(name, convert, text))
        return values

    def _split(self, text: str) -> list[str]:
        dialect = self._dialect
        if dialect.comment and text.startswith(dialect.comment):
            raise SkippedRowError
        found = split(text, dialect)
        if len(found) > self._width or (len(found) < self._width and not self._lenient):
            raise BadRowError("shape", f"{len(found)} fields, where the table has {self._width} columns")
        return found

    def _value(self, name: str, convert: Convert, text: str) -> Any:
        if text == self._dialect.null:
            return None
        try:
            return convert(text)
        except BadValueError as error:
            if self._lenient:
                return None
            empty = "" if text else " (the field is empty; 'csv.null-literal' = '' would make it NULL)"
            raise BadRowError(error.code, f"field '{name}': {error}{empty}") from None


def _text(row: bytes | None) -> str:
    if row is None:
        raise BadRowError("tombstone", "a row without bytes (a tombstone)")
    if not row:
        raise BadRowError("empty", "a row of zero bytes")
    try:
        return row.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise BadRowError("utf-8", f"not UTF-8 from byte {error.start} on") from None


def split(text: str, dialect: Dialect) -> list[str]:
    """
    Cut a row into the texts of its fields.

    >>> from tailrace.formats.csv.options import OPTIONS
    >>> split('1,"a, b"', Dialect.of(OPTIONS.parse({})))
    ['1', 'a, b']

    Raises:
        BadRowError: a quote is not closed, something stands behind a closing one, or a line end within the row.
    """
    reader = csv.reader(
        [text],
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
        escapechar=dialect.escape,
        strict=True,
    )
    try:
        return next(reader)
    except csv.Error as error:
        raise BadRowError("syntax", f"not CSV: {error}") from None
