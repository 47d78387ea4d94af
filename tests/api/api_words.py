"""From a query in SQL to the same query in the words of the API, where it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import api_expressions
from api_expressions import NoWordsError, aggregates_in, literal

import tailrace as tr
from tailrace.api import queries
from tailrace.api.definitions import Definitions
from tailrace.api.expr import Expr, SortExpr
from tailrace.api.grouping import Grouping
from tailrace.api.windows import Window
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect.flink import generate

_WINDOW = ("window_start", "window_end")
_BARE = ("hints", "qualify", "windows")


@dataclass
class Scope:
    """What names mean: columns of one table, by the aliases that they may stand behind."""

    table: tr.Table
    names: dict[tuple[str, ...], Expr] = field(default_factory=dict)
    replaced: list[tuple[n.Node, Expr]] = field(default_factory=list)

    @classmethod
    def of(cls, table: tr.Table, alias: str, make: Callable[[str], Expr] = tr.col) -> Scope:
        """Give the scope of a table with an alias."""
        names: dict[tuple[str, ...], Expr] = {(alias, c): make(c) for c in table.columns}
        names |= {(c,): make(c) for c in table.columns}
        return cls(table, names)

    def column(self, node: n.Name) -> Expr:
        """Give what a name means: the longest part that is known, and fields of it."""
        parts = node.texts
        for length in (2, 1):
            if parts[:length] in self.names:
                found = self.names[parts[:length]]
                for part in parts[length:]:
                    found = found.field(part)
                return found
        raise NoWordsError(f"the name {parts}")


class Words:
    """Writes queries over defined tables in the words of the API."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._ctes: dict[str, tr.Table] = {}

    def query(self, node: n.Query) -> tr.Table:
        """Give the table of a query."""
        for cte in n.get(node, "ctes") or []:
            self._bare(cte, "columns")
            self._ctes[cte.args["name"].this] = self.query(cte.args["query"])
        table = self._body(node.args["body"])
        if keys := n.get(node, "order"):
            table = table.sort(*self._sort(keys, Scope.of(table, "")))
        limit, offset = n.get(node, "limit"), n.get(node, "offset")
        return table if limit is None else table.head(int(limit), int(offset or 0))

    def _body(self, node: n.Node) -> tr.Table:
        match node:
            case n.Query():
                return self.query(node)
            case n.Select():
                return self._select(node)
            case n.SetOperation():
                left, right = self._body(node.args["left"]), self._body(node.args["right"])
                name = {"UNION": "union", "INTERSECT": "intersect", "EXCEPT": "difference"}[node.args["kind"]]
                made: tr.Table = getattr(left, name)(right, distinct=not node.args["all"])
                return made
        raise NoWordsError(type(node).__name__)

    def _select(self, node: n.Select) -> tr.Table:
        self._bare(node, *_BARE)
        scope = self._source(node.args["source"])
        if where := n.get(node, "where"):
            scope.table = scope.table.filter(self.expr(where, scope))
        items = node.args["items"]
        grouped = n.get(node, "group") is not None or any(aggregates_in(i) for i in items)
        if grouped:
            scope = self._grouped(node, scope)
        elif n.get(node, "having"):
            raise NoWordsError("HAVING without groups")
        table = scope.table.select(*self._items(items, scope))
        return table.unique() if n.get(node, "distinct") else table

    def _items(self, items: list[n.Node], scope: Scope) -> Iterator[str | Expr]:
        for item in items:
            if isinstance(item, n.Star):
                self._bare(item, "qualifier")
                if scope.replaced or any(len(k) == 2 and k[0] == "\0joined" for k in scope.names):
                    raise NoWordsError("* of groups or joins")
                yield from scope.table.columns
            else:
                made = self.expr(item.this, scope)
                alias = n.get(item, "alias")
                name = item.this.texts[-1] if isinstance(item.this, n.Name) else ""
                yield made.alias(str(alias.this)) if alias is not None else made.alias(name) if name else made

    def _grouped(self, node: n.Select, scope: Scope) -> Scope:
        elements = list(n.get(node.args["group"], "elements") or []) if n.get(node, "group") else []
        if any(not isinstance(e, n.Node) or isinstance(e, n.KeySet) for e in elements):
            raise NoWordsError("a set of keys")
        if n.get(node, "group") and n.get(node.args["group"], "distinct"):
            raise NoWordsError("GROUP BY DISTINCT")
        sets = [self._sets(e, scope) for e in elements if isinstance(e, n.GroupingSets)]
        elements = [e for e in elements if not isinstance(e, n.GroupingSets)]
        keys = self._keys(elements, scope)
        having = n.get(node, "having")
        calls = list(
            {c: None for part in [*node.args["items"], *([having] if having else [])] for c in aggregates_in(part)}
        )
        aggregates = {f"agg_{i}": self.expr(call, scope) for i, call in enumerate(calls)}
        made_of = {k: e for k, (_, e) in keys.items()}
        table = scope.table.group_by(*(made for made, _ in sets), **made_of).agg(**aggregates)
        replaced = [(tree, tr.col(k)) for k, (tree, _) in keys.items()]
        replaced += [(name, tr.col(_last(name))) for _, names in sets for name in names]
        replaced += [(call, tr.col(f"agg_{i}")) for i, call in enumerate(calls)]
        replaced += [(e, tr.col(_last(e))) for e in elements if self._is_window(e, scope)]
        made = Scope(table, {}, replaced)
        if having:
            made.table = table.filter(self.expr(having, made))
        return made

    @staticmethod
    def _sets(node: n.GroupingSets, scope: Scope) -> tuple[Grouping, list[n.Name]]:
        """Give sets of keys, and the names in them."""
        inner = [e.args["keys"] if isinstance(e, n.KeySet) else [e] for e in node.args["elements"]]
        names = [k for keys in inner for k in keys]
        if any(not isinstance(k, n.Name) or api_expressions.column_name(scope.column(k)) != _last(k) for k in names):
            raise NoWordsError("expressions in grouping sets")
        texts = [[_last(k) for k in keys] for keys in inner]
        if node.args["kind"] == "GROUPING SETS":
            return tr.grouping_sets(*texts), names
        if any(len(keys) != 1 for keys in texts):
            raise NoWordsError("several keys in one place")
        make = tr.rollup if node.args["kind"] == "ROLLUP" else tr.cube
        return make(*(keys[0] for keys in texts)), names

    def _keys(self, elements: list[n.Node], scope: Scope) -> dict[str, tuple[n.Node, Expr]]:
        """Give the keys by new names; those of the window are the API's own."""
        ends = {_last(e) for e in elements if self._is_window(e, scope)}
        if scope.table.windowed and ends != set(_WINDOW):
            raise NoWordsError("a group of windows without both ends")
        rest = [e for e in elements if not self._is_window(e, scope)]
        return {f"key_{i}": (e, self.expr(e, scope)) for i, e in enumerate(rest)}

    def _is_window(self, node: n.Node, scope: Scope) -> bool:
        return scope.table.windowed and isinstance(node, n.Name) and node.texts[-1] in _WINDOW

    # FROM

    def _source(self, node: n.Node | None) -> Scope:
        match node:
            case n.TableSource():
                self._bare(node, "hints", "system_time", "columns")
                name = node.args["name"].texts[-1]
                return Scope.of(self._table(name), self._alias(node) or name)
            case n.QuerySource():
                self._bare(node, "columns")
                return Scope.of(self.query(node.args["query"]), self._alias(node))
            case n.FunctionSource():
                self._bare(node, "columns")
                return Scope.of(self._windowed(node.args["function"]), self._alias(node))
            case n.MatchSource():
                self._bare(node, "columns", "all_rows")
                return Scope.of(self._matched(node), self._alias(node))
            case n.Join():
                return self._join(node)
        raise NoWordsError(type(node).__name__)

    def _table(self, name: str) -> tr.Table:
        if name in self._ctes:
            return self._ctes[name]
        if name not in self._definitions.by_name:
            raise NoWordsError(f"the table {name}")
        return tr.Table(queries.select(queries.named(name)), self._definitions)

    def _windowed(self, function: n.TableFunction) -> tr.Table:
        first, *rest = function.args["arguments"]
        if not isinstance(first, n.TableArgument) or n.get(first, "order"):
            raise NoWordsError("such arguments of a window")
        inner = first.this
        table = self._table(inner.texts[-1]) if isinstance(inner, n.Name) else self.query(inner)
        columns, *lengths = rest
        if not isinstance(columns, n.Descriptor) or not all(isinstance(x, n.Interval) for x in lengths):
            raise NoWordsError("such arguments of a window")
        spans = [literal(x) for x in lengths]
        count = {"TUMBLE": 1, "SESSION": 1}.get(str(function.this), 2)
        keys = tuple(k.texts[-1] for k in n.get(first, "partition") or [])
        offset = spans[count] if len(spans) > count else None
        window = Window(str(function.this), tuple(spans[:count]), columns.args["columns"][0].this, keys, offset)
        return table.window(window)

    def _matched(self, node: n.MatchSource) -> tr.Table:
        scope = self._source(node.args["input"])
        rows = Scope(scope.table, dict(scope.names))
        defined = [str(d.args["name"].this) for d in node.args["defines"]]
        subsets = {
            str(s.args["name"].this): [str(v.this) for v in s.args["variables"]] for s in n.get(node, "subsets") or []
        }
        variables = {str(v.this) for v in node.args["pattern"].find_all(n.PatternVariable)}
        for variable in {*defined, *subsets, *variables}:
            rows.names |= {(variable, c): tr.step(variable, c) for c in scope.table.columns}
        skip = n.get(node, "skip")
        after = "TO NEXT ROW" if skip is None else generate(skip).removeprefix("AFTER MATCH SKIP ")
        start, end = ("^ " if n.get(node, "strict_start") else ""), (" $" if n.get(node, "strict_end") else "")
        within = n.get(node, "within")
        match = tr.Match(
            pattern=f"{start}{generate(node.args['pattern'])}{end}",
            define={str(d.args["name"].this): self.expr(d.args["condition"], rows) for d in node.args["defines"]},
            measures={str(m.args["alias"].this): self.expr(m.this, rows) for m in n.get(node, "measures") or []},
            order_by=self._sort(n.get(node, "order") or [], scope),
            partition_by=[self.expr(p, scope) for p in n.get(node, "partition") or []],
            within=None if within is None else literal(within),
            after=after,
            subsets=subsets,
        )
        return scope.table.match(match)

    def _version(self, node: n.Node, left: Scope) -> tuple[n.Node, str]:
        """Give a table in FROM without the time that it is as of, and the column of the left one that this is."""
        time = n.get(node, "system_time") if isinstance(node, n.TableSource) else None
        if time is None:
            return node, ""
        if not isinstance(time, n.Name):
            raise NoWordsError("such a time of a version")
        plain = node.copy()
        plain.set("system_time", None)
        return plain, api_expressions.column_name(left.column(time))

    def _join(self, node: n.Join) -> Scope:
        if n.get(node, "natural"):
            raise NoWordsError("a natural join")
        if isinstance(node.args["right"], n.UnnestSource):
            return self._exploded(node)
        left = self._source(node.args["left"])
        versions, as_of = self._version(node.args["right"], left)
        right = self._source(versions)
        both = Scope(left.table, self._sided(left, tr.left) | self._right_names(left, right, tr.right))
        using = [str(u.this) for u in n.get(node, "using") or []]
        condition = n.get(node, "condition")
        on = using or (None if condition is None else self.expr(condition, both))
        if using and node.args["kind"] != "INNER":
            raise NoWordsError("USING of an outer join")
        table = left.table.join(right.table, on, node.args["kind"].lower(), as_of=as_of)
        joined = {k: tr.col(v.name) for k, v in self._sided(left, tr.left).items()}
        for key, value in self._right_names(left, right, tr.right).items():
            name = value.name
            shown = name if name in using or name not in left.table.columns else f"{name}_right"
            joined[key] = tr.col(shown)
        return Scope(table, joined | {("\0joined", ""): tr.lit(1)})

    def _exploded(self, node: n.Join) -> Scope:
        unnest, left = node.args["right"], self._source(node.args["left"])
        alias, names = self._alias(unnest), [str(c.this) for c in n.get(unnest, "columns") or []]
        array = unnest.args["arguments"][0]
        if not names or not isinstance(array, n.Name) or node.args["kind"] not in ("CROSS", "LEFT"):
            raise NoWordsError("such an UNNEST")
        if (condition := n.get(node, "condition")) is not None and not str(condition.this) == "TRUE":
            raise NoWordsError("a condition of an UNNEST")
        keep, numbered = node.args["kind"] == "LEFT", bool(n.get(unnest, "ordinality"))
        columns, number = (names[:-1], names[-1]) if numbered else (names, "")
        array_name = api_expressions.column_name(left.column(array))
        table = left.table.explode(array_name, columns, keep_empty=keep, number=number)
        new = {key: tr.col(c) for c in names for key in ((c,), (alias, c))}
        return Scope(table, left.names | new)

    def _sided(self, scope: Scope, make: Callable[[str], Expr]) -> dict[tuple[str, ...], Expr]:
        if any(k[0] == "\0joined" for k in scope.names):
            return {k: make(api_expressions.column_name(v)) for k, v in scope.names.items() if k[0] != "\0joined"}
        return {k: make(api_expressions.column_name(v)) for k, v in scope.names.items()}

    def _right_names(self, left: Scope, right: Scope, make: Callable[[str], Expr]) -> dict[tuple[str, ...], Expr]:
        """Give the names of the right side; one that both have needs its alias."""
        return {k: v for k, v in self._sided(right, make).items() if len(k) > 1 or k not in left.names}

    # expressions

    def expr(self, node: n.Node, scope: Scope) -> Expr:
        """Give an expression in the words of the API."""
        for tree, made in scope.replaced:
            if tree == node:
                return made
        if isinstance(node, n.Name):
            return scope.column(node)
        return api_expressions.expression(
            node, lambda inner: self.expr(inner, scope), lambda keys: self._sort(keys, scope)
        )

    def _sort(self, keys: list[n.SortKey], scope: Scope) -> list[SortExpr]:
        found = []
        for key in keys:
            last = {"LAST": True, "FIRST": False}.get(str(n.get(key, "nulls")))
            found.append(SortExpr(self.expr(key.this, scope), bool(n.get(key, "descending")), last))
        return found

    @staticmethod
    def _bare(node: n.Node, *parts: str) -> None:
        for part in parts:
            if n.get(node, part):
                raise NoWordsError(f"{part} of {type(node).__name__}")

    @staticmethod
    def _alias(node: n.Node) -> str:
        return str(node.args["alias"].this) if n.get(node, "alias") is not None else ""


def _last(node: n.Node) -> str:
    """Give the last part of a name."""
    return str(node.args["parts"][-1].this)
