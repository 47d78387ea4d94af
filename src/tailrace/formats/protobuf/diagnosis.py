"""What is wrong with bytes that the library can't read, in words: it says only that they are wrong."""

from __future__ import annotations

from typing import Any

from tailrace.formats.protobuf.shapes import GROUP, MESSAGE, STRING_

_MOST_DEPTH = 100
_SIZES = {1: 8, 5: 4}


class _Found(Exception):  # noqa: N818  it carries an outcome, no error
    """What is wrong: a code and the reason."""


def reason_of(row: bytes, message: Any) -> tuple[str, str]:
    r"""
    Give the code and reason for which bytes are no message.

    >>> from google.protobuf import timestamp_pb2
    >>> reason_of(b"\x08", timestamp_pb2.Timestamp.DESCRIPTOR)
    ('syntax', "not a message 'google.protobuf.Timestamp': cut off at byte 1")
    """
    try:
        _walk(row, 0, len(row), message, 0)
    except _Found as found:
        code, text = found.args
        return code, f"not a message '{message.full_name}': {text}" if code == "syntax" else text
    return "syntax", f"not a message '{message.full_name}'"


def _walk(data: bytes, i: int, end: int, message: Any, depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise _Found("depth", f"nested deeper than {_MOST_DEPTH} levels")
    groups: list[int] = []
    while i < end:
        at = i
        i, tag = _varint(data, i, end, 5)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29 or wire > 5:
            raise _Found("syntax", f"no field begins at byte {at}")
        if wire == 3:
            groups.append(number)
            if len(groups) + depth > _MOST_DEPTH:
                raise _Found("depth", f"nested deeper than {_MOST_DEPTH} levels")
        elif wire == 4:
            if not groups or groups.pop() != number:
                raise _Found("syntax", f"the end of a group that has not begun, at byte {at}")
        else:
            field = None if groups else message.fields_by_number.get(number)
            i = _value(data, i, end, wire, field, depth)
    if groups:
        raise _Found("syntax", f"group {groups[-1]} has no end")


def _value(data: bytes, i: int, end: int, wire: int, field: Any, depth: int) -> int:
    if wire == 0:
        return _varint(data, i, end, 10)[0]
    if wire in _SIZES:
        if i + _SIZES[wire] > end:
            raise _Found("syntax", f"cut off at byte {end}")
        return i + _SIZES[wire]
    i, size = _varint(data, i, end, 5)
    if size > end - i:
        raise _Found("syntax", f"{size} bytes are to follow byte {i}, and {end - i} are left")
    if field is not None and field.type in (MESSAGE, GROUP):
        _walk(data, i, i + size, field.message_type, depth + 1)
    elif field is not None and field.type == STRING_:
        try:
            data[i : i + size].decode()
        except UnicodeDecodeError as error:
            raise _Found("utf-8", f"field '{field.name}': not UTF-8 from byte {i + error.start} on") from None
    return i + size


def _varint(data: bytes, i: int, end: int, most: int) -> tuple[int, int]:
    value = shift = 0
    begin = i
    while i < end:
        value |= (data[i] & 127) << shift
        i += 1
        if data[i - 1] < 128:
            return i, value
        shift += 7
        if i - begin >= most:
            raise _Found("syntax", f"a number of more than {most} bytes at byte {begin}")
    raise _Found("syntax", f"cut off at byte {end}")
