"""The patterns of LIKE and SIMILAR TO as regular expressions of Polars."""

from __future__ import annotations

import re
from functools import cache

from tailrace.expressions.regex.translate import PatternError, translate

_CLASSES = {
    "ALPHA": "Alpha",
    "UPPER": "Upper",
    "LOWER": "Lower",
    "DIGIT": "Digit",
    "ALNUM": "Alnum",
    "SPACE": "Space",
    "WHITESPACE": "Space",
}


def _escape(escape: str | None) -> str:
    if escape is not None and len(escape) != 1:
        raise ValueError(f"ESCAPE takes one character, not '{escape}'")
    return escape or ""


@cache
def like_pattern(pattern: str, escape: str | None = None) -> str:
    """
    Translate a pattern of LIKE.

    >>> like_pattern("a%_")
    '(?s)^a.*.$'
    """
    mark, out, i = _escape(escape), [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == mark:
            if pattern[i + 1 : i + 2] not in {"%", "_", mark}:
                raise ValueError(f"'{pattern}' has '{mark}' before what is neither % nor _ nor '{mark}'")
            i += 1
            out.append(re.escape(pattern[i]))
        else:
            out.append({"%": ".*", "_": "."}.get(c, re.escape(c)))
        i += 1
    return "(?s)^" + "".join(out) + "$"


@cache
def similar_pattern(pattern: str, escape: str | None = None) -> str:
    """Translate a pattern of SIMILAR TO, which has the signs of regular expressions beside % and _."""
    mark, out, i = _escape(escape), [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == mark:
            if pattern[i + 1 : i + 2] not in {*"[]()|^-+*_%?{}", mark}:
                raise ValueError(f"'{pattern}' has '{mark}' before an ordinary character")
            i += 1
            out.append(re.escape(pattern[i]))
        elif c == "[":
            text, i = _class(pattern, i)
            out.append(text)
        else:
            out.append({"%": ".*", "_": "."}.get(c, c))
        i += 1
    return _polars("".join(out), pattern)


def _polars(java: str, pattern: str) -> str:
    try:
        found = translate(f"(?s)(?:{java})").polars
    except PatternError as error:
        raise ValueError(f"'{pattern}' is no pattern of SIMILAR TO: {error}") from None
    return f"^(?:{found})$"


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Give a bracket expression, and where it ends."""
    if match := re.compile(r"\[(\^?)\[?:(\w+):\]?\]").match(pattern, start):
        return _named(match[1], match[2], pattern), match.end() - 1
    end = pattern.find("]", start + 2)
    if end < 0:
        raise ValueError(f"'{pattern}' has a [ without ]")
    return pattern[start : end + 1], end


def _named(negation: str, name: str, pattern: str) -> str:
    if name.upper() not in _CLASSES:
        known = ", ".join(_CLASSES)
        raise ValueError(f"'{pattern}' has the unknown class '{name}'; known are {known}")
    return f"[{negation}\\p{{{_CLASSES[name.upper()]}}}]"
