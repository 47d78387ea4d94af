"""The parser's part for statements that define: CREATE, DROP and ALTER."""

from __future__ import annotations

from tailrace.errors import ConfigError
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.alter import AlterParser
from tailrace.sql.dialect.nodes import Node, Text

_LATER = ("CATALOG", "DATABASE", "MODEL", "MATERIALIZED", "CONNECTION")
_LANGUAGES = ("PYTHON", "JAVA", "SCALA")


class DefinitionParser(AlterParser):
    """Reads definitions of tables, views and functions."""

    def definition(self, start: int) -> Node:
        """Take CREATE, DROP, ALTER or REPLACE."""
        if self.takes("DROP"):
            return self._drop(start)
        if self.takes("ALTER"):
            return self._alter(start)
        replace = self.takes("REPLACE") or self.takes("CREATE", "OR", "REPLACE")
        if replace:
            self.expect("TABLE")
            return self.create_table(start, replace=True)
        self.expect("CREATE")
        return self._create(start)

    def _create(self, start: int) -> Node:
        temporary = self.takes("TEMPORARY")
        system = self.sees("SYSTEM")
        if system and not temporary:
            self.fail("TEMPORARY SYSTEM FUNCTION")
        if system:
            self.expect("SYSTEM")
        if self.takes("FUNCTION"):
            return self._function(start, temporary=temporary, system=system)
        if not system and self.takes("TABLE"):
            return self.create_table(start, temporary=temporary)
        if not system and self.takes("VIEW"):
            return self._create_view(start, temporary=temporary)
        if self.word() in _LATER:
            self.unsupported(f"CREATE {self.word()}", "supported are CREATE TABLE and CREATE VIEW")
        return self.fail(*(("FUNCTION",) if system else ("TABLE", "VIEW", "FUNCTION")))

    def _create_view(self, start: int, *, temporary: bool) -> Node:
        exists = self.takes("IF", "NOT", "EXISTS")
        name = self.name("the view's name")
        columns = self.in_parens(self.identifier) if self.sees("(") else []
        comment = self.text() if self.takes("COMMENT") else None
        self.expect("AS")
        args = {"name": name, "columns": columns, "comment": comment, "query": self.needed_query()}
        return self.node(s.CreateView, start, temporary=temporary, exists=exists, **args)

    def _function(self, start: int, *, temporary: bool, system: bool = False, alter: bool = False) -> Node:
        args: dict[str, object] = {"temporary": temporary, "system": system, "alter": alter}
        args["exists"] = self.takes("IF", "EXISTS") if alter else self.takes("IF", "NOT", "EXISTS")
        args["name"] = self.name("the function's name")
        self.expect("AS")
        args["code"] = self.text("what implements the function in single quotes, as 'module.function'")
        language = self.takes("LANGUAGE")
        args["language"] = (self.takes_one(*_LANGUAGES) or self.fail(*_LANGUAGES)) if language else None
        if args["language"] == "PYTHON" and self.sees("USING"):
            message = "USING is for files of JAVA and SCALA"
            raise ConfigError(message, hint="leave it out", location=self.here())
        args["jars"] = self.many(self._jar) if self.takes("USING") else []
        args["options"] = self.options() if self.takes("WITH") else []
        return self.node(s.CreateFunction, start, **args)

    def _jar(self) -> Text:
        if not self.takes_one("JAR", "ARTIFACT"):
            self.fail("JAR", "ARTIFACT")
        return self.text("a file in single quotes")

    def _alter(self, start: int) -> Node:
        temporary = self.takes("TEMPORARY")
        system = temporary and self.takes("SYSTEM")
        if self.takes("FUNCTION"):
            return self._function(start, temporary=temporary, system=system, alter=True)
        if temporary:
            self.fail("FUNCTION")
        if self.takes("TABLE"):
            return self.alter_table(start)
        if self.takes("VIEW"):
            return self.alter_view(start)
        if self.word() in _LATER:
            self.unsupported(f"ALTER {self.word()}", "supported are CREATE TABLE and CREATE VIEW")
        return self.fail("TABLE", "VIEW", "FUNCTION")

    def _drop(self, start: int) -> Node:
        temporary = self.takes("TEMPORARY")
        system = temporary and self.takes("SYSTEM")
        if self.word() in _LATER:
            self.unsupported(f"DROP {self.word()}", "supported are DROP TABLE and DROP VIEW")
        kinds = ("FUNCTION",) if system else ("TABLE", "VIEW", "FUNCTION")
        kind = self.takes_one(*kinds) or self.fail(*kinds)
        exists = self.takes("IF", "EXISTS")
        args = {"kind": kind, "name": self.name("a name"), "temporary": temporary, "system": system}
        return self.node(s.Drop, start, **args, exists=exists)
