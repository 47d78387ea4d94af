"""Text and bytes from data, for people: nothing in them can steer a terminal, or turn the order of what is read."""

from __future__ import annotations

import base64
import json
from datetime import date, time, timedelta
from typing import Any

from tailrace.runtime.redaction import MASK, masked

MOST_CELL = 300
"""So many characters of a value are shown in a table."""

MOST_HEX = 4096
"""So many bytes are shown as hexadecimal numbers."""


def plain(text: str) -> str:
    r"""
    Write control characters, and those that change the direction of text, as escapes.

    >>> print(plain("a\x1b[31mb\u202e"))
    a\x1b[31mb\u202e
    """
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str, most: int = MOST_CELL) -> str:
    """
    Cut a text.

    >>> short("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def cell(value: Any, hidden: frozenset[str], *, whole: bool = False) -> str | None:
    r"""
    Write a value of a row, without its fields in `hidden`; if the `whole` is hidden, nothing of it. NULL is None.

    >>> (
    ...     cell({"card": 4111, "n": 1}, frozenset({"card"})),
    ...     cell(b"a\xff", frozenset()),
    ...     cell(5, frozenset(), whole=True),
    ... )
    ('{"card": "***", "n": 1}', '0x61ff', '***')
    """
    if value is None:
        return None
    if whole:
        return MASK
    if isinstance(value, dict | list):
        value = json.dumps(masked(value, hidden), default=_as_text, ensure_ascii=False)
    return short(plain(value if isinstance(value, str) else _as_text(value)).replace("\n", "\\n"))


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return f"0x{value[: MOST_CELL // 2].hex()}"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date | time):
        return value.isoformat().replace("T", " ")
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else str(value)


def hex_lines(data: bytes) -> str:
    r"""
    Write bytes as lines of sixteen, with their places and what of them is text.

    >>> print(hex_lines(b"abc\x00"))
    00000000  61 62 63 00                                      abc.
    """
    shown = data[:MOST_HEX]
    lines = [_hex_line(place, shown[place : place + 16]) for place in range(0, len(shown), 16)]
    more = [f"… {len(data) - len(shown)} bytes more"] if len(data) > len(shown) else []
    return "\n".join([*lines, *more])


def _hex_line(place: int, part: bytes) -> str:
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
    return f"{place:08x}  {part.hex(' '):<47}  {text}"


def payload_view(data: bytes | None, *, hidden: bool) -> dict[str, Any]:
    """Give bytes as JSON values: as `json`, `text` or `hex`; or say that there are none, or that they are hidden."""
    if hidden:
        return {"kind": "hidden", "text": ""}
    if data is None:
        return {"kind": "none", "text": ""}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"kind": "hex", "text": hex_lines(data), "bytes": len(data)}
    kind = "json" if _is_json(text) else "text"
    # what is shown may have escapes; what came is in base64, to be mended and replayed
    return {
        "kind": kind,
        "text": plain(text[:65_536]),
        "bytes": len(data),
        "exact": plain(text) == text and len(text) <= 65_536,
        "base64": base64.b64encode(data[:65_536]).decode(),
    }


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
