"""The parser's part for statements: what a script is made of."""

from __future__ import annotations

from typing import NoReturn

from tailrace.errors import ConfigError, did_you_mean
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.cursor import too_deep
from tailrace.sql.dialect.jobs import JobParser
from tailrace.sql.dialect.keywords import RESERVED
from tailrace.sql.dialect.nodes import Node, Text

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


class StatementParser(JobParser):
    """Reads statements that end with `;`."""

    def script(self) -> list[Node]:
        """Take every statement to the end."""
        found = []
        while self.token is not None:
            if not self.takes_semicolon():
                found.append(self._one())
                if not self.takes_semicolon() and not self.at_end():
                    self._refuse_rest()
        return found

    def _one(self) -> Node:
        first = self.here()
        try:
            return self.statement()
        except RecursionError:
            raise too_deep(first) from None

    def _refuse_rest(self) -> NoReturn:
        # a mistyped keyword was taken as an alias, or is what stands here
        around = [t.text for t in self.tokens[self.at - 1 : self.at + 1] if len(t.text) > 2]
        hints = (did_you_mean(text, _CLAUSES) for text in around if text.upper() not in RESERVED)
        found = self.tokens[self.at].text
        hint = self._of_others(found) or next((h for h in hints if h), "")
        message = f"expected ; or the end of the statement but found {found}"
        raise ConfigError(message, hint=hint, location=self.here())

    def _of_others(self, found: str) -> str:
        """Give a hint for what other dialects write here."""
        if found == ":":
            return "write CAST(a AS STRING) for a::STRING"
        return f"write LIMIT {found} at the end" if self.tokens[self.at - 1].text.upper() == "TOP" else ""

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
                return self._describe(start)
            case "EXPLAIN":
                return self.explain(start)
            case "CREATE" | "DROP" | "ALTER" | "REPLACE":
                return self.definition(start)
        return self.job()

    def _set(self, start: int) -> Node:
        self.expect("SET")
        if self.at_end():
            return self.node(s.SetOption, start)
        key = self._key()
        self.expect("=")
        value = self._until_end() or self.fail("a value")
        return self.node(s.SetOption, start, key=key, value=value)

    def _key(self) -> Node:
        if self.sees_text():
            return self.text()
        start = self.at
        while self.token is not None and not self.sees("=") and not self.at_end():
            self.at += 1
        if self.at == start:
            self.fail("the key of an option, as 'table.local-time-zone'")
        return self._raw(start)

    def _until_end(self) -> Node | None:
        if self.at_end():
            return None
        start = self.at
        if self.sees_text():
            return self.text()
        while not self.at_end():
            self.at += 1
        return self._raw(start)

    def _raw(self, start: int) -> Node:
        first, last = self.tokens[start], self.tokens[self.at - 1]
        return self.node(Text, start, this=self.source.quote(first.start, last.end + 1))

    def _reset(self, start: int) -> Node:
        self.expect("RESET")
        key = None if self.at_end() else self._key()
        return self.node(s.ResetOption, start, key=key)

    def _show(self, start: int) -> Node:
        self.expect("SHOW")
        if self.takes("COLUMNS"):
            if not self.takes_one("FROM", "IN"):
                self.fail("FROM", "IN")
            name = self.name("a table or view")
            return self.node(s.Show, start, what="COLUMNS", name=name, database=None, **self._matching())
        user = "USER " if self.takes("USER", "FUNCTIONS") else ""
        if what := "FUNCTIONS" if user else self.takes_one("TABLES", "VIEWS", "FUNCTIONS"):
            database = self.name("a database") if self.takes_one("FROM", "IN") else None
            return self.node(s.Show, start, what=user + what, name=None, database=database, **self._matching())
        if self.takes("CREATE"):
            kind = self.takes_one("TABLE", "VIEW") or self.fail("TABLE", "VIEW")
            name = self.name("a name")
            return self.node(s.Show, start, what=f"CREATE {kind}", name=name, database=None, **self._matching())
        if self.word() in (
            "CATALOGS",
            "DATABASES",
            "CURRENT",
            "FULL",
            "MODULES",
            "MODELS",
            "PROCEDURES",
            "JARS",
            "JOBS",
            "PARTITIONS",
        ):
            self.unsupported(f"SHOW {self.word()}", "supported are TABLES, VIEWS, FUNCTIONS and CREATE TABLE")
        return self.fail("TABLES", "VIEWS", "FUNCTIONS", "CREATE TABLE")

    def _matching(self) -> dict[str, object]:
        negated = self.takes("NOT")
        like = self.takes_one("LIKE", "ILIKE") or (self.fail("LIKE", "ILIKE") if negated else None)
        return {"negated": negated, "like": like, "pattern": self.text() if like else None}

    def _describe(self, start: int) -> Node:
        self.at += 1
        if self.word() in ("CATALOG", "DATABASE", "FUNCTION", "JOB", "MODEL") and self.word(1) not in (".", ";", ""):
            self.unsupported(f"DESCRIBE {self.word()}", "describe a table or view")
        extended = self.takes("EXTENDED")
        return self.node(s.Describe, start, extended=extended, name=self.name("a table or view"))
