"""Sets of characters as ranges of code points, and how they are written in a class of an expression."""

from __future__ import annotations

Ranges = tuple[tuple[int, int], ...]
LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def chars(text: str) -> Ranges:
    """Give the set of these characters."""
    return tuple((ord(c), ord(c)) for c in text)


DIGIT: Ranges = ((0x30, 0x39),)
LOWER: Ranges = ((0x61, 0x7A),)
UPPER: Ranges = ((0x41, 0x5A),)
SPACE: Ranges = (*chars(" \t\n\x0b\f\r"),)
WORD: Ranges = (*DIGIT, *UPPER, *LOWER, *chars("_"))
HORIZONTAL: Ranges = (*chars(" \t\xa0\u1680\u180e\u202f\u205f\u3000"), (0x2000, 0x200A))
VERTICAL: Ranges = chars("\n\x0b\f\r\x85\u2028\u2029")
TERMINATORS: Ranges = chars("\n\r\x85\u2028\u2029")
ESCAPES: dict[str, Ranges] = {"d": DIGIT, "w": WORD, "s": SPACE, "h": HORIZONTAL, "v": VERTICAL}
POSIX: dict[str, Ranges] = {
    "Lower": LOWER,
    "Upper": UPPER,
    "ASCII": ((0, 0x7F),),
    "Alpha": (*UPPER, *LOWER),
    "Digit": DIGIT,
    "Alnum": (*DIGIT, *UPPER, *LOWER),
    "Punct": chars(_PUNCTUATION),
    "Graph": ((0x21, 0x7E),),
    "Print": ((0x20, 0x7E),),
    "Blank": chars(" \t"),
    "Cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "XDigit": (*DIGIT, (0x41, 0x46), (0x61, 0x66)),
    "Space": SPACE,
}


def complement(ranges: Ranges) -> Ranges:
    """
    Give all other characters.

    >>> complement(((0, 9), (11, 0x10FFFF)))
    ((10, 10),)
    """
    out, start = [], 0
    for low, high in sorted((*ranges, _SURROGATES)):
        if low > start:
            out.append((start, low - 1))
        start = max(start, high + 1)
    return tuple(out) if start > LAST else (*out, (start, LAST))


def either_case(ranges: Ranges) -> Ranges:
    """
    Give the set with the other case of its ASCII letters.

    >>> either_case(((0x41, 0x43),))
    ((65, 67), (97, 99))
    """
    return (*ranges, *_shifted(ranges, UPPER[0], 32), *_shifted(ranges, LOWER[0], -32))


def _shifted(ranges: Ranges, letters: tuple[int, int], by: int) -> Ranges:
    both = ((max(low, letters[0]), min(high, letters[1])) for low, high in ranges)
    return tuple((low + by, high + by) for low, high in both if low <= high)


def written(ranges: Ranges, python: bool) -> str:
    """Write ranges for the inside of a class."""
    return "".join(_point(a, python) + ("" if a == b else "-" + _point(b, python)) for a, b in ranges)


def _point(code: int, python: bool) -> str:
    if code < 128 and chr(code).isalnum():
        return chr(code)
    return f"\\U{code:08x}" if python else f"\\x{{{code:x}}}"
