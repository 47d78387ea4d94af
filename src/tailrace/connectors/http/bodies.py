"""Bodies of requests and answers: one row, lines of rows, or a JSON array, with the bytes of each row as they came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

ROW, LINES, ARRAY = "row", "lines", "array"
CONTENT = {LINES: "application/x-ndjson", ARRAY: "application/json"}
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class BadBodyError(ValueError):
    """The body is not what it should be; says what, without its content."""


def split(body: bytes, kind: str, items: str | None = None) -> list[bytes]:
    r"""
    Give the rows of a body.

    >>> split(b'{"data": [{"a": 1}, 2]}', ARRAY, "data"), split(b"a\n\nb\n", LINES)
    ([b'{"a": 1}', b'2'], [b'a', b'b'])

    Raises:
        BadBodyError: it is no JSON array, or there is none at `items`.
    """
    if kind == ROW:
        return [body] if body.strip() else []
    if kind == LINES:
        return [line for line in body.splitlines() if line.strip()]
    found = at(body, items) if items else body
    if found is None:
        raise BadBodyError(f"it has no '{items}'")
    try:
        return [bytes(raw) for raw in _LIST.decode(found)]
    except (msgspec.DecodeError, RecursionError):
        where = f"'{items}'" if items else "it"
        raise BadBodyError(f"{where} is no JSON array") from None


def at(body: bytes, path: str) -> bytes | None:
    """
    Give the bytes of the value at a path of field names in a JSON object; None if it is not there, or null.

    Raises:
        BadBodyError: something on the way is no JSON object.
    """
    found = body
    for name in path.split("."):
        try:
            fields = _OBJECT.decode(found)
        except (msgspec.DecodeError, RecursionError):
            raise BadBodyError("it is no JSON object") from None
        if name not in fields:
            return None
        found = bytes(fields[name])
    return None if found.strip() == b"null" else found


def text_at(body: bytes, path: str) -> str | None:
    """
    Give the text (or number, as text) at a path; None if there is none, or an empty one.

    >>> text_at(b'{"next": {"cursor": 7}}', "next.cursor")
    '7'
    """
    found = at(body, path)
    if found is None:
        return None
    value = msgspec.json.decode(found)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadBodyError(f"'{path}' is no text and no number")
    return str(value) or None


def joined(rows: Sequence[bytes], kind: str) -> bytes:
    r"""
    Make a body of rows.

    >>> joined([b"1", b"2"], ARRAY), joined([b"1", b"2"], LINES)
    (b'[1,2]', b'1\n2\n')
    """
    if kind == ARRAY:
        return b"[" + b",".join(rows) + b"]"
    if kind == LINES:
        return b"".join(row.rstrip(b"\n") + b"\n" for row in rows)
    (row,) = rows
    return row
