"""Process functions over a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tailrace.api import queries, trees
from tailrace.api.expr import sort_keys
from tailrace.api.places import place
from tailrace.api.trees import placed
from tailrace.errors import ConfigError
from tailrace.sql.binder import functions
from tailrace.sql.binder.process import INPUT, ON_TIME, SIDE, UID
from tailrace.sql.dialect import nodes as n
from tailrace.user_functions.processing import ProcessFunction

ORDER = "order"


def processed(
    table: n.Query,
    function: ProcessFunction[..., Any] | type[Any],
    keys: Sequence[str],
    texts: Mapping[str, str],
    arguments: Mapping[str, Any],
) -> n.Query:
    """
    Give the query of the rows that a process function makes of a table; `texts` has time, order, uid and output, if they are given.

    Raises:
        ConfigError: it is no process function.
    """
    # type checkers see the class, and not what the decorator makes of it
    if not isinstance(function, ProcessFunction):
        what = f"{getattr(function, '__name__', function)!r} is no process function"
        raise ConfigError(what, hint="write @tr.process(result_type=...) above its class", location=place().location())
    plain = queries.plain_source(table)
    named = isinstance(plain, n.TableSource)
    this = plain.args["name"].copy() if named and plain is not None else table.copy()
    order = sort_keys(texts[ORDER]) if texts[ORDER] else []
    data = placed(n.TableArgument(this=this, partition=[trees.name(k) for k in keys], order=order))
    given: dict[str, n.Node] = {INPUT: data, **{name: trees.literal(value) for name, value in arguments.items()}}
    if time := texts[ON_TIME]:
        given[ON_TIME] = placed(n.Descriptor(columns=[trees.identifier(time)]))
    given |= {name: trees.literal(texts[name]) for name in (UID, SIDE) if texts[name]}
    named_arguments = [placed(n.NamedArgument(name=trees.identifier(k), value=v)) for k, v in given.items()]
    call = placed(n.TableFunction(this=function.__name__, arguments=named_arguments))
    functions.let_mean(call, function)
    return queries.select(placed(n.FunctionSource(function=call)))
