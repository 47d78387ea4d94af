"""Java's syntax of regular expressions to that of Polars (Rust's) or Python's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tailrace.expressions.regex import charsets as cs
from tailrace.expressions.regex.charsets import Ranges

_PLAIN = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_TERMINATOR = r"(?:\r\n|[\n\r\x85\u2028\u2029])"
_BREAK = r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])"
_JAVA = {"javaLowerCase": "Lowercase", "javaUpperCase": "Uppercase", "javaWhitespace": "White_Space"}


class PatternError(ValueError):
    """Java would not compile the expression."""


class UnsupportedPatternError(ValueError):
    """Java would, but neither engine here can."""


@dataclass(frozen=True, slots=True)
class Translation:
    """
    One expression, in the syntax of each engine that can run it.

    `ends`: it asks for the end of the text, which Java also sees before a last line terminator, and Polars does not.
    """

    polars: str | None
    python: str | None
    groups: int
    ends: bool


@cache
def translate(pattern: str) -> Translation:
    """
    Translate a pattern.

    Raises:
        PatternError: it is none.
        UnsupportedPatternError: no engine here has what it asks for.
    """
    polars, python = _Translator(pattern, python=False), _Translator(pattern, python=True)
    texts = [t.whole() for t in (polars, python)]
    usable = [None if t.missing else text for t, text in zip((polars, python), texts, strict=True)]
    if usable == [None, None]:
        raise UnsupportedPatternError(f"no support for {polars.missing} together with {python.missing}")
    if usable[1] is not None:
        _compiled(usable[1])
    return Translation(usable[0], usable[1], polars.groups, polars.ends)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        if "look-behind" in str(error):
            raise UnsupportedPatternError("no support for look-behind of varying length") from None
        raise PatternError(str(error)) from None


class _Translator:
    """Reads a pattern once and writes it for one engine; `missing` says what that engine lacks."""

    def __init__(self, pattern: str, python: bool) -> None:
        self._text = pattern
        self._at = 0
        self._python = python
        self._total = _groups(pattern)
        self.groups = 0
        self.missing = ""
        self.ends = False

    def whole(self) -> str:
        out = self._alternatives(frozenset())
        if self._at < len(self._text):
            raise PatternError("unmatched closing ')'")
        return out

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _takes(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self._at += len(text)
        return True

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise PatternError("the pattern ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _lacks(self, what: str, python: bool) -> None:
        if self._python is python and not self.missing:
            self.missing = what

    def _alternatives(self, flags: frozenset[str]) -> str:
        out: list[str] = []
        while self._at < len(self._text) and not self._peek(")"):
            if self._takes("|"):
                out.append("|")
            elif "x" in flags and self._comment():
                continue
            elif match := re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?\)").match(self._text, self._at):
                self._at = match.end()
                flags = self._flags(flags, match[1], match[2] or "")
            else:
                out.append(self._quantified(self._atom(flags)))
        return "".join(out)

    def _comment(self) -> bool:
        match = re.compile(r"\s|#[^\n]*").match(self._text, self._at)
        if match:
            self._at = match.end()
        return bool(match)

    def _flags(self, flags: frozenset[str], on: str, off: str) -> frozenset[str]:
        if set(on + off) - set("idmsuxU"):
            raise PatternError("unknown inline modifier")
        return (flags | set(on)) - set(off)

    def _quantified(self, atom: str) -> str:
        match = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}").match(self._text, self._at)
        if not match:
            return atom
        self._at = match.end()
        if self._takes("+"):
            self._lacks("a possessive quantifier", python=False)
            return atom + match[0] + "+"
        return atom + match[0] + ("?" if self._takes("?") else "")

    def _atom(self, flags: frozenset[str]) -> str:
        if self._takes("("):
            return self._group(flags)
        if self._takes("["):
            return self._class(flags)
        c = self._next()
        if c in "*+?":
            raise PatternError(f"dangling meta character '{c}'")
        if c == "{":
            raise PatternError("illegal repetition")
        if c == "\\":
            return self._escape(flags)
        if c == ".":
            return self._dot(flags)
        if c == "^":
            return "(?m:^)" if "m" in flags else "^"
        if c == "$":
            return "(?m:$)" if "m" in flags else self._end()
        return self._literal(c, flags)

    def _dot(self, flags: frozenset[str]) -> str:
        if "s" in flags:
            return "(?s:.)"
        return "[^\\n]" if "d" in flags else f"[^{cs.written(cs.TERMINATORS, self._python)}]"

    def _end(self) -> str:
        self.ends = True
        return f"(?={_TERMINATOR}?\\Z)" if self._python else "$"

    def _literal(self, c: str, flags: frozenset[str]) -> str:
        if "i" not in flags:
            return re.escape(c)
        if c.isascii():
            return f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c)
        return f"(?i:{c})" if "u" in flags else c

    def _group(self, flags: frozenset[str]) -> str:
        opening = self._opening()
        if match := re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]*))?:").match(self._text, self._at) if not opening else None:
            self._at = match.end()
            flags, opening = self._flags(flags, match[1], match[2] or ""), "(?:"
        if not opening:
            if self._peek("?"):
                raise PatternError("unknown group type")
            self.groups += 1
            opening = "("
        inner = self._alternatives(flags)
        if not self._takes(")"):
            raise PatternError("unclosed group")
        return opening + inner + ")"

    def _opening(self) -> str:
        """Take what stands behind the parenthesis of a special group."""
        for text in ("?=", "?!", "?<=", "?<!", "?>"):
            if self._takes(text):
                self._lacks("look-around" if text != "?>" else "an atomic group", python=False)
                return "(" + text
        if match := re.compile(r"\?<([a-zA-Z][a-zA-Z0-9]*)>").match(self._text, self._at):
            self._at = match.end()
            self.groups += 1
            return f"(?P<{match[1]}>"
        return ""

    def _escape(self, flags: frozenset[str]) -> str:
        c = self._next()
        if c.lower() in cs.ESCAPES:
            return self._predefined(c, flags)
        if c in "bBAZzR":
            return self._place(c)
        if c == "Q":
            return self._quoted(flags)
        if c in "pP":
            return f"[{self._property(c == 'P')}]"
        if c == "k" or c in "123456789":
            return self._reference(c, flags)
        if c in "GX":
            raise UnsupportedPatternError(f"no support for \\{c}")
        return self._literal(self._character(c), flags)

    def _place(self, c: str) -> str:
        if c == "Z":
            return self._end()
        if c == "z":
            return "\\Z" if self._python else "\\z"
        return _BREAK if c == "R" else "\\" + c

    def _predefined(self, c: str, flags: frozenset[str]) -> str:
        if "U" in flags and c.lower() in "dws":
            return "\\" + c
        return f"[{cs.written(_set(c), self._python)}]"

    def _quoted(self, flags: frozenset[str]) -> str:
        end = self._text.find("\\E", self._at)
        inner = self._text[self._at :] if end < 0 else self._text[self._at : end]
        self._at = len(self._text) if end < 0 else end + 2
        return "".join(self._literal(c, flags) for c in inner)

    def _reference(self, c: str, flags: frozenset[str]) -> str:
        self._lacks("a back-reference", python=False)
        if c == "k":
            match = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)>").match(self._text, self._at)
            if not match:
                raise PatternError("\\k is not followed by '<'")
            self._at = match.end()
            found = f"(?P={match[1]})"
        else:
            number = c
            while self._at < len(self._text) and self._text[self._at].isdigit():
                if int(number + self._text[self._at]) > self._total:
                    break
                number += self._next()
            found = f"\\{number}" if int(number) <= self._total else "(?!)"
        return f"(?i:{found})" if "i" in flags else f"(?:{found})"

    def _character(self, c: str) -> str:
        """Take the rest of an escape that means one character."""
        if c in _PLAIN:
            return _PLAIN[c]
        forms = {"0": r"([0-3]?[0-7]{1,2})", "x": r"([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\}", "u": r"([0-9a-fA-F]{4})"}
        if c in forms:
            match = re.compile(forms[c]).match(self._text, self._at)
            if not match:
                raise PatternError("illegal escape sequence")
            self._at = match.end()
            return chr(int(match[match.lastindex or 1], 8 if c == "0" else 16))
        if c == "c":
            return chr(ord(self._next()) ^ 64)
        if c.isascii() and c.isalpha():
            raise PatternError(f"illegal escape sequence \\{c}")
        return c

    def _property(self, negated: bool) -> str:
        if self._takes("{"):
            name = self._text[self._at : self._text.find("}", self._at)]
            self._at += len(name) + 1
        else:
            name = self._next()
        if name in cs.POSIX:
            ranges = cs.POSIX[name]
            return cs.written(cs.complement(ranges) if negated else ranges, self._python)
        if name.startswith(("In", "block=", "blk=")):
            raise UnsupportedPatternError(f"no support for the block \\p{{{name}}}")
        self._lacks(f"\\p{{{name}}}", python=True)
        known = _JAVA.get(name, re.sub(r"^(Is|script=|sc=|general_category=|gc=)", "", name))
        return f"\\{'P' if negated else 'p'}{{{known}}}"

    def _class(self, flags: frozenset[str]) -> str:
        """Take a class up to its closing bracket."""
        out = "[^" if self._takes("^") else "["
        first = True
        while first or not self._peek("]"):
            first = False
            if self._takes("&&"):
                self._lacks("&& in a class", python=True)
                out += "&&"
            elif self._takes("["):
                out += self._nested(flags)
            else:
                out += self._item(flags)
        self._at += 1
        return out + "]"

    def _nested(self, flags: frozenset[str]) -> str:
        inner = self._class(flags)
        if not self._python:
            return inner
        if inner.startswith("[^"):
            self._lacks("a negated class in a class", python=True)
        return inner[1:-1]

    def _item(self, flags: frozenset[str]) -> str:
        c = self._next()
        if c == "\\":
            c = self._next()
            if c.lower() in cs.ESCAPES:
                return cs.written(_set(c), self._python)
            if c in "pP":
                return self._property(c == "P")
            c = self._character(c)
        low = high = ord(c)
        if self._peek("-") and not self._text.startswith(("-]", "-[", "-&&"), self._at):
            self._at += 1
            high = self._bound()
        if high < low:
            raise PatternError("illegal character range")
        ranges: Ranges = ((low, high),)
        return cs.written(cs.either_case(ranges) if "i" in flags else ranges, self._python)

    def _bound(self) -> int:
        c = self._next()
        return ord(self._character(self._next()) if c == "\\" else c)


def _set(c: str) -> Ranges:
    ranges = cs.ESCAPES[c.lower()]
    return cs.complement(ranges) if c.isupper() else ranges


def _groups(pattern: str) -> int:
    """Count the capturing groups, well enough to tell a reference from digits behind it."""
    return len(re.findall(r"(?<!\\)\((?!\?)|\(\?<[a-zA-Z]", pattern))
