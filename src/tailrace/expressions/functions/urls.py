"""Functions of addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from tailrace.expressions.batches import by_value
from tailrace.expressions.registry import TEXT, LowerCall, define, fixed, takes, values
from tailrace.schema import STRING

_KNOWN = ("http", "https", "ftp", "file", "jar", "mailto", "jmod", "jrt")
_URL = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_AUTHORITY = re.compile(r"(?:[^@]*@)?(?:\[[^\]]*\]|[^:\t\r\n]*)(?::\d*)?")
_BLANKS = "".join(map(chr, range(33)))


_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._")


def _encode(text: str) -> str:
    return "".join(chr(b) if b in _KEPT else "+" if b == ord(" ") else f"%{b:02X}" for b in text.encode())


def _decode(text: str) -> str | None:
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        return None
    plain = text.replace("+", " ").encode()
    return re.sub(rb"%(..)", lambda m: bytes.fromhex(m[1].decode()), plain).decode(errors="replace")


def _once(f: Callable[[str], str | None]) -> LowerCall:
    return lambda ctx, e: by_value(f, pl.String, *values(ctx, e))


for _name, _f, _doc in (
    ("URL_ENCODE", _encode, "As application/x-www-form-urlencoded, in UTF-8."),
    ("URL_DECODE", _decode, "The text that was so encoded; NULL if it was not."),
):
    define(
        _name,
        "string",
        f"{_name}(a)",
        _doc,
        fixed(STRING, always=True),
        _once(_f),
        1,
        convert=takes(TEXT),
    )


def _parts(url: str) -> dict[str, str | None] | None:
    """Split an address as `java.net.URL` does; None if that would refuse it."""
    match = _URL.fullmatch(url.strip(_BLANKS))
    if not match or (match[1] or "").lower() not in _KNOWN:
        return None
    authority, path, query, fragment = match[2], match[3], match[4], match[5]
    if not _AUTHORITY.fullmatch(authority or ""):
        return None
    host = re.sub(r":\d*$", "", re.sub(r"^[^@]*@", "", authority or ""))
    return {
        "HOST": host,
        "PATH": path,
        "QUERY": query,
        "REF": fragment,
        "PROTOCOL": match[1].lower(),
        "FILE": path if query is None else f"{path}?{query}",
        "AUTHORITY": authority,
        "USERINFO": authority.rpartition("@")[0] if authority and "@" in authority else None,
    }


def _part(url: str, part: str, key: str | None = None) -> str | None:
    parts = _parts(url)
    found = parts.get(part) if parts else None
    if key is None or found is None:
        return found
    if part != "QUERY":
        return None
    match = re.search(rf"(?:&|^){re.escape(key)}=([^&]*)", found)
    return match[1] if match else None


define(
    "PARSE_URL",
    "string",
    "PARSE_URL(a, part[, key])",
    "HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of an address, or one key of its QUERY; NULL without.",
    fixed(STRING, always=True),
    lambda ctx, e: by_value(_part, pl.String, *values(ctx, e)),
    2,
    3,
    takes(TEXT),
)
