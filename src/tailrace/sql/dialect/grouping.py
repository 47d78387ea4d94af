"""The parser's part for GROUP BY."""

from __future__ import annotations

from tailrace.sql.dialect.from_clause import FromParser
from tailrace.sql.dialect.nodes import Constructor, GroupBy, GroupingSets, KeySet, Node

_SETS = ("ROLLUP", "CUBE")


class GroupingParser(FromParser):
    """Reads keys, GROUPING SETS, ROLLUP and CUBE."""

    def group_by(self) -> GroupBy | None:
        """Take GROUP BY; None if it does not come next."""
        if not self.takes_by("GROUP"):
            return None
        start = self.at
        distinct = self.takes("DISTINCT")
        if not distinct:
            self.takes("ALL")
        elements = self.many(self._group)
        if len(elements) == 1 and isinstance(elements[0], KeySet) and not elements[0].args["keys"]:
            elements = []
        return self.node(GroupBy, start, elements=elements, distinct=distinct)

    def _group(self) -> Node:
        start = self.at
        if self.sees("GROUPING", "SETS"):
            self.expect("GROUPING", "SETS")
            return self.node(GroupingSets, start, kind="GROUPING SETS", elements=self.in_parens(self._group))
        if kind := self.takes_one(*_SETS):
            return self.node(GroupingSets, start, kind=kind, elements=self.in_parens(self._group_keys))
        if self.takes("(", ")"):
            return self.node(KeySet, start, keys=[])
        return self._group_keys()

    def _group_keys(self) -> Node:
        """Take a key, or several in parentheses."""
        start = self.at
        key = self.expression()
        if isinstance(key, Constructor) and key.args["kind"] == "ROW":  # a row is its columns here
            return self.node(KeySet, start, keys=key.args["arguments"])
        return key
