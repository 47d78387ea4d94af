"""The parser's part for sort keys and for windows: ORDER BY, OVER (...) and WINDOW."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tailrace.errors import ConfigError
from tailrace.sql.dialect.nodes import Bound, Frame, Node, Over, SortKey, WindowDefinition
from tailrace.sql.dialect.types import TypeParser


class OverParser(TypeParser, ABC):
    """Reads ORDER BY and windows; `expression` is that of the whole parser."""

    @abstractmethod
    def expression(self) -> Node:
        """Take an expression."""

    def order_by(self) -> list[SortKey]:
        """Take ORDER BY with its keys; none if it does not come next."""
        return self.many(self.sort_key) if self.takes_by("ORDER") else []

    def partition_by(self) -> list[Node]:
        """Take PARTITION BY with its expressions; none if it does not come next."""
        return self.many(self.expression) if self.takes_by("PARTITION") else []

    def takes_by(self, word: str) -> bool:
        """Take a word if it comes next, and BY, which has to follow."""
        found = self.takes(word)
        if found:
            self.expect("BY")
        return found

    def sort_key(self) -> SortKey:
        """Take one key of ORDER BY."""
        start = self.at
        this = self.expression()
        descending = self.takes_one("ASC", "DESC") == "DESC"
        nulls = None
        if self.takes("NULLS"):
            nulls = self.takes_one("FIRST", "LAST") or self.fail("FIRST", "LAST")
        return self.node(SortKey, start, this=this, descending=descending, nulls=nulls)

    def over(self) -> Over | None:
        """Take OVER with a window or its name; None if it does not come next."""
        if not self.takes("OVER"):
            return None
        start = self.at
        if self.sees("("):
            return self._window()
        name = self.identifier("( or the name of a window")
        return self.node(Over, start, window=name, partition=[], order=[], frame=None)

    def window_definitions(self) -> list[WindowDefinition]:
        """Take WINDOW with its definitions; none if it does not come next."""
        return self.many(self._named_window) if self.takes("WINDOW") else []

    def _named_window(self) -> WindowDefinition:
        start = self.at
        name = self.identifier("a name for the window")
        self.expect("AS")
        return self.node(WindowDefinition, start, name=name, over=self._window())

    def _window(self) -> Over:
        start = self.at
        self.expect("(")
        base = self.identifier() if self.sees_name() else None
        partition, order = self.partition_by(), self.order_by()
        frame = self._frame() if self.word() in ("ROWS", "RANGE") else None
        if not self.sees(")"):
            self.fail(*(w for w, seen in (("PARTITION BY", partition or order), ("ORDER BY", order)) if not seen), ")")
        self.expect(")")
        return self.node(Over, start, window=base, partition=partition, order=order, frame=frame)

    def _frame(self) -> Frame:
        start = self.at
        unit = self.takes_one("ROWS", "RANGE")
        if not self.takes("BETWEEN"):
            lower = self._bound()
            upper = self.node(Bound, start, kind="CURRENT ROW", value=None)
            return self.node(Frame, start, unit=unit, lower=lower, upper=upper)
        lower = self._bound()
        self.expect("AND")
        return self._in_order(self.node(Frame, start, unit=unit, lower=lower, upper=self._bound()))

    def _in_order(self, frame: Frame) -> Frame:
        ends = [frame.args[key] for key in ("lower", "upper")]
        before = [(e.args["kind"], e.args["value"] is None) for e in ends]
        if before[0] == ("FOLLOWING", True) or before[1] == ("PRECEDING", True):
            wrong = ends[0 if before[0] == ("FOLLOWING", True) else 1]
            message = "a frame can't begin with UNBOUNDED FOLLOWING or end with UNBOUNDED PRECEDING"
            raise ConfigError(message, location=self.source.location(*wrong.span))
        return frame

    def _bound(self) -> Bound:
        start = self.at
        if self.takes("CURRENT", "ROW"):
            return self.node(Bound, start, kind="CURRENT ROW", value=None)
        unbounded = self.sees("UNBOUNDED") and self.word(1) in ("PRECEDING", "FOLLOWING")
        self.at += unbounded
        value = None if unbounded else self.expression()
        kind = self.takes_one("PRECEDING", "FOLLOWING") or self.fail("PRECEDING", "FOLLOWING")
        return self.node(Bound, start, kind=kind, value=value)
