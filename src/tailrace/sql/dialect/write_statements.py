"""From the syntax tree to text: statements."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.write_expressions import hints, listed, part


def _comment(g: Generator, e: exp.Expr) -> str:
    return part(g, " COMMENT ", n.get(e, "comment"))


def _metadata(g: Generator, e: exp.Expr) -> str:
    virtual = " VIRTUAL" if n.get(e, "virtual") else ""
    key = part(g, " FROM ", n.get(e, "key"))
    return f"{g.sql(e.args['name'])} {g.sql(e.args['type'])} METADATA{key}{virtual}{_comment(g, e)}"


def _primary_key(g: Generator, e: exp.Expr) -> str:
    name = n.get(e, "name")
    head = f"CONSTRAINT {g.sql(name)} " if name else ""
    return f"{head}PRIMARY KEY ({listed(g, e.args['columns'])}) NOT ENFORCED"


def _like_table(g: Generator, e: exp.Expr) -> str:
    options = " ".join(g.sql(o) for o in n.get(e, "options") or ())
    return f"LIKE {g.sql(e.args['name'])}" + (f" ({options})" if options else "")


def _create_table(g: Generator, e: exp.Expr) -> str:
    elements = [*(n.get(e, "columns") or ()), n.get(e, "watermark"), n.get(e, "primary_key")]
    body = ",\n  ".join(g.sql(x) for x in elements if x is not None)
    partitions, given, like = (n.get(e, k) for k in ("partitioned_by", "options", "like"))
    lines = [
        _create(e, "TABLE") + g.sql(e.args["name"]) + (f" (\n  {body}\n)" if body else ""),
        _comment(g, e).strip(),
        part(g, "", n.get(e, "distribution")),
        f"PARTITIONED BY ({listed(g, partitions)})" if partitions else "",
        "WITH (\n  " + ",\n  ".join(g.sql(o) for o in given) + "\n)" if given else "",
        g.sql(like) if like else "",
        part(g, "AS ", n.get(e, "query")),
    ]
    return "\n".join(line for line in lines if line)


def _create(e: exp.Expr, kind: str) -> str:
    temporary = "TEMPORARY " if n.get(e, "temporary") else ""
    replace = "OR REPLACE " if n.get(e, "replace") else ""
    return f"CREATE {replace}{temporary}{kind} " + ("IF NOT EXISTS " if n.get(e, "exists") else "")


def _create_view(g: Generator, e: exp.Expr) -> str:
    columns = n.get(e, "columns")
    names = f" ({listed(g, columns)})" if columns else ""
    return f"{_create(e, 'VIEW')}{g.sql(e.args['name'])}{names}{_comment(g, e)} AS\n{g.sql(e.args['query'])}"


def _drop(g: Generator, e: exp.Expr) -> str:
    temporary = "TEMPORARY " if n.get(e, "temporary") else ""
    system = "SYSTEM " if n.get(e, "system") else ""
    exists = "IF EXISTS " if n.get(e, "exists") else ""
    return f"DROP {temporary}{system}{e.args['kind']} {exists}{g.sql(e.args['name'])}"


def _distribution(g: Generator, e: exp.Expr) -> str:
    kind, columns, buckets = (n.get(e, k) for k in ("kind", "columns", "buckets"))
    by = f" BY {kind or ''}({listed(g, columns)})" if columns else ""
    return f"DISTRIBUTED{by}" + (f" INTO {buckets} BUCKETS" if buckets else "")


def _create_function(g: Generator, e: exp.Expr) -> str:
    alter, language, jars, given = (n.get(e, k) for k in ("alter", "language", "jars", "options"))
    words = ["ALTER" if alter else "CREATE"]
    words += [word.upper() for word in ("temporary", "system") if n.get(e, word)]
    words += ["FUNCTION", *((("IF EXISTS",) if alter else ("IF NOT EXISTS",)) if n.get(e, "exists") else ())]
    words += [g.sql(e.args["name"]), "AS", g.sql(e.args["code"])]
    words += [f"LANGUAGE {language}"] if language else []
    words += ["USING " + ", ".join(f"JAR {g.sql(j)}" for j in jars)] if jars else []
    return " ".join(words + ([f"WITH ({listed(g, given)})"] if given else []))


def _alter_table(g: Generator, e: exp.Expr) -> str:
    exists = "IF EXISTS " if n.get(e, "exists") else ""
    return f"ALTER TABLE {exists}{g.sql(e.args['name'])} {g.sql(e.args['action'])}"


def _alter_view(g: Generator, e: exp.Expr) -> str:
    action = e.args["action"]
    return f"ALTER VIEW {g.sql(e.args['name'])} {'AS ' if isinstance(action, n.Query) else ''}{g.sql(action)}"


def _placed(g: Generator, e: exp.Expr) -> str:
    return g.sql(e.args["column"]) + (" FIRST" if n.get(e, "first") else part(g, " AFTER ", n.get(e, "after")))


def _set(g: Generator, e: exp.Expr) -> str:
    return f"SET {g.sql(e.args['key'])} = {g.sql(e.args['value'])}" if n.get(e, "key") else "SET"


def _insert(g: Generator, e: exp.Expr) -> str:
    partition, columns = n.get(e, "partition"), n.get(e, "columns")
    head = f"INSERT {'OVERWRITE' if n.get(e, 'overwrite') else 'INTO'} {g.sql(e.args['name'])}{hints(g, e)}"
    head += f" PARTITION ({listed(g, partition)})" if partition else ""
    return head + (f" ({listed(g, columns)})" if columns else "") + f"\n{g.sql(e.args['query'])}"


def _statement_set(g: Generator, e: exp.Expr) -> str:
    return "EXECUTE STATEMENT SET BEGIN\n" + "".join(f"{g.sql(i)};\n" for i in e.args["inserts"]) + "END"


def _show(g: Generator, e: exp.Expr) -> str:
    name = part(g, " FROM " if e.args["what"] == "COLUMNS" else " ", n.get(e, "name"))
    negated = " NOT" if n.get(e, "negated") else ""
    like = f"{negated} {e.args['like']} {g.sql(e.args['pattern'])}" if n.get(e, "like") else ""
    return f"SHOW {e.args['what']}{name}" + part(g, " FROM ", n.get(e, "database")) + like


def _of(pattern: str, *keys: str) -> Callable[[Generator, exp.Expr], str]:
    """Make a writer that fills parts of a node into a pattern."""
    return lambda g, e: pattern.format(*(g.sql(e.args[k]) for k in keys))


STATEMENTS: dict[type[exp.Expr], Callable[..., str]] = {
    s.Option: _of("{} = {}", "key", "value"),
    s.PhysicalColumn: lambda g, e: f"{g.sql(e.args['name'])} {g.sql(e.args['type'])}{_comment(g, e)}",
    s.MetadataColumn: _metadata,
    s.ComputedColumn: lambda g, e: f"{g.sql(e.args['name'])} AS {g.sql(e.args['expr'])}{_comment(g, e)}",
    s.Watermark: _of("WATERMARK FOR {} AS {}", "column", "expr"),
    s.PrimaryKey: _primary_key,
    s.LikeOption: lambda _, e: f"{e.args['strategy']} {e.args['feature']}",
    s.LikeTable: _like_table,
    s.CreateTable: _create_table,
    s.CreateView: _create_view,
    s.Drop: _drop,
    s.SetOption: _set,
    s.ResetOption: lambda g, e: "RESET" + part(g, " ", n.get(e, "key")),
    s.Insert: _insert,
    s.PartitionValue: _of("{} = {}", "column", "value"),
    s.StatementSet: _statement_set,
    s.Explain: lambda g, e: f"EXPLAIN {', '.join(n.get(e, 'details') or ()) or 'PLAN FOR'} {g.sql(e.this)}",
    s.ColumnName: _of("{}", "name"),
    s.Distribution: _distribution,
    s.CreateFunction: _create_function,
    s.AlterTable: _alter_table,
    s.AlterView: _alter_view,
    s.SetOptions: lambda g, e: f"SET ({listed(g, e.args['options'])})",
    s.ResetOptions: lambda g, e: f"RESET ({listed(g, e.args['keys'])})",
    s.RenameTo: _of("RENAME TO {}", "name"),
    s.RenameColumn: _of("RENAME {} TO {}", "column", "name"),
    s.ChangeColumns: lambda g, e: f"{e.args['kind']} ({listed(g, e.args['elements'])})",
    s.PlacedColumn: _placed,
    s.DropColumns: lambda g, e: f"DROP ({listed(g, e.args['columns'])})",
    s.DropConstraint: lambda g, e: f"DROP {e.args['kind']}" + part(g, " ", n.get(e, "name")),
    s.Describe: lambda g, e: f"DESCRIBE {'EXTENDED ' if n.get(e, 'extended') else ''}{g.sql(e.args['name'])}",
    s.Show: _show,
}
"""A writer for each node of statements."""
