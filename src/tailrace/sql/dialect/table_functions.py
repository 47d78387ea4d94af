"""The parser's part for calls of table functions, windows among them, with their arguments."""

from __future__ import annotations

from tailrace.sql.dialect.hints import HintParser
from tailrace.sql.dialect.nodes import Descriptor, Identifier, NamedArgument, Node, Query, TableArgument, TableFunction

WINDOWS = ("TUMBLE", "HOP", "CUMULATE", "SESSION")


class TableFunctionParser(HintParser):
    """Reads `f(TABLE t PARTITION BY k, DESCRIPTOR(ts), NAME => 1)`."""

    def table_function(self) -> TableFunction:
        """Take a call of a table function."""
        start = self.at
        *qualifier, last = self.name("the name of a table function").args["parts"]
        name = str(last.this)
        window = not qualifier and name.upper() in WINDOWS
        self.expect("(")
        arguments = [] if self.sees(")") else self.many(self._table_argument if not window else self._window_argument)
        self.expect(")")
        return self.node(
            TableFunction, start, this=name.upper() if window else name, qualifier=qualifier, arguments=arguments
        )

    def _table_argument(self) -> Node:
        start = self.at
        if self.sees_name() and self.word(1) == "=>":
            name = self.identifier()
            self.expect("=>")
            return self.node(NamedArgument, start, name=name, value=self._argument_value())
        return self._argument_value()

    def _window_argument(self) -> Node:
        """Take an argument of a window, whose name is meant in any case."""
        argument = self._table_argument()
        if isinstance(argument, NamedArgument):
            name: Identifier = argument.args["name"]
            name.set("this", name.this.upper())
        return argument

    def _argument_value(self) -> Node:
        start = self.at
        if self.takes("DESCRIPTOR"):
            return self.node(Descriptor, start, columns=self.in_parens(self.identifier))
        if self.sees("TABLE") or self.word() in ("SELECT", "VALUES", "WITH"):
            return self._rows(self._table() if self.takes("TABLE") else self.query(), start)
        if query := self.query_alone():
            return self._rows(query, start)
        if self.sees("MODEL") and self.word(1) not in (",", ")", ".", "(", "["):
            self.unsupported("MODEL", "call a function that knows the model")
        return self.expression()

    def _table(self) -> Node:
        if self.sees("("):
            return self.query_alone() or self.fail("a table or view, or a query in parentheses")
        return self.name("a table or view")

    def _rows(self, this: Node | Query, start: int) -> TableArgument:
        partition: list[Node] = []
        if self.takes_by("PARTITION"):
            # a list needs parentheses: behind a comma comes the next argument
            partition = self.in_parens(self.expression) if self.sees("(") else [self.expression()]
        order = []
        if self.takes_by("ORDER"):
            parens = self.takes("(")
            order = self.many(self.sort_key) if parens else [self.sort_key()]
            if parens:
                self.expect(")")
        return self.node(TableArgument, start, this=this, partition=partition, order=order)
