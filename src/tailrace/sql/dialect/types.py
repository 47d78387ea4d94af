"""The parser's part for data types."""

from __future__ import annotations

from tailrace.sql.dialect.cursor import Cursor
from tailrace.sql.dialect.nodes import Type, TypeField

SIMPLE = frozenset(
    ("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "STRING", "BYTES", "DATE", "NULL", "VARIANT")
)
ONE_NUMBER = frozenset(("CHAR", "VARCHAR", "BINARY", "VARBINARY", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ"))
_SAME = {"INTEGER": "INT", "DEC": "DECIMAL", "NUMERIC": "DECIMAL", "CHARACTER": "CHAR"}
_LATER = frozenset(("MULTISET", "RAW", "DESCRIPTOR", "BITMAP"))
_NAMES = sorted(SIMPLE | ONE_NUMBER | {"DECIMAL", "ARRAY", "MAP", "ROW"})


class TypeParser(Cursor):
    """Reads types as Flink writes them."""

    def type(self) -> Type:
        """Take a type with its nullability."""
        start = self.at
        args = self._named()
        made = self.node(Type, start, **args, not_null=self._not_null())
        while self.takes_one("ARRAY", "MULTISET"):
            if self.tokens[self.at - 1].text.upper() == "MULTISET":
                self.at -= 1
                self._later("MULTISET")
            made = self.node(Type, start, this="ARRAY", children=[made], not_null=self._not_null())
        return made

    def _named(self) -> dict[str, object]:
        word = _SAME.get(self.word(), self.word())
        if word in _LATER:
            self._later(word)
        if word not in _NAMES:
            self.fail("a data type, as BIGINT, STRING, DECIMAL(10, 2) or TIMESTAMP(3)", near=[*_NAMES, *_SAME])
        self.at += 1
        if word == "CHAR" and self.takes("VARYING"):
            word = "VARCHAR"
        if word == "DOUBLE":
            self.takes("PRECISION")
        if word in ("ARRAY", "MAP"):
            return {"this": word, "children": self._inner(2 if word == "MAP" else 1)}
        if word == "ROW":
            return {"this": word, "fields": self._fields()}
        if word in SIMPLE:
            return {"this": word}
        return self._with_numbers(word)

    def _with_numbers(self, word: str) -> dict[str, object]:
        numbers = self.in_parens(self.integer) if self.sees("(") else []
        limit = 2 if word == "DECIMAL" else 1
        if len(numbers) > limit:
            self.fail(f"at most {limit} numbers for {word}")
        if word == "TIMESTAMP" and self.takes("WITH", "LOCAL", "TIME", "ZONE"):
            word = "TIMESTAMP_LTZ"
        elif word == "TIMESTAMP" and self.sees("WITH", "TIME", "ZONE"):
            self.unsupported("TIMESTAMP WITH TIME ZONE", "use TIMESTAMP_LTZ(3)")
        elif word in ("TIME", "TIMESTAMP"):
            self.takes("WITHOUT", "TIME", "ZONE")
        return {"this": word, "numbers": [str(n) for n in numbers]}

    def _inner(self, count: int) -> list[Type]:
        self.expect("<")
        inner = self.many(self.type)
        if len(inner) != count:
            self.fail("one type" if count == 1 else "two types")
        self.expect(">")
        return inner

    def _fields(self) -> list[TypeField]:
        if self.takes("<>"):
            return []
        opening = self.takes_one("<", "(")
        if not opening:
            self.fail("<")
        closing = ">" if opening == "<" else ")"
        fields = [] if self.sees(closing) else self.many(self._field)
        self.expect(closing)
        return fields

    def _field(self) -> TypeField:
        start = self.at
        name = self.identifier("a field's name")
        kind = self.type()
        comment = self.text() if self.sees_text() else None
        return self.node(TypeField, start, name=name, type=kind, comment=comment)

    def _not_null(self) -> bool:
        if self.takes("NOT", "NULL"):
            return True
        if self.sees("NULL") and self.word(1) != "ON":  # not NULL ON EMPTY after RETURNING INT
            self.takes("NULL")
        return False

    def _later(self, word: str) -> None:
        self.unsupported(f"the type {word}", "supported are " + ", ".join(_NAMES))
