"""Which types can be cast to which."""

from __future__ import annotations

from tailrace.schema import BINARIES, FLOATS, INTEGERS, INTERVALS, STRINGS, TIMESTAMPS, DataType, Kind

_NUMBERS = (*INTEGERS, Kind.DECIMAL, *FLOATS)
_TIMES: dict[Kind, tuple[Kind, ...]] = {
    Kind.DATE: (Kind.DATE, *TIMESTAMPS),
    Kind.TIME: (Kind.TIME, *TIMESTAMPS),
    Kind.TIMESTAMP: (Kind.DATE, Kind.TIME, *TIMESTAMPS),
    Kind.TIMESTAMP_LTZ: (Kind.DATE, Kind.TIME, *TIMESTAMPS),
}
_FROM_TEXT = (*STRINGS, *BINARIES, Kind.BOOLEAN, *_NUMBERS, *_TIMES)
_OTHERS: dict[Kind, tuple[Kind, ...]] = {
    **dict.fromkeys(STRINGS, _FROM_TEXT),
    **dict.fromkeys(BINARIES, BINARIES),
    **dict.fromkeys(_NUMBERS, (Kind.BOOLEAN, *_NUMBERS)),
    Kind.BOOLEAN: (Kind.BOOLEAN, *_NUMBERS),
    **_TIMES,
    **{k: (k,) for k in INTERVALS},
}


def can_cast(source: DataType, target: DataType) -> bool:
    """
    Tell whether there is a conversion.

    >>> from tailrace.schema import BIGINT, DATE, STRING, array
    >>> can_cast(array(STRING), array(BIGINT)), can_cast(BIGINT, DATE)
    (True, False)
    """
    if source.kind is Kind.NULL:
        return True
    if source.kind is Kind.VARIANT:
        return False
    if target.kind in STRINGS:
        return True
    if source.children or target.children:
        same = source.kind is target.kind and len(source.children) == len(target.children)
        return same and all(can_cast(a, b) for a, b in zip(source.children, target.children, strict=True))
    return target.kind in _OTHERS.get(source.kind, ())


def may_fail(source: DataType, target: DataType) -> bool:
    """Tell whether some value of a type has no counterpart, so that CAST fails its row; too large a decimal is NULL."""
    if source.children and target.children:
        return any(may_fail(a, b) for a, b in zip(source.children, target.children, strict=True))
    if source.kind in STRINGS:
        return target.kind not in (*STRINGS, *BINARIES)
    return source.kind in TIMESTAMPS and target.kind in TIMESTAMPS and source.time_unit != target.time_unit == "ns"
