"""The condition in `[?(...)]` of a path: comparisons of members of the item (`@.a`) with constants, `&&` and `||`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tailrace.errors import UnsupportedError

Filter = Callable[[Any], bool]
_Value = Callable[[Any], Any]
_ABSENT = object()

_COMPARISON = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*")
_MEMBER = re.compile(r"@((?:\.[\w-]+)*)")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def filter_of(text: str) -> Filter:
    """
    Give the condition that a text means.

    >>> filter_of("@.a > 1 && @.b == 'x'")({"a": 2, "b": "x"})
    True

    Raises:
        UnsupportedError: it is none of those that can be checked here.
    """
    if "||" in text:
        either = [filter_of(t) for t in text.split("||")]
        return lambda item: any(f(item) for f in either)
    if "&&" in text:
        both = [filter_of(t) for t in text.split("&&")]
        return lambda item: all(f(item) for f in both)
    match = _COMPARISON.fullmatch(text)
    left, right = (_value(match[1]), _value(match[3])) if match else (None, None)
    if match is None or left is None or right is None:
        message = f"the filter '{text.strip()}' is not supported in a JSON path"
        raise UnsupportedError(message, hint="compare members with constants, as [?(@.a > 1 && @.b == 'x')]")
    return _comparison(left, match[2], right)


def _comparison(left: _Value, op: str, right: _Value) -> Filter:
    if op in ("==", "!="):
        return lambda item: _equal(left(item), right(item)) == (op == "==")
    compare = _ORDER[op]

    def ordered(item: Any) -> bool:
        a, b = left(item), right(item)
        if _is_number(a) and _is_number(b):
            return compare(a, b)
        return isinstance(a, str) and isinstance(b, str) and compare(a, b)

    return ordered


def _equal(a: Any, b: Any) -> bool:
    if a is _ABSENT or b is _ABSENT:
        return False
    if isinstance(a, str) and _is_number(b):
        return a == str(b)
    if _is_number(a) and isinstance(b, str):
        return _NUMBER.fullmatch(b) is not None and bool(a == Decimal(b))
    return bool(type(a) is type(b) or (_is_number(a) and _is_number(b))) and bool(a == b)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _value(text: str) -> _Value | None:
    if match := _MEMBER.fullmatch(text):
        return _member(tuple(match[1].split(".")[1:]))
    constant: Any
    if match := _TEXT.fullmatch(text):
        constant = match[1] if match[1] is not None else match[2]
    elif _NUMBER.fullmatch(text):
        constant = Decimal(text)
    elif text in _WORDS:
        constant = _WORDS[text]
    else:
        return None
    return lambda _: constant


def _member(names: tuple[str, ...]) -> _Value:
    def value(item: Any) -> Any:
        for name in names:
            if not isinstance(item, dict) or name not in item:
                return _ABSENT
            item = item[name]
        return item

    return value
