"""The parser's part for statements: what a script is made of."""

from __future__ import annotations

from typing import NoReturn

from sqlglot import TokenType

from tailrace.errors import ConfigError, did_you_mean
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.keywords import RESERVED
from tailrace.sql.dialect.nodes import Node, Text
from tailrace.sql.dialect.tables import TableParser

_KNOWN = (
    "CREATE TABLE",
    "CREATE VIEW",
    "DROP TABLE",
    "DROP VIEW",
    "SET",
    "RESET",
    "INSERT INTO",
    "EXECUTE STATEMENT SET",
    "BEGIN STATEMENT SET",
    "SELECT",
    "VALUES",
    "WITH",
    "EXPLAIN",
    "DESCRIBE",
    "SHOW",
)
_CLAUSES = (
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "LIMIT",
    "UNION ALL",
    "OFFSET",
    "WITH",
    "LIKE",
    "COMMENT",
    "PARTITIONED BY",
)
_LATER = (
    "ALTER",
    "ANALYZE",
    "CALL",
    "CREATE",
    "DELETE",
    "DROP",
    "LOAD",
    "UNLOAD",
    "MERGE",
    "REPLACE",
    "TRUNCATE",
    "UPDATE",
    "UPSERT",
    "USE",
    "ADD",
    "REMOVE",
    "STOP",
    "COMPILE",
)


