"""From the syntax tree to text: MATCH_RECOGNIZE."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect.write_expressions import alias, listed, part

_TIMES = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def _match(g: Generator, e: exp.Expr) -> str:
    lists = {"partition": "PARTITION BY", "order": "ORDER BY", "measures": "MEASURES"}
    parts = [f"{word} {listed(g, n.get(e, key))}" for key, word in lists.items() if n.get(e, key)]
    parts.append("ALL ROWS PER MATCH" if n.get(e, "all_rows") else "ONE ROW PER MATCH")
    parts.append(part(g, "", n.get(e, "skip")))
    strict = ("^ " if n.get(e, "strict_start") else "", " $" if n.get(e, "strict_end") else "")
    parts.append(f"PATTERN ({strict[0]}{g.sql(e.args['pattern'])}{strict[1]})")
    parts.append(part(g, "WITHIN ", n.get(e, "within")))
    parts.append(f"SUBSET {listed(g, subsets)}" if (subsets := n.get(e, "subsets")) else "")
    parts.append(f"DEFINE {listed(g, e.args['defines'])}")
    return f"{g.sql(e.args['input'])} MATCH_RECOGNIZE ({' '.join(p for p in parts if p)}){alias(g, e)}"


def _repeat(g: Generator, e: exp.Expr) -> str:
    low, high = e.args["low"], n.get(e, "high")
    several = isinstance(e.this, (n.PatternSequence, n.PatternChoice, n.PatternRepeat))
    inner = f"({g.sql(e.this)})" if several else g.sql(e.this)
    times = _TIMES.get((low, high)) or (
        "{" + (str(low) if low == high else f"{low},{'' if high is None else high}") + "}"
    )
    return inner + times + ("?" if n.get(e, "reluctant") else "")


def _sequence(g: Generator, e: exp.Expr) -> str:
    return " ".join(f"({g.sql(p)})" if isinstance(p, n.PatternChoice) else g.sql(p) for p in e.args["parts"])


MATCHES: dict[type[exp.Expr], Callable[..., str]] = {
    n.MatchSource: _match,
    n.Measure: lambda g, e: f"{g.sql(e.this)} AS {g.sql(e.args['alias'])}",
    n.Skip: lambda g, e: f"AFTER MATCH SKIP {e.args['kind']}" + part(g, " ", n.get(e, "variable")),
    n.PatternVariable: lambda g, e: g.sql(n.Identifier(this=e.this)),
    n.PatternSequence: _sequence,
    n.PatternChoice: lambda g, e: " | ".join(g.sql(p) for p in e.args["parts"]),
    n.PatternRepeat: _repeat,
    n.PatternExclude: lambda g, e: f"{{- {g.sql(e.this)} -}}",
    n.PatternPermute: lambda g, e: f"PERMUTE ({listed(g, e.args['parts'])})",
    n.Subset: lambda g, e: f"{g.sql(e.args['name'])} = ({listed(g, e.args['variables'])})",
    n.Define: lambda g, e: f"{g.sql(e.args['name'])} AS {g.sql(e.args['condition'])}",
}
"""A writer for each node of MATCH_RECOGNIZE."""
