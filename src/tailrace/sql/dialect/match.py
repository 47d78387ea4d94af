"""The parser's part for MATCH_RECOGNIZE."""

from __future__ import annotations

from tailrace.sql.dialect.nodes import Define, MatchSource, Measure, Node, Skip, Subset
from tailrace.sql.dialect.patterns import PatternParser


class MatchParser(PatternParser):
    """Reads MATCH_RECOGNIZE behind what it looks at."""

    def match(self, source: Node, start: int) -> MatchSource:
        """Take what follows MATCH_RECOGNIZE, up to its closing parenthesis."""
        self.expect("(")
        args: dict[str, object] = {"input": source, "partition": self.partition_by(), "order": self.order_by()}
        args["measures"] = self.many(self._measure) if self.takes("MEASURES") else []
        args["all_rows"] = self._all_rows()
        args["skip"] = self._skip()
        self.expect("PATTERN", "(")
        args |= self.whole_pattern()
        self.expect(")")
        args["within"] = self._within()
        args["subsets"] = self.many(self._subset) if self.takes("SUBSET") else []
        self.expect("DEFINE")
        args["defines"] = self.many(self._define)
        self.expect(")")
        return self.node(MatchSource, start, **args)

    def _measure(self) -> Measure:
        start = self.at
        this = self.expression()
        self.expect("AS")
        return self.node(Measure, start, this=this, alias=self.identifier("a name for the measure"))

    def _all_rows(self) -> bool:
        found = self.takes("ALL")
        if found:
            self.expect("ROWS", "PER", "MATCH")
        elif self.takes("ONE"):
            self.expect("ROW", "PER", "MATCH")
        return found

    def whole_pattern(self) -> dict[str, Node | bool]:
        """Take what stands in the parentheses of PATTERN."""
        start = self.takes("^")
        return {"strict_start": start, "pattern": self.pattern(), "strict_end": self.takes("$")}

    def _skip(self) -> Skip | None:
        start = self.at
        if not self.takes("AFTER"):
            return None
        self.expect("MATCH", "SKIP")
        return self.skip(start)

    def skip(self, start: int = 0) -> Skip:
        """Take what follows AFTER MATCH SKIP."""
        if self.takes("PAST"):
            self.expect("LAST", "ROW")
            return self.node(Skip, start, kind="PAST LAST ROW", variable=None)
        self.expect("TO")
        if self.takes("NEXT"):
            self.expect("ROW")
            return self.node(Skip, start, kind="TO NEXT ROW", variable=None)
        # FIRST and LAST may be variables themselves
        ends = self.at + 1 == len(self.tokens) or self.word(1) == "PATTERN"
        side = "" if ends else self.takes_one("FIRST", "LAST")
        variable = self.variable()
        return self.node(Skip, start, kind=f"TO {side or 'LAST'}", variable=variable)

    def _within(self) -> Node | None:
        if not self.takes("WITHIN"):
            return None
        if not self.sees("INTERVAL"):
            self.fail("INTERVAL")
        return self.interval()

    def _subset(self) -> Subset:
        start = self.at
        name = self.variable()
        self.expect("=")
        return self.node(Subset, start, name=name, variables=self.in_parens(self.variable))

    def _define(self) -> Define:
        start = self.at
        name = self.variable()
        self.expect("AS")
        return self.node(Define, start, name=name, condition=self.expression())
