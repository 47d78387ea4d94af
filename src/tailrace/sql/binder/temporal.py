"""FOR SYSTEM_TIME AS OF: a join with what was there at the time of each row of the left."""

from __future__ import annotations

from dataclasses import replace

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.expressions.nodes import Column
from tailrace.plan.nodes import Aggregate, Join, LookupRetry, Node, TemporalJoin, walk
from tailrace.schema import Field, Schema, TimeAttribute
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.lookups import lookup
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Relation, Scope
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_TIME = "write a column of the left side that is its row time (WATERMARK FOR) or PROCTIME()"


def system_time(node: n.Join, left: Relation, source: Source) -> str | None:
    """
    Give the column of the left that the right of a join is read as of; None if it has no FOR SYSTEM_TIME.

    Raises:
        ConfigError: it is no column, or the join is of another kind than INNER and LEFT; points at the place.
    """
    time = _time(node.args["right"])
    if time is None:
        return None
    kind = str(node.args["kind"])
    if kind not in ("INNER", "LEFT"):
        hint = "supported are JOIN and LEFT JOIN with ON, as in Flink"
        message = f"{kind} JOIN (or a comma)" if kind == "CROSS" else f"{kind} JOIN"
        raise ConfigError(f"{message} can't read FOR SYSTEM_TIME AS OF", hint=hint, location=at(node, source))
    expr = ExpressionBinder(Scope(left.plan.schema, left.members), source).bind(time)
    if not isinstance(expr, Column):
        message = "FOR SYSTEM_TIME AS OF reads a time attribute of the left side, as in Flink"
        raise ConfigError(message, hint=_TIME, location=at(time, source))
    return expr.name


def refuse_system_time(node: n.Node, source: Source) -> None:
    """
    Make sure that what stands in FROM, and is not the right of a join, is read as it is now.

    Raises:
        ConfigError: it has FOR SYSTEM_TIME; points at it.
    """
    time = _time(node)
    if time is not None:
        hint = "leave it out, or join: FROM o JOIN t FOR SYSTEM_TIME AS OF o.ts AS t ON ..."
        message = "FOR SYSTEM_TIME AS OF stands on the right of a join"
        raise ConfigError(message, hint=hint, location=at(time, source))


def _time(node: n.Node) -> n.Node | None:
    return n.get(node, "system_time") if isinstance(node, n.TableSource) else None


def temporal(join: Join, time: str, retry: LookupRetry | None) -> TemporalJoin:
    """Give a join as one as of a column of the left; `retry` is for a lookup."""
    return TemporalJoin(
        schema=join.schema,
        left=join.left,
        right=join.right,
        kind=join.kind,
        condition=join.condition,
        time=time,
        retry=retry,
        location=join.location,
    )


def settle(join: TemporalJoin) -> Node:
    """
    Give a temporal join whose sides are bound, with the row time of the versions.

    The time attributes of the left stay what they are, those of the right become plain timestamps.

    Raises:
        ConfigError: a side has no time attribute, or the join no key.
    """
    left = join.left.schema
    own = left[join.time]
    if own.time is None:
        message = f"'{own.name}' is no time attribute, which FOR SYSTEM_TIME AS OF needs"
        raise ConfigError(message, hint=_TIME, location=join.location)
    if own.time is TimeAttribute.PROCTIME:
        return lookup(join)
    if not join.keys:
        hint = "compare columns of both sides in ON: o.k = t.k"
        raise ConfigError("a temporal join needs an equality in ON", hint=hint, location=join.location)
    version_time = _version_time(join, own)
    kept = {f.name: f.time for f in left}
    schema = Schema(tuple(replace(f, time=kept.get(f.name)) for f in join.schema))
    return replace(join, schema=schema, version_time=version_time)


def _version_time(join: TemporalJoin, own: Field) -> str:
    """Give the row time of the right, which is of the type of the left's own."""
    times = [f for f in join.right.schema if f.time is TimeAttribute.ROWTIME]
    if not times and any(isinstance(below, Aggregate) for below in walk(join.right)):
        hint = "keep the last row of each key by ROW_NUMBER"
        message = "a temporal join with an aggregation is not supported: it has no row time"
        raise UnsupportedError(message, hint=hint, location=join.location)
    if not times:
        hint = "declare it: WATERMARK FOR ts AS ts"
        raise ConfigError("the versioned side of a temporal join has no row time", hint=hint, location=join.location)
    if times[0].type.kind is not own.type.kind:
        shown = f"{own.type.with_nullable(True).sql()} and {times[0].type.with_nullable(True).sql()}"
        message = f"the row times of a temporal join are of two types: {shown}"
        raise ConfigError(message, hint="declare both of one type", location=join.location)
    return times[0].name
