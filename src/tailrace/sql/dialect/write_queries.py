"""From the syntax tree to text: queries."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect.write_expressions import alias, function_name, hints, listed, part, quoted, window

_CLAUSES = {
    "source": "FROM",
    "where": "WHERE",
    "group": "GROUP BY",
    "having": "HAVING",
    "windows": "WINDOW",
    "qualify": "QUALIFY",
}


def _select_item(g: Generator, e: exp.Expr) -> str:
    return g.sql(e.this) + part(g, " AS ", n.get(e, "alias"))


def _hint(g: Generator, e: exp.Expr) -> str:
    inside = listed(g, n.get(e, "options") or n.get(e, "arguments"))
    return function_name(e.this) + (f"({inside})" if inside else "")


def _select(g: Generator, e: exp.Expr) -> str:
    head = f"SELECT{hints(g, e)}" + (" DISTINCT" if n.get(e, "distinct") else "")
    text = f"{head} {listed(g, e.args['items'])}"
    for key, word in _CLAUSES.items():
        given = n.get(e, key)
        if given:
            text += f" {word} {listed(g, given) if isinstance(given, list) else g.sql(given)}"
    return text


def _group_by(g: Generator, e: exp.Expr) -> str:
    return ("DISTINCT " if n.get(e, "distinct") else "") + (listed(g, n.get(e, "elements")) or "()")


def _values(g: Generator, e: exp.Expr) -> str:
    return f"VALUES {listed(g, e.args['rows'])}"


def _term(g: Generator, e: exp.Expr) -> str:
    return f"({g.sql(e)})" if isinstance(e, n.Query) else g.sql(e)


def _set_operation(g: Generator, e: exp.Expr) -> str:
    keeps = " ALL" if n.get(e, "all") else ""
    return f"{_term(g, e.args['left'])} {e.args['kind']}{keeps} {_term(g, e.args['right'])}"


def _with(g: Generator, e: exp.Expr) -> str:
    columns = n.get(e, "columns")
    names = f" ({listed(g, columns)})" if columns else ""
    return f"{g.sql(e.args['name'])}{names} AS ({g.sql(e.args['query'])})"


def _query(g: Generator, e: exp.Expr) -> str:
    ctes = n.get(e, "ctes")
    head = f"WITH {listed(g, ctes)} " if ctes else ""
    order = f" ORDER BY {listed(g, keys)}" if (keys := n.get(e, "order")) else ""
    limit = f" LIMIT {e.args['limit']}" if n.get(e, "limit") is not None else ""
    offset = f" OFFSET {e.args['offset']}" if n.get(e, "offset") is not None else ""
    return head + _term(g, e.args["body"]) + order + limit + offset


def _table_source(g: Generator, e: exp.Expr) -> str:
    time = part(g, " FOR SYSTEM_TIME AS OF ", n.get(e, "system_time"))
    return g.sql(e.args["name"]) + hints(g, e) + time + alias(g, e)


def _lateral(g: Generator, e: exp.Expr) -> str:
    inside = f"({g.sql(e.this)})"
    return f"LATERAL {inside if isinstance(e.this, n.Query) else 'TABLE' + inside}{alias(g, e)}"


def _unnest(g: Generator, e: exp.Expr) -> str:
    ordinality = " WITH ORDINALITY" if n.get(e, "ordinality") else ""
    return f"UNNEST({listed(g, e.args['arguments'])}){ordinality}{alias(g, e)}"


def _join(g: Generator, e: exp.Expr) -> str:
    right, using = e.args["right"], n.get(e, "using")
    second = f"({g.sql(right)})" if isinstance(right, n.Join) else g.sql(right)
    condition = f" USING ({listed(g, using)})" if using else part(g, " ON ", n.get(e, "condition"))
    natural = "NATURAL " if n.get(e, "natural") else ""
    return f"{g.sql(e.args['left'])} {natural}{e.args['kind']} JOIN {second}{condition}"


def _table_function(g: Generator, e: exp.Expr) -> str:
    qualifier = "".join(g.sql(q) + "." for q in n.get(e, "qualifier") or ())
    return f"{qualifier}{function_name(e.this)}({listed(g, n.get(e, 'arguments'))})"


def _table_argument(g: Generator, e: exp.Expr) -> str:
    partition, order = n.get(e, "partition"), n.get(e, "order")
    text = f"({g.sql(e.this)})" if isinstance(e.this, n.Query) else f"TABLE {g.sql(e.this)}"
    text += f" PARTITION BY ({listed(g, partition)})" if partition else ""
    return text + (f" ORDER BY ({listed(g, order)})" if order else "")


QUERIES: dict[type[exp.Expr], Callable[..., str]] = {
    n.SelectItem: _select_item,
    n.Select: _select,
    n.ValuesList: _values,
    n.SetOperation: _set_operation,
    n.GroupBy: _group_by,
    n.KeySet: lambda g, e: f"({listed(g, n.get(e, 'keys'))})",
    n.GroupingSets: lambda g, e: f"{e.args['kind']} ({listed(g, e.args['elements'])})",
    n.WindowDefinition: lambda g, e: f"{g.sql(e.args['name'])} AS {window(g, e.args['over'])}",
    n.With: _with,
    n.Query: _query,
    n.Hint: _hint,
    n.HintOption: lambda _, e: f"{quoted(e.args['key'])} = {quoted(e.args['value'])}",
    n.TableSource: _table_source,
    n.LateralSource: _lateral,
    n.UnnestSource: _unnest,
    n.Join: _join,
    n.QuerySource: lambda g, e: f"({g.sql(e.args['query'])}){alias(g, e)}",
    n.FunctionSource: lambda g, e: f"TABLE({g.sql(e.args['function'])}){alias(g, e)}",
    n.TableFunction: _table_function,
    n.NamedArgument: lambda g, e: f"{g.sql(e.args['name'])} => {g.sql(e.args['value'])}",
    n.TableArgument: _table_argument,
    n.Descriptor: lambda g, e: f"DESCRIPTOR({listed(g, e.args['columns'])})",
}
"""A writer for each node of queries."""
