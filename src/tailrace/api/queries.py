"""Steps on queries: what stands in FROM, and when a step needs a query around the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tailrace.api import trees
from tailrace.api.expr import Expr, IntoExpr, column, lit
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.sql.dialect import nodes as n


def query(body: n.Node, **parts: object) -> n.Query:
    """Give a whole query with this body."""
    return placed(n.Query(body=body, **parts))


def select(source: n.Node | None, items: Sequence[n.Node] | None = None, **parts: object) -> n.Query:
    """Give a SELECT from a source; of all columns if no `items` are given."""
    return query(placed(n.Select(distinct=False, items=list(items or [star()]), source=source, **parts)))


def star() -> n.Star:
    """Give `*`."""
    return placed(n.Star())


def named(name: str) -> n.TableSource:
    """Give a table or view as a source."""
    return placed(n.TableSource(name=trees.name(name)))


def item(expr: Expr, name: str = "") -> n.SelectItem:
    """Give a column of a SELECT, with its name if it has one."""
    alias = name or expr.name
    return placed(n.SelectItem(this=expr.tree.copy(), alias=trees.identifier(alias) if alias else None))


def source_of(tree: n.Query, alias: str = "") -> n.Node:
    """Give a query as a source, without a SELECT of its own if it is all columns of one source."""
    found = plain_source(tree)
    source = placed(n.QuerySource(query=tree.copy())) if found is None else found.copy()
    if alias:
        source.set("alias", trees.identifier(alias))
    return source


def plain_source(tree: n.Query) -> n.Node | None:
    """Give the source of `SELECT * FROM source`; None for any other query, or a source of several."""
    body = untouched(tree)
    source: n.Node | None = None if body is None or n.get(body, "where") is not None else body.args["source"]
    return None if isinstance(source, n.Join) else source


def table_name(tree: n.Query) -> str:
    """
    Give the name of the table that `SELECT * FROM table` reads, to write into it.

    Raises:
        ConfigError: it is another query.
    """
    source = plain_source(tree)
    if not isinstance(source, n.TableSource):
        raise ConfigError("only a table of a connector can be written into", location=place().location())
    name: str = source.args["name"].texts[-1]
    return name


def bare(tree: n.Query) -> bool:
    """Tell that a query has nothing but its body."""
    return not any(n.get(tree, k) for k in ("ctes", "order", "limit", "offset"))


def untouched(tree: n.Query) -> n.Select | None:
    """Give the SELECT of `SELECT * FROM ... [WHERE ...]`; None for any other query."""
    body = tree.args["body"]
    if not bare(tree) or not isinstance(body, n.Select):
        return None
    if any(n.get(body, k) for k in ("hints", "distinct", "group", "having", "windows", "qualify")):
        return None
    items = body.args["items"]
    return body if len(items) == 1 and isinstance(items[0], n.Star) and not n.get(items[0], "qualifier") else None


def body_of(tree: n.Query) -> n.Node:
    """Give a query as the body of another one, without a second level if it has nothing but a body."""
    body: n.Node = tree.args["body"] if bare(tree) else tree
    return body.copy()


def limited(tree: n.Query, count: int, offset: int) -> n.Query:
    """Give the first rows of a query, in its order if it has one."""
    parts = {"limit": str(count), "offset": str(offset) if offset else None}
    if n.get(tree, "order") and n.get(tree, "limit") is None:
        made = tree.copy()
        for key, value in parts.items():
            made.set(key, value)
        return made
    return query(body_of(tree), **parts)


def hinted(tree: n.Query, name: str, options: Mapping[str, str] | Sequence[str]) -> n.Query:
    """
    Give a query with a hint: OPTIONS at its only table, any other at its SELECT.

    Raises:
        ConfigError: it has no such place.
    """
    made = tree.copy()
    target = plain_source(made) if name.upper() == "OPTIONS" else made.args["body"]
    if not isinstance(target, n.TableSource | n.Select):
        hint = (
            "write it behind the table that is read" if name.upper() == "OPTIONS" else "write it behind select or join"
        )
        raise ConfigError(f"the hint {name} can't stand here", hint=hint, location=place().location())
    pairs = options.items() if isinstance(options, Mapping) else ()
    given = [placed(n.HintOption(key=k, value=v)) for k, v in pairs]
    arguments = [] if isinstance(options, Mapping) else trees.texts(options)
    new = placed(n.Hint(this=name.upper(), options=given, arguments=arguments))
    target.set("hints", [*(n.get(target, "hints") or []), new])
    return made


def filtered(tree: n.Query, condition: n.Node) -> n.Query:
    """Give the rows of a query for which a condition holds."""
    body = untouched(tree)
    if body is None:
        return select(source_of(tree), where=condition)
    before = n.get(body, "where")
    both = condition if before is None else placed(n.Binary(op="AND", left=before.copy(), right=condition))
    return select(body.args["source"].copy(), where=both)


def selected(tree: n.Query, items: Sequence[n.Node], **parts: object) -> n.Query:
    """Give columns computed from those of a query."""
    body = untouched(tree)
    if body is None:
        return select(source_of(tree), items, **parts)
    where = n.get(body, "where")
    return select(body.args["source"].copy(), items, where=None if where is None else where.copy(), **parts)


def items_of(exprs: Iterable[str | Expr], given: Mapping[str, IntoExpr]) -> list[n.Node]:
    """
    Give the columns of a SELECT: names, expressions, and expressions or Python values with names.

    Raises:
        ConfigError: there is none.
    """
    found: list[n.Node] = [item(column(e)) for e in exprs]
    found += [item(e if isinstance(e, Expr) else lit(e), name) for name, e in given.items()]
    if not found:
        raise ConfigError("no column is given", hint='name one, as select("id")', location=place().location())
    return found


def without_ranks(tree: n.Query) -> n.Query | None:
    """
    Give a query of the same columns without ranks, if this one has some.

    A rank can be bound only together with the filter that says how many rows are kept.
    """
    if not any(_is_rank(call) for call in tree.find_all(n.Call)):
        return None
    made = tree.copy()
    for call in list(made.find_all(n.Call)):
        if _is_rank(call):
            call.replace(n.Cast(this=trees.literal(None), type=trees.type_tree("BIGINT"), safe=False))
    return made


def _is_rank(call: n.Call) -> bool:
    return n.get(call, "over") is not None and str(call.this).upper() in ("ROW_NUMBER", "RANK", "DENSE_RANK")


def name_of(item: n.Node) -> str:
    """Give the name of a column of a SELECT; empty if it has none."""
    if (alias := n.get(item, "alias")) is not None:
        return str(alias.this)
    return str(item.this.texts[-1]) if isinstance(item.this, n.Name) else ""
