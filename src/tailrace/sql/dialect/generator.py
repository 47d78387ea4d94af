"""From the syntax tree to text. Names and texts get their quotes here, and only here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.generator import Generator

from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s

_ATOMS = (n.Name, n.Text, n.Number, n.Hex, n.Constant, n.Temporal, n.Interval, n.Call, n.Cast, n.Case, n.Item, n.Access)
_KEYED = {"EXTRACT": ("FROM",), "POSITION": ("IN",), "OVERLAY": ("PLACING", "FROM", "FOR")}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _operand(g: Generator, node: exp.Expr) -> str:
    """Give an operand, in parentheses unless it stands by itself."""
    return g.sql(node) if isinstance(node, (*_ATOMS, n.Constructor)) else f"({g.sql(node)})"


def _list(g: Generator, nodes: Any) -> str:
    return ", ".join(g.sql(x) for x in nodes or ())


def _part(g: Generator, prefix: str, node: Any) -> str:
    return f"{prefix}{g.sql(node)}" if node is not None else ""


def _identifier(_: Generator, e: exp.Expr) -> str:
    return "`" + str(e.this).replace("`", "``") + "`"


def _name(g: Generator, e: exp.Expr) -> str:
    return ".".join(g.sql(p) for p in e.args["parts"])


def _star(g: Generator, e: exp.Expr) -> str:
    return "".join(g.sql(p) + "." for p in n.get(e, "qualifier") or ()) + "*"


def _interval(_: Generator, e: exp.Expr) -> str:
    sign = "-" if n.get(e, "negative") else ""
    to = f" TO {e.args['to']}" if n.get(e, "to") else ""
    return f"INTERVAL {sign}{_quoted(e.this)} {e.args['unit']}{to}"


def _unary(g: Generator, e: exp.Expr) -> str:
    return f"{e.args['op']} {_operand(g, e.this)}"


def _binary(g: Generator, e: exp.Expr) -> str:
    return f"{_operand(g, e.args['left'])} {e.args['op']} {_operand(g, e.args['right'])}"


def _not(e: exp.Expr) -> str:
    return "NOT " if n.get(e, "negated") else ""


def _is(g: Generator, e: exp.Expr) -> str:
    other = n.get(e, "other")
    return f"{_operand(g, e.this)} IS {_not(e)}{e.args['what']}" + (f" {_operand(g, other)}" if other else "")


def _between(g: Generator, e: exp.Expr) -> str:
    word = "BETWEEN SYMMETRIC" if n.get(e, "symmetric") else "BETWEEN"
    low, high = _operand(g, e.args["low"]), _operand(g, e.args["high"])
    return f"{_operand(g, e.this)} {_not(e)}{word} {low} AND {high}"


def _in(g: Generator, e: exp.Expr) -> str:
    return f"{_operand(g, e.this)} {_not(e)}IN ({_list(g, e.args['values'])})"


def _like(g: Generator, e: exp.Expr) -> str:
    escape = n.get(e, "escape")
    tail = f" ESCAPE {_operand(g, escape)}" if escape else ""
    return f"{_operand(g, e.this)} {_not(e)}{e.args['op']} {_operand(g, e.args['pattern'])}{tail}"


def _case(g: Generator, e: exp.Expr) -> str:
    whens = "".join(f" WHEN {g.sql(w.args['condition'])} THEN {g.sql(w.args['value'])}" for w in e.args["whens"])
    return f"CASE{_part(g, ' ', n.get(e, 'operand'))}{whens}{_part(g, ' ELSE ', n.get(e, 'default'))} END"


def _cast(g: Generator, e: exp.Expr) -> str:
    return f"{'TRY_CAST' if n.get(e, 'safe') else 'CAST'}({g.sql(e.this)} AS {g.sql(e.args['type'])})"


def _call(g: Generator, e: exp.Expr) -> str:
    if n.get(e, "bare"):
        return str(e.this)
    distinct = "DISTINCT " if n.get(e, "distinct") else ""
    clauses = "".join(f" {g.sql(c)}" for c in n.get(e, "clauses") or ())
    inside = distinct + _arguments(g, e.this, n.get(e, "arguments") or []) + clauses
    condition = n.get(e, "filter")
    return f"{_function(e.this)}({inside.strip()})" + (f" FILTER (WHERE {g.sql(condition)})" if condition else "")


def _function(name: str) -> str:
    return name if name.replace("_", "a").isalnum() and name.isascii() else f"`{name.replace('`', '``')}`"


def _arguments(g: Generator, name: str, arguments: list[exp.Expr]) -> str:
    texts = [g.sql(a) for a in arguments]
    if name in _KEYED:
        texts[: 1 if name == "POSITION" else 0] = [_operand(g, arguments[0])] if name == "POSITION" else []
        return texts[0] + "".join(f" {w} {t}" for w, t in zip(_KEYED[name], texts[1:], strict=False))
    if name == "TRIM":
        return texts[1] if arguments[0].this == "BOTH" and len(texts) == 2 else _trim(texts)
    if name in ("CEIL", "CEILING", "FLOOR") and len(texts) == 2 and isinstance(arguments[1], n.Symbol):
        return " TO ".join(texts)
    if name in ("JSON_OBJECT", "JSON_OBJECTAGG"):
        pairs = zip(arguments[::2], texts[1::2], strict=True)
        return ", ".join(f"KEY {_operand(g, k)} VALUE {v}" for k, v in pairs)
    return ", ".join(texts)


def _trim(texts: list[str]) -> str:
    what = f" {texts[1]}" if len(texts) == 3 else ""
    return f"{texts[0]}{what} FROM {texts[-1]}"


def _clause(g: Generator, e: exp.Expr) -> str:
    words, value = str(e.args["words"]), n.get(e, "value")
    if value is None:
        return words
    first, _, rest = words.partition(" ")
    return f"{first} {g.sql(value)} {rest}".strip()


def _constructor(g: Generator, e: exp.Expr) -> str:
    kind, inside = e.args["kind"], _list(g, n.get(e, "arguments"))
    if kind == "GROUP":
        return inside or "()"
    return f"{kind}({inside})" if kind == "ROW" else f"{kind}[{inside}]"


def _type(g: Generator, e: exp.Expr) -> str:
    text = str(e.this)
    if numbers := n.get(e, "numbers"):
        text += f"({', '.join(numbers)})"
    if e.this == "ROW":
        text += f"<{_list(g, n.get(e, 'fields'))}>"
    elif children := n.get(e, "children"):
        text += f"<{_list(g, children)}>"
    return text + (" NOT NULL" if n.get(e, "not_null") else "")


def _type_field(g: Generator, e: exp.Expr) -> str:
    return f"{g.sql(e.args['name'])} {g.sql(e.args['type'])}{_part(g, ' ', n.get(e, 'comment'))}"


def _select_item(g: Generator, e: exp.Expr) -> str:
    return g.sql(e.this) + _part(g, " AS ", n.get(e, "alias"))


def _select(g: Generator, e: exp.Expr) -> str:
    head = "SELECT DISTINCT" if n.get(e, "distinct") else "SELECT"
    parts = {" FROM ": "source", " WHERE ": "where", " GROUP BY ": "group", " HAVING ": "having"}
    return f"{head} {_list(g, e.args['items'])}" + "".join(_part(g, w, n.get(e, k)) for w, k in parts.items())


def _values(g: Generator, e: exp.Expr) -> str:
    return f"VALUES {_list(g, e.args['rows'])}"


def _term(g: Generator, e: exp.Expr) -> str:
    return f"({g.sql(e)})" if isinstance(e, n.Query) else g.sql(e)


def _union(g: Generator, e: exp.Expr) -> str:
    return f"{_term(g, e.args['left'])} UNION ALL {_term(g, e.args['right'])}"


def _with(g: Generator, e: exp.Expr) -> str:
    columns = n.get(e, "columns")
    names = f" ({_list(g, columns)})" if columns else ""
    return f"{g.sql(e.args['name'])}{names} AS ({g.sql(e.args['query'])})"


def _query(g: Generator, e: exp.Expr) -> str:
    ctes = n.get(e, "ctes")
    head = f"WITH {_list(g, ctes)} " if ctes else ""
    limit = f" LIMIT {e.args['limit']}" if n.get(e, "limit") is not None else ""
    offset = f" OFFSET {e.args['offset']}" if n.get(e, "offset") is not None else ""
    return head + _term(g, e.args["body"]) + limit + offset


def _alias(g: Generator, e: exp.Expr) -> str:
    if n.get(e, "alias") is None:
        return ""
    columns = n.get(e, "columns")
    return f" AS {g.sql(e.args['alias'])}" + (f" ({_list(g, columns)})" if columns else "")


def _table_function(g: Generator, e: exp.Expr) -> str:
    return f"{e.this}({_list(g, e.args['arguments'])})"


def _table_argument(g: Generator, e: exp.Expr) -> str:
    return f"({g.sql(e.this)})" if isinstance(e.this, n.Query) else f"TABLE {g.sql(e.this)}"


def _comment(g: Generator, e: exp.Expr) -> str:
    return _part(g, " COMMENT ", n.get(e, "comment"))


def _metadata(g: Generator, e: exp.Expr) -> str:
    virtual = " VIRTUAL" if n.get(e, "virtual") else ""
    key = _part(g, " FROM ", n.get(e, "key"))
    return f"{g.sql(e.args['name'])} {g.sql(e.args['type'])} METADATA{key}{virtual}{_comment(g, e)}"


def _primary_key(g: Generator, e: exp.Expr) -> str:
    name = n.get(e, "name")
    head = f"CONSTRAINT {g.sql(name)} " if name else ""
    return f"{head}PRIMARY KEY ({_list(g, e.args['columns'])}) NOT ENFORCED"


def _like_table(g: Generator, e: exp.Expr) -> str:
    options = " ".join(g.sql(o) for o in n.get(e, "options") or ())
    return f"LIKE {g.sql(e.args['name'])}" + (f" ({options})" if options else "")


def _create_table(g: Generator, e: exp.Expr) -> str:
    elements = [*(n.get(e, "columns") or ()), n.get(e, "watermark"), n.get(e, "primary_key")]
    body = ",\n  ".join(g.sql(x) for x in elements if x is not None)
    partitions, options, like = (n.get(e, k) for k in ("partitioned_by", "options", "like"))
    lines = [
        _create(e, "TABLE") + g.sql(e.args["name"]) + (f" (\n  {body}\n)" if body else ""),
        _comment(g, e).strip(),
        f"PARTITIONED BY ({_list(g, partitions)})" if partitions else "",
        "WITH (\n  " + ",\n  ".join(g.sql(o) for o in options) + "\n)" if options else "",
        g.sql(like) if like else "",
    ]
    return "\n".join(line for line in lines if line)


def _create(e: exp.Expr, kind: str) -> str:
    temporary = "TEMPORARY " if n.get(e, "temporary") else ""
    return f"CREATE {temporary}{kind} " + ("IF NOT EXISTS " if n.get(e, "exists") else "")


def _create_view(g: Generator, e: exp.Expr) -> str:
    columns = n.get(e, "columns")
    names = f" ({_list(g, columns)})" if columns else ""
    return f"{_create(e, 'VIEW')}{g.sql(e.args['name'])}{names}{_comment(g, e)} AS\n{g.sql(e.args['query'])}"


def _drop(g: Generator, e: exp.Expr) -> str:
    temporary = "TEMPORARY " if n.get(e, "temporary") else ""
    exists = "IF EXISTS " if n.get(e, "exists") else ""
    return f"DROP {temporary}{e.args['kind']} {exists}{g.sql(e.args['name'])}"


def _set(g: Generator, e: exp.Expr) -> str:
    return f"SET {g.sql(e.args['key'])} = {g.sql(e.args['value'])}" if n.get(e, "key") else "SET"


def _insert(g: Generator, e: exp.Expr) -> str:
    partition, columns = n.get(e, "partition"), n.get(e, "columns")
    head = f"INSERT INTO {g.sql(e.args['name'])}"
    head += f" PARTITION ({_list(g, partition)})" if partition else ""
    return head + (f" ({_list(g, columns)})" if columns else "") + f"\n{g.sql(e.args['query'])}"


def _statement_set(g: Generator, e: exp.Expr) -> str:
    return "EXECUTE STATEMENT SET BEGIN\n" + "".join(f"{g.sql(i)};\n" for i in e.args["inserts"]) + "END"


def _show(g: Generator, e: exp.Expr) -> str:
    return f"SHOW {e.args['what']}" + _part(g, " ", n.get(e, "name"))


def _of(pattern: str, *keys: str) -> Callable[[Generator, exp.Expr], str]:
    """Make a writer that fills parts of a node into a pattern."""
    return lambda g, e: pattern.format(*(g.sql(e.args[k]) for k in keys))


class FlinkGenerator(Generator):
    """Writes each node of the tree; parentheses stand around every operand that is not a single thing."""

    TRANSFORMS: ClassVar[dict[type[exp.Expr], Callable[..., str]]] = {
        n.Identifier: _identifier,
        n.Name: _name,
        n.Star: _star,
        n.Text: lambda _, e: _quoted(str(e.this)),
        n.Number: lambda _, e: str(e.this),
        n.Hex: lambda _, e: f"X'{e.this}'",
        n.Constant: lambda _, e: str(e.this),
        n.Temporal: lambda _, e: f"{e.args['kind']} {_quoted(str(e.this))}",
        n.Interval: _interval,
        n.Symbol: lambda _, e: str(e.this),
        n.Unary: _unary,
        n.Binary: _binary,
        n.Is: _is,
        n.Between: _between,
        n.In: _in,
        n.Like: _like,
        n.Case: _case,
        n.Cast: _cast,
        n.Clause: _clause,
        n.Call: _call,
        n.Constructor: _constructor,
        n.Item: lambda g, e: f"{_operand(g, e.this)}[{g.sql(e.args['index'])}]",
        n.Access: lambda g, e: f"({g.sql(e.this)}).{g.sql(e.args['field'])}",
        n.Type: _type,
        n.TypeField: _type_field,
        n.SelectItem: _select_item,
        n.Select: _select,
        n.ValuesList: _values,
        n.Union: _union,
        n.With: _with,
        n.Query: _query,
        n.TableSource: lambda g, e: g.sql(e.args["name"]) + _alias(g, e),
        n.QuerySource: lambda g, e: f"({g.sql(e.args['query'])}){_alias(g, e)}",
        n.FunctionSource: lambda g, e: f"TABLE({g.sql(e.args['function'])}){_alias(g, e)}",
        n.TableFunction: _table_function,
        n.NamedArgument: lambda g, e: f"{e.args['name'].this} => {g.sql(e.args['value'])}",
        n.TableArgument: _table_argument,
        n.Descriptor: lambda g, e: f"DESCRIPTOR({_list(g, e.args['columns'])})",
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
        s.ResetOption: lambda g, e: "RESET" + _part(g, " ", n.get(e, "key")),
        s.Insert: _insert,
        s.PartitionValue: _of("{} = {}", "column", "value"),
        s.StatementSet: _statement_set,
        s.Explain: _of("EXPLAIN PLAN FOR {}", "this"),
        s.Describe: _of("DESCRIBE {}", "name"),
        s.Show: _show,
    }
