"""From the syntax tree to text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect.write_expressions import EXPRESSIONS
from tailrace.sql.dialect.write_match import MATCHES
from tailrace.sql.dialect.write_queries import QUERIES
from tailrace.sql.dialect.write_statements import STATEMENTS


class FlinkGenerator(Generator):
    """Writes each node of the tree; parentheses stand around every operand that is not a single thing."""

    TRANSFORMS: ClassVar[dict[type[exp.Expr], Callable[..., str]]] = EXPRESSIONS | QUERIES | MATCHES | STATEMENTS
