"""A table: a query that is being written, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from tailrace.api import given, joining, pipelines, processing, queries, results, scripts, sinks, trees
from tailrace.api.definitions import Definitions
from tailrace.api.expr import Expr, IntoExpr, SortExpr, column, several, sort_keys
from tailrace.api.grouping import GroupBy, Grouping
from tailrace.api.matching import Match
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.api.windows import Window
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan.explain import explain
from tailrace.schema import Schema, TimeAttribute
from tailrace.sql.binder.process import ON_TIME, SIDE, UID
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.flink import generate
from tailrace.user_functions.declarations import UserTableFunction
from tailrace.user_functions.processing import ProcessFunction

if TYPE_CHECKING:
    from tailrace.api.pipelines import Pipeline

How = Literal["inner", "left", "right", "full", "semi", "anti", "cross"]


class Table:
    """
    A bounded or endless table: a source, or what is computed from tables. Each step gives a new one.

    A step is bound at once: what is wrong in it raises ConfigError with the line of your file. Nothing runs before
    `collect`, `stream` or a pipeline does. Texts name columns; a text that is a value is written `lit("text")`.

    >>> import polars as pl
    >>> import tailrace as tr
    >>> payments = tr.from_polars(pl.DataFrame({"card": ["a", "b", "a"], "amount": [5, 7, 8]}), name="payments")
    >>> big = payments.filter(tr.col("amount") > 5).select("card", doubled=tr.col("amount") * 2)
    >>> big.collect().rows()
    [('b', 14), ('a', 16)]
    """

    def __init__(
        self, tree: n.Query, definitions: Definitions, *, windowed: bool = False, like: n.Query | None = None
    ) -> None:
        self.tree = tree
        self.definitions = definitions
        self._like = like  # a query of the same columns, where this one can be bound only with the step behind it
        columns = self.schema.names  # binds it now: what is wrong shows at the line that wrote it
        self.windowed: bool = windowed and {"window_start", "window_end"} <= set(columns)

    def _with(self, tree: n.Query, *others: Table, windowed: bool | None = None, like: n.Query | None = None) -> Table:
        definitions = self.definitions
        for other in others:
            definitions = definitions.joined(other.definitions)
        return Table(tree, definitions, windowed=self.windowed if windowed is None else windowed, like=like)

    def __repr__(self) -> str:
        columns = ", ".join(f"{f.name} {f.type}" for f in self.schema)
        return f"<Table {columns}>"

    def _repr_html_(self) -> str:
        """Show the columns in a notebook; nothing runs, `preview` does."""
        return results.as_html(self.schema)

    # what it is

    @cached_property
    def schema(self) -> Schema:
        """The columns with their types."""
        return self.definitions.query(self._like or self.tree).plan.schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.schema.names

    def sql(self) -> str:
        """Give the query as SQL, which runs in Flink too; `script` has the tables' definitions before it."""
        return generate(self.tree)

    def script(self) -> str:
        """Give the definitions of the tables and the query as a whole script."""
        return scripts.script(self.definitions, self.tree)

    def explain(self) -> str:
        """Draw the plan, with the kind of changes and the bound of the state of each node."""
        return explain([self.definitions.query(self.tree).plan])

    # columns and rows

    def select(self, *exprs: str | Expr, **named: IntoExpr) -> Table:
        """Give these columns: names, expressions, and expressions with names."""
        given.check_texts(named, self.columns)
        tree = queries.selected(self.tree, queries.items_of(exprs, named))
        return self._with(tree, like=queries.without_ranks(tree))

    def with_columns(self, *exprs: Expr, **named: IntoExpr) -> Table:
        """Add columns; one that has the name of an old one takes its place."""
        given.check_texts(named, self.columns)
        new = {queries.name_of(i): i for i in queries.items_of(exprs, named)}
        if "" in new:
            hint = 'write with_columns(name=...), or .alias("name") behind it'
            raise ConfigError(f"a new column has no name: {generate(new[''])}", hint=hint, location=place().location())
        kept = [new.pop(c) if c in new else queries.item(column(c)) for c in self.columns]
        tree = queries.selected(self.tree, [*kept, *new.values()])
        return self._with(tree, like=queries.without_ranks(tree))

    def drop(self, *names: str) -> Table:
        """Give the columns without these."""
        self._known(names)
        return self.select(*(c for c in self.columns if c not in names))

    def rename(self, names: Mapping[str, str]) -> Table:
        """Give new names to columns, by their old ones."""
        self._known(names)
        given.check_distinct(names.get(c, c) for c in self.columns)
        items = [queries.item(column(c), names.get(c, "")) for c in self.columns]
        return self._with(queries.selected(self.tree, items))

    def filter(self, *conditions: Expr) -> Table:
        """Keep the rows for which all conditions hold."""
        tree = self.tree
        for condition in conditions:
            if not isinstance(condition, Expr):
                hint = 'write it as col("amount") > 1'
                raise given.wrong(f"{condition!r} is no condition", hint)
            tree = queries.filtered(tree, condition.tree.copy())
        return self._with(tree)

    def unique(
        self, subset: str | Sequence[str] = (), *, keep: Literal["first", "last"] = "first", order_by: str = ""
    ) -> Table:
        """
        Keep one of equal rows; with a `subset` one for each value of these columns, by the time column `order_by`.

        Without a `subset` whole rows are compared: SELECT DISTINCT. `keep="last"` gives a table that updates.
        """
        given.check_choice("keep", keep, ("first", "last"))
        if not subset:
            tree = queries.selected(self.tree, [queries.star()])
            tree.args["body"].set("distinct", True)
            return self._with(tree)
        time = column(order_by or self._time_column())
        return self.top(1, by=time.desc() if keep == "last" else time.asc(), partition_by=subset)

    def top(
        self,
        k: int,
        *,
        by: str | Expr | SortExpr | Sequence[str | Expr | SortExpr],
        partition_by: str | Expr | Sequence[str | Expr] = (),
        rank: str = "",
    ) -> Table:
        """Keep the first `k` rows of each partition in an order; `rank` names a column for their number, from 1."""
        keys = [column(c).tree.copy() for c in several(partition_by)]
        if self.windowed:
            keys += [trees.name(c) for c in ("window_start", "window_end")]
        over = placed(n.Over(partition=keys, order=sort_keys(by)))
        number = placed(n.Call(this="ROW_NUMBER", distinct=False, over=over))
        place_name = rank or "rank_number"
        ranked = queries.selected(self.tree, [queries.star(), queries.item(Expr(number), place_name)])
        first = placed(n.Binary(op="<=", left=trees.name(place_name), right=trees.literal(k)))
        items = [queries.item(column(c)) for c in self.columns]
        source = placed(n.QuerySource(query=ranked))
        return self._with(
            queries.select(source, [*items, *([queries.item(column(rank))] if rank else [])], where=first)
        )

    def sort(self, *by: str | Expr | SortExpr) -> Table:
        """Sort: an endless table by its time column, or together with `head`."""
        keys = sort_keys(by)
        bound = placed(
            n.Query(body=queries.body_of(self.tree), order=[k.copy() for k in keys], limit="1")
        )  # in any order it can be
        return self._with(placed(n.Query(body=queries.body_of(self.tree), order=keys)), like=bound)

    def head(self, count: int = 5, offset: int = 0) -> Table:
        """Keep the first rows; behind `sort` those that come first in that order, with `offset` from behind so many on."""
        if count < 0 or offset < 0:
            wanted = f"{count}, {offset}" if offset else f"{count}"
            raise given.wrong(f"head({wanted}) would be less than no rows", "give the number of rows to keep")
        return self._with(queries.limited(self.tree, count, offset))

    def explode(
        self, name: str, alias: str | Sequence[str] = "", *, keep_empty: bool = False, number: str = ""
    ) -> Table:
        """
        Give one row for each element of an array or entry of a map, in new columns `alias`.

        With `keep_empty` a row without elements stays, with NULL; else it goes. `number` names a column for the place of each, from 1.
        """
        names = [alias or f"{name}_item"] if isinstance(alias, str) else list(alias)
        return self._with(joining.exploded(self.tree, name, names, number, keep_empty=keep_empty))

    def hint(self, name: str, options: Mapping[str, str] | Sequence[str] = ()) -> Table:
        """
        Give a hint as SQL has them: `STATE_TTL`, `LOOKUP`, or `OPTIONS` of the connector.

        It is about the step before it. There a table has the name that it was given, and behind a join it is `l` or `r`.
        """
        return self._with(queries.hinted(self.tree, name, options))

    # windows and groups

    def window(self, window: Window) -> Table:
        """
        Put each row into its windows: adds `window_start`, `window_end` and `window_time`.

        `group_by`, `agg` and `top` behind it work window by window, as long as the window's columns are there.
        """
        if not isinstance(window, Window):
            raise given.wrong(
                f"{window!r} is no window", 'write window(tr.tumble("1m")), or tr.hop, tr.cumulate, tr.session'
            )
        self._known(window.keys)
        time = window.time or self._time_column()
        plain = queries.plain_source(self.tree)
        named = isinstance(plain, n.TableSource)
        table = plain.args["name"].copy() if named and plain is not None else self.tree.copy()
        source = placed(n.FunctionSource(function=window.tree(table, time)))
        like = queries.select(placed(n.FunctionSource(function=window.alike().tree(table.copy(), time))))
        return self._with(queries.select(source), windowed=True, like=like)

    def group_by(self, *keys: str | Expr | Grouping, **named: Expr) -> GroupBy[Table]:
        """Group by columns, expressions, or several sets of them (`rollup`, `cube`, `grouping_sets`)."""
        return GroupBy(self._with, self.tree, keys, named, windowed=self.windowed)

    def agg(self, *exprs: Expr, **named: Expr) -> Table:
        """Aggregate all rows; behind `window` those of each window."""
        return self.group_by().agg(*exprs, **named)

    # several tables

    def join(
        self,
        other: Table,
        on: str | Sequence[str] | Expr | None = None,
        how: How = "inner",
        *,
        suffix: str = "_right",
        as_of: str = "",
    ) -> Table:
        """
        Join with another table on columns of the same name, or on a condition over `left("a")` and `right("b")`.

        A column of `other` that is there already gets the `suffix`; that of an equal name in `on` is left out, but not
        of a full join. A condition that bounds the time between both makes it an interval join. `as_of` names a time
        column of this table: each row is joined with the version that `other` (a table with a key, or a view) had then,
        or, at a time of processing, with what is looked up in it.
        """
        given.check_tables([other])
        return self._with(
            joining.joined(self.tree, self.schema, other.tree, other.schema, on, how, suffix, as_of), other
        )

    def lateral(
        self,
        function: UserTableFunction[..., Any],
        *arguments: str | Expr,
        names: str | Sequence[str],
        keep_empty: bool = False,
    ) -> Table:
        """
        Add the columns of the rows that a table function (`@tr.udtf`) makes of each row; `names` are theirs.

        With `keep_empty` a row of which it makes none stays, with NULL.
        """
        columns = [names] if isinstance(names, str) else names
        passed = [column(a) for a in arguments]
        return self._with(joining.lateral(self.tree, function, passed, columns, keep_empty=keep_empty))

    def process(
        self,
        function: ProcessFunction[..., Any] | type[Any],
        *,
        by: str | Sequence[str] = (),
        time: str = "",
        order_by: str = "",
        uid: str = "",
        side_output: str = "",
        **arguments: Any,
    ) -> Table:
        """
        Hand the rows of each key `by` to a process function (`@tr.process`), and give the key, the columns that it makes and `rowtime`.

        `time` names the time column, if it is not the only one; with `order_by` of that column rows wait for the watermark, and come
        in order. `uid` names its state where a pipeline calls it more than once.
        `side_output` gives the rows of a side output instead; with all else equal, it is the same call.
        """
        rowtimes = [f.name for f in self.schema if f.time is TimeAttribute.ROWTIME]
        own = self._time_column() if rowtimes and not time else ""
        texts = {ON_TIME: time or own, processing.ORDER: order_by, UID: uid, SIDE: side_output}
        keys = [by] if isinstance(by, str) else list(by)
        return self._with(processing.processed(self.tree, function, keys, texts, arguments), windowed=False)

    def match(self, match: Match) -> Table:
        """Look for a pattern of rows: one row for each match, with the partition's columns and the measures."""
        return self._with(match.tree(self.tree))

    def as_view(self, name: str) -> Table:
        """Give it a name, as a view: `as_of` joins and SQL read it so."""
        view = placed(s.CreateView(name=trees.name(name), temporary=False, exists=False, query=self.tree.copy()))
        definitions = self.definitions.with_one(name, view)
        return Table(queries.select(queries.named(name)), definitions, windowed=self.windowed)

    def union(self, *others: Table, distinct: bool = False) -> Table:
        """Give the rows of all tables, behind each other as they come; with `distinct` equal ones once."""
        return self._set("UNION", others, keep=not distinct)

    def intersect(self, *others: Table, distinct: bool = True) -> Table:
        """Give the rows that are in all tables."""
        return self._set("INTERSECT", others, keep=not distinct)

    def difference(self, *others: Table, distinct: bool = True) -> Table:
        """Give the rows that are in none of the others: EXCEPT."""
        return self._set("EXCEPT", others, keep=not distinct)

    def _set(self, kind: str, others: Sequence[Table], *, keep: bool) -> Table:
        given.check_tables(others)
        tree = self.tree
        for other in others:
            left, right = (placed(n.Query(body=queries.body_of(t))) for t in (tree, other.tree))
            tree = queries.query(placed(n.SetOperation(kind=kind, all=keep, left=left, right=right)))
        return self._with(tree, *others)

    # running

    def collect(self, settings: Mapping[str, str] | None = None) -> pl.DataFrame:
        """
        Run it to its end and give the rows that stand then; all its sources must be bounded.

        Raises:
            ConfigError: it never ends.
            DataError, TerminalError: as a job does.
        """
        return results.collected(self.definitions, self.tree, settings or {})

    async def collect_async(self, settings: Mapping[str, str] | None = None) -> pl.DataFrame:
        """
        Do the same while the event loop goes on; cancelled, it stops.

        >>> import asyncio
        >>> import tailrace as tr
        >>> asyncio.run(tr.from_rows([{"v": 1}]).collect_async()).rows()
        [(1,)]
        """
        return await results.collected_async(self.definitions, self.tree, settings or {})

    def preview(self, rows: int = 10, *, seconds: float = 5.0) -> pl.DataFrame:
        """Run it until there are so many rows, or for so long, and give them; of a table that updates with `op`."""
        return results.previewed(self.definitions, self.tree, rows, seconds)

    def stream(self, settings: Mapping[str, str] | None = None) -> results.Stream:
        """
        Run it and give its rows as they come, in frames: for `for`, `async for` and `with`.

        A table that updates has the row kind (+I, -U, +U, -D) in the column `op`. A slow reader slows the pipeline.
        """
        return results.Stream(self.definitions, self.tree, settings or {})

    def rows(self, settings: Mapping[str, str] | None = None) -> results.RowStream:
        """
        Run it and give its rows as they come, one by one as dictionaries: for `for`, `async for` and `with`.

        As for `stream`, in all else.
        """
        return results.RowStream(self.stream(settings))

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter(self.stream())

    def __aiter__(self) -> AsyncIterator[pl.DataFrame]:
        return aiter(self.stream())

    def insert_into(self, sink: Table) -> Pipeline:
        """Give the pipeline that writes its rows into a table that was read or defined before."""
        name = queries.table_name(sink.tree)
        return pipelines.Pipeline.of(self.definitions.joined(sink.definitions), name, self.tree)

    def to(
        self,
        connector: str,
        options: Mapping[str, str] | None = None,
        *,
        name: str = "",
        primary_key: str | Sequence[str] = (),
    ) -> Pipeline:
        """Give the pipeline that writes its rows through a connector; `options` have the connector's own names."""
        return sinks.written(self.definitions, self.tree, self.schema, connector, options or {}, name, primary_key)

    def to_kafka(
        self,
        topic: str,
        *,
        bootstrap_servers: str,
        format: str = "json",  # noqa: A002  the option's name
        options: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """Give the pipeline that writes its rows into a topic."""
        given = {"topic": topic, "properties.bootstrap.servers": bootstrap_servers, "format": format}
        return self.to("kafka", given | dict(options or {}))

    def to_files(self, path: str, *, format: str = "json", options: Mapping[str, str] | None = None) -> Pipeline:  # noqa: A002  as above
        """Give the pipeline that writes its rows into files of a folder."""
        return self.to("filesystem", {"path": path, "format": format} | dict(options or {}))

    def to_sqlite(
        self,
        path: str,
        table: str,
        *,
        primary_key: str | Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """Give the pipeline that writes its rows into a table of a SQLite database."""
        return self.to("sqlite", {"path": path, "table-name": table} | dict(options or {}), primary_key=primary_key)

    def alert(
        self,
        title: str,
        *,
        options: Mapping[str, str],
        key: str | Sequence[str] = (),
        severity: str = "warning",
        text: str = "",
    ) -> Pipeline:
        """
        Give the pipeline that tells people of its rows; `{column}` in `title` and `text` is the value of the row.

        Rows with the same `key` (all columns, if there is none) are one alert. `options` name the channels, and are those of the
        connector `alert`: `{"slack.url": ...}`.

        >>> import tailrace as tr
        >>> found = tr.from_rows([{"card": "c1", "n": 11}], name="found")
        >>> pipeline = found.alert("{card} paid {n} times", key="card", options={"webhook.url": "http://localhost:1/"})

        Raises:
            ConfigError: there is no such column, or no channel.
        """
        keys = [key] if isinstance(key, str) else list(key)
        given = {"alert.title": title, "alert.text": text, "alert.severity": severity}
        given |= {"alert.key": ";".join(keys)} if keys else {}
        return self.to("alert", given | dict(options))

    # helpers

    def _known(self, names: Sequence[str] | Mapping[str, str]) -> None:
        for name in names:
            if name not in self.schema:
                message = f"there is no column '{name}'"
                raise ConfigError(message, hint=did_you_mean(name, self.columns), location=place().location())

    def _time_column(self) -> str:
        found = [f.name for f in self.schema if f.time is TimeAttribute.ROWTIME]
        found = found or [f.name for f in self.schema if f.time is TimeAttribute.PROCTIME]
        if len(found) != 1:
            what = "no time column" if not found else "several time columns: " + ", ".join(found)
            hint = 'give the source time=tr.event_time("ts"), or name the column: tumble("1m", time="ts")'
            raise ConfigError(f"the table has {what}", hint=hint, location=place().location())
        return found[0]
