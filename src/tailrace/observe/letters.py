"""Dead letters for people: without what must not be shown, and with nothing that steers a terminal."""

from __future__ import annotations

from typing import Any

from tailrace.observe.plain import cell, payload_view, plain
from tailrace.runtime.letter_box import RAW
from tailrace.runtime.stored_letter import StoredLetter


def letter_row(letter: StoredLetter, hidden: frozenset[str]) -> dict[str, Any]:
    """Give a letter as a line of a list, as JSON values."""
    shown = letter.shown(hidden)
    text = "" if shown is None else shown[:120].decode("utf-8", "replace")
    return {"id": letter.id, "preview": plain(text).replace("\n", "\\n")} | _values(letter)


def _values(letter: StoredLetter) -> dict[str, Any]:
    return {name: cell(letter.values[name], frozenset()) for name in letter.values if name not in RAW}


def letter_view(letter: StoredLetter, hidden: frozenset[str]) -> dict[str, Any]:
    """Give all of a letter as JSON values, without what is hidden."""
    raw, shown = letter.raw("payload"), letter.shown(hidden)
    view: dict[str, Any] = {"id": letter.id, "table": letter.table, "values": _values(letter)}
    view["payload"] = payload_view(shown, hidden=raw is not None and shown is None)
    view["payload"]["exact"] = bool(view["payload"].get("exact")) and not hidden
    if "key" in letter.values:
        view["key"] = payload_view(letter.raw("key"), hidden=bool(hidden))
    if "headers" in letter.values:
        headers = None if hidden else letter.values["headers"]
        view["headers"] = cell(headers, frozenset(), whole=bool(hidden))
    return view