class StatementParser(TableParser):
    """Reads statements that end with `;`."""

    def script(self) -> list[Node]:
        """Take every statement to the end."""
        found = []
        while self.token is not None:
            if not self._takes_semicolon():
                found.append(self.statement())
                if not self._takes_semicolon() and not self._at_end():
                    self._refuse_rest()
        return found

    def _refuse_rest(self) -> NoReturn:
        # a mistyped keyword was taken as an alias, or is what stands here
        around = [t.text for t in self.tokens[self.at - 1 : self.at + 1] if len(t.text) > 2]
        hints = (did_you_mean(text, _CLAUSES) for text in around if text.upper() not in RESERVED)
        hint = next((h for h in hints if h), "")
        found = self.tokens[self.at].text
        message = f"expected ; or the end of the statement but found {found}"
        raise ConfigError(message, hint=hint, location=self.here())

    def statement(self) -> Node:
        """Take one statement, without its semicolon."""
        start = self.at
        match self.word():
            case "SET":
                return self._set(start)
            case "RESET":
                return self._reset(start)
            case "SHOW":
                return self._show(start)
            case "DESCRIBE" | "DESC":
                self.at += 1
                return self.node(s.Describe, start, name=self.name("a table or view"))
            case "EXPLAIN":
                return self._explain(start)
            case "CREATE" | "DROP":
                return self._definition(start)
        return self._job()

    def _job(self) -> Node:
        start = self.at
        if self.sees_query():
            return self.query()
        if self.sees("INSERT"):
            return self._insert()
        if self.takes("EXECUTE", "STATEMENT", "SET") or self.takes("STATEMENT", "SET"):
            self.expect("BEGIN")
            return self._statement_set(start)
        if self.takes("BEGIN", "STATEMENT", "SET"):
            self._takes_semicolon()
            return self._statement_set(start)
        if self.sees("EXECUTE") and self.word(1) in ("INSERT", "SELECT", "VALUES", "WITH"):
            self.at += 1
            return self._job()
        if self.word() in _LATER:
            self.unsupported(self.word(), "supported statements are " + ", ".join(_KNOWN))
        return self.fail(*_KNOWN)

    def _definition(self, start: int) -> Node:
        if self.takes("DROP"):
            return self._drop(start)
        self.expect("CREATE")
        temporary = self.takes("TEMPORARY")
        if self.takes("TABLE"):
            return self.create_table(start, temporary=temporary)
        if self.takes("VIEW"):
            return self._create_view(start, temporary=temporary)
        if self.word() in ("FUNCTION", "CATALOG", "DATABASE", "SYSTEM", "MODEL", "MATERIALIZED", "OR", "CONNECTION"):
            self.unsupported(f"CREATE {self.word()}", "supported are CREATE TABLE and CREATE VIEW")
        return self.fail("TABLE", "VIEW")

    def _create_view(self, start: int, *, temporary: bool) -> Node:
        exists = self.takes("IF", "NOT", "EXISTS")
        name = self.name("the view's name")
        columns = self.in_parens(self.identifier) if self.sees("(") else []
        comment = self.text() if self.takes("COMMENT") else None
        self.expect("AS")
        if not self.sees_query():
            self.fail("SELECT", "VALUES", "WITH")
        args = {"name": name, "columns": columns, "comment": comment, "query": self.query()}
        return self.node(s.CreateView, start, temporary=temporary, exists=exists, **args)

    def _drop(self, start: int) -> Node:
        temporary = self.takes("TEMPORARY")
        if self.word() in ("FUNCTION", "CATALOG", "DATABASE", "MODEL", "MATERIALIZED"):
            self.unsupported(f"DROP {self.word()}", "supported are DROP TABLE and DROP VIEW")
        kind = self.takes_one("TABLE", "VIEW") or self.fail("TABLE", "VIEW")
        exists = self.takes("IF", "EXISTS")
        name = self.name("a name")
        return self.node(s.Drop, start, kind=kind, name=name, temporary=temporary, exists=exists)

    def _set(self, start: int) -> Node:
        self.expect("SET")
        if self._at_end():
            return self.node(s.SetOption, start)
        key = self._key()
        self.expect("=")
        value = self._until_end() or self.fail("a value")
        return self.node(s.SetOption, start, key=key, value=value)

    def _key(self) -> Node:
        if self.sees_text():
            return self.text()
        start = self.at
        while self.token is not None and not self.sees("=") and not self._at_end():
            self.at += 1
        if self.at == start:
            self.fail("the key of an option, as 'table.local-time-zone'")
        return self._raw(start)

    def _until_end(self) -> Node | None:
        if self._at_end():
            return None
        start = self.at
        if self.sees_text():
            return self.text()
        while not self._at_end():
            self.at += 1
        return self._raw(start)

    def _raw(self, start: int) -> Node:
        first, last = self.tokens[start], self.tokens[self.at - 1]
        return self.node(Text, start, this=self.source.quote(first.start, last.end + 1))

    def _reset(self, start: int) -> Node:
        self.expect("RESET")
        key = None if self._at_end() else self._key()
        return self.node(s.ResetOption, start, key=key)

    def _show(self, start: int) -> Node:
        self.expect("SHOW")
        if what := self.takes_one("TABLES", "VIEWS", "FUNCTIONS"):
            return self.node(s.Show, start, what=what)
        if self.takes("CREATE"):
            kind = self.takes_one("TABLE", "VIEW") or self.fail("TABLE", "VIEW")
            return self.node(s.Show, start, what=f"CREATE {kind}", name=self.name("a name"))
        if self.word() in ("CATALOGS", "DATABASES", "CURRENT", "COLUMNS", "MODULES", "JARS", "JOBS", "PARTITIONS"):
            self.unsupported(f"SHOW {self.word()}", "supported are TABLES, VIEWS, FUNCTIONS and CREATE TABLE")
        return self.fail("TABLES", "VIEWS", "FUNCTIONS", "CREATE TABLE")

    def _explain(self, start: int) -> Node:
        self.expect("EXPLAIN")
        details = ("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE")
        if self.takes_one(*details):
            while self.takes(","):
                if not self.takes_one(*details):
                    self.fail(*details)
        else:
            self.takes("PLAN", "FOR")
        return self.node(s.Explain, start, this=self._job())

    def _insert(self) -> s.Insert:
        start = self.at
        self.expect("INSERT")
        if self.sees("OVERWRITE"):
            self.unsupported("INSERT OVERWRITE", "write INSERT INTO")
        self.expect("INTO")
        self.takes("TABLE")
        name = self.name("the table to write")
        partition = self.in_parens(self._partition_value) if self.takes("PARTITION") else []
        columns = self.in_parens(self.identifier) if self.sees("(") and not self.sees_query() else []
        if not self.sees_query():
            self.fail("SELECT", "VALUES", "WITH")
        return self.node(s.Insert, start, name=name, partition=partition, columns=columns, query=self.query())

    def _partition_value(self) -> Node:
        start = self.at
        column = self.identifier("a column")
        if not self.takes("="):
            self.unsupported("PARTITION without a value", "give the column's value in the query")
        return self.node(s.PartitionValue, start, column=column, value=self.expression())

    def _statement_set(self, start: int) -> Node:
        inserts = []
        while not self.takes("END"):
            if not self.sees("INSERT"):
                self.fail("INSERT INTO", "END")
            inserts.append(self._insert())
            if not self._takes_semicolon() and not self.sees("END"):
                self.fail("; after INSERT INTO")
        if not inserts:
            self.at -= 1
            self.fail("INSERT INTO")
        return self.node(s.StatementSet, start, inserts=inserts)

    def _at_end(self) -> bool:
        return self.token is None or self.token.token_type is TokenType.SEMICOLON

    def _takes_semicolon(self) -> bool:
        found = self.token is not None and self.token.token_type is TokenType.SEMICOLON
        self.at += found
        return found
