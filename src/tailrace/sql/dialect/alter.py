"""The parser's part for ALTER TABLE and ALTER VIEW."""

from __future__ import annotations

from typing import Any

from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Node
from tailrace.sql.dialect.tables import TableParser


class AlterParser(TableParser):
    """Reads what is to change."""

    def alter_table(self, start: int) -> s.AlterTable:
        """Take what follows ALTER TABLE."""
        exists = self.takes("IF", "EXISTS")
        name = self.name("the table to change")
        return self.node(s.AlterTable, start, exists=exists, name=name, action=self._action())

    def alter_view(self, start: int) -> s.AlterView:
        """Take what follows ALTER VIEW."""
        name = self.name("the view to change")
        if self.sees("RENAME"):
            return self.node(s.AlterView, start, name=name, action=self._rename(self.at))
        if not self.takes("AS"):
            self.fail("RENAME TO", "AS")
        return self.node(s.AlterView, start, name=name, action=self.needed_query())

    def _action(self) -> Node:
        start = self.at
        if self.takes("SET"):
            return self.node(s.SetOptions, start, options=self.options())
        if self.takes("RESET"):
            return self.node(s.ResetOptions, start, keys=self.in_parens(self.text))
        if self.sees("RENAME"):
            return self._rename(start)
        if self.word() in ("ADD", "DROP") and "PARTITION" in (self.word(1), self.word(3), self.word(4)):
            self.unsupported(f"{self.word()} PARTITION", "partitions come and go with their rows")
        if kind := self.takes_one("ADD", "MODIFY"):
            return self._change(kind, start)
        return self._drop_part(start)

    def _rename(self, start: int) -> Node:
        self.expect("RENAME")
        if self.takes("TO"):
            return self.node(s.RenameTo, start, name=self.name("the new name"))
        column = self.name("TO, or a column")
        self.expect("TO")
        return self.node(s.RenameColumn, start, column=column, name=self.identifier("the new name"))

    def _change(self, kind: str, start: int) -> Node:
        elements = self.in_parens(self._changed) if self.sees("(") else [self._changed()]
        return self.node(s.ChangeColumns, start, kind=kind, elements=elements)

    def _changed(self) -> Node:
        start = self.at
        if self.sees("WATERMARK"):
            return self.watermark()
        if self.sees("PRIMARY", "KEY") or self.sees("CONSTRAINT"):
            return self.primary_key()
        name = self.identifier("a column's name")
        args: dict[str, Any] = {}
        column = self.table_column(start, name, args)
        if isinstance(column, s.ColumnName):
            self.fail("a data type, as BIGINT, STRING, DECIMAL(10, 2) or TIMESTAMP(3)")
        first = self.takes("FIRST")
        after = self.name("a column") if not first and self.takes("AFTER") else None
        return self.node(s.PlacedColumn, start, column=column, first=first, after=after)

    def _drop_part(self, start: int) -> Node:
        if not self.takes("DROP"):
            self.fail("SET", "RESET", "RENAME", "ADD", "MODIFY", "DROP")
        if self.takes("PRIMARY", "KEY"):
            return self.node(s.DropConstraint, start, kind="PRIMARY KEY", name=None)
        if self.takes("WATERMARK"):
            return self.node(s.DropConstraint, start, kind="WATERMARK", name=None)
        if self.takes("CONSTRAINT"):
            name = self.identifier("the constraint's name")
            return self.node(s.DropConstraint, start, kind="CONSTRAINT", name=name)
        columns = self.in_parens(self.name) if self.sees("(") else [self.name("a column")]
        return self.node(s.DropColumns, start, columns=columns)
