"""The parser's part for statements that run: queries, INSERT, statement sets, EXPLAIN."""

from __future__ import annotations

from sqlglot import TokenType

from tailrace.errors import ConfigError
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.definitions import DefinitionParser
from tailrace.sql.dialect.nodes import Node

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
_DETAILS = ("ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE")


class JobParser(DefinitionParser):
    """Reads what becomes a job, or its plan."""

    def job(self) -> Node:
        """Take a statement that runs."""
        start = self.at
        if self.sees_query():
            return self.query()
        if self.sees("INSERT"):
            return self.insert()
        if self.takes("EXECUTE", "STATEMENT", "SET") or self.takes("STATEMENT", "SET"):
            self.expect("BEGIN")
            return self._statement_set(start)
        if self.takes("BEGIN", "STATEMENT", "SET"):
            self.takes_semicolon()
            return self._statement_set(start)
        if self.sees("EXECUTE") and self.word(1) in ("INSERT", "SELECT", "VALUES", "WITH"):
            self.at += 1
            return self.job()
        if self.word() in _LATER:
            self.unsupported(self.word(), "supported statements are " + ", ".join(_KNOWN))
        return self.fail("a statement, as SELECT, INSERT INTO, CREATE TABLE, SET or SHOW", near=_KNOWN)

    def explain(self, start: int) -> Node:
        """Take EXPLAIN."""
        self.expect("EXPLAIN")
        details: list[str] = []
        if self.word() in _DETAILS:
            self.many(lambda: details.append(self._detail(details)))
        if not details and self.takes("PLAN"):
            self.expect("FOR")
        return self.node(s.Explain, start, details=sorted(details), this=self.job())

    def _detail(self, given: list[str]) -> str:
        if self.word() in given:
            raise ConfigError(f"{self.word()} is given twice", location=self.here())
        return self.takes_one(*_DETAILS) or self.fail(*_DETAILS)

    def insert(self) -> s.Insert:
        """Take INSERT."""
        start = self.at
        self.expect("INSERT")
        overwrite = self.takes("OVERWRITE")
        if not overwrite and not self.takes("INTO"):
            self.fail("INTO", "OVERWRITE")
        args: dict[str, object] = {"overwrite": overwrite, "name": self.name("the table to write")}
        args["hints"] = self.hints()
        args["partition"] = self.in_parens(self._partition_value) if self.takes("PARTITION") else []
        args["columns"] = self.in_parens(self.identifier) if self.sees("(") and not self.sees_query() else []
        args["query"] = self.needed_query()
        if self.sees("ON", "CONFLICT"):
            hint = "the primary key of the table decides: rows of an equal key replace each other"
            raise ConfigError("Flink 2.2 has no ON CONFLICT", hint=hint, location=self.here())
        return self.node(s.Insert, start, **args)

    def _partition_value(self) -> Node:
        start = self.at
        column = self.identifier("a column")
        self.expect("=")
        return self.node(s.PartitionValue, start, column=column, value=self.expression())

    def _statement_set(self, start: int) -> Node:
        inserts = []
        while not self.takes("END"):
            if not self.sees("INSERT"):
                self.fail("INSERT INTO", "END")
            inserts.append(self.insert())
            if not self.takes_semicolon() and not self.sees("END"):
                self.fail("; after INSERT INTO")
        if not inserts:
            self.at -= 1
            self.fail("INSERT INTO")
        return self.node(s.StatementSet, start, inserts=inserts)

    def at_end(self) -> bool:
        """Tell whether the statement ends here."""
        return self.token is None or self.token.token_type is TokenType.SEMICOLON

    def takes_semicolon(self) -> bool:
        """Take a semicolon if it comes next."""
        found = self.token is not None and self.token.token_type is TokenType.SEMICOLON
        self.at += found
        return found
