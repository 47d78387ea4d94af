"""The older windows of GROUP BY: `TUMBLE(ts, INTERVAL '1' MINUTE)` and its kin, with `TUMBLE_START` and so on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.nodes import WindowProperty, WindowTable
from tailrace.sql.binder.expressions import GROUP_WINDOW_KINDS, ExpressionBinder
from tailrace.sql.binder.windows import WindowBinder
from tailrace.sql.dialect import nodes as n

_PARTS = {
    "START": WindowProperty.START,
    "END": WindowProperty.END,
    "ROWTIME": WindowProperty.TIME,
    "PROCTIME": WindowProperty.TIME,
}


def is_group_window(node: n.Node) -> bool:
    """Tell whether a key of GROUP BY is a window."""
    return isinstance(node, n.Call) and str(node.this).upper() in GROUP_WINDOW_KINDS


@dataclass(frozen=True, slots=True)
class GroupWindow:
    """The window of one GROUP BY: its kind, and its arguments as bound over the input."""

    kind: str
    arguments: tuple[Expr, ...]
    table: WindowTable

    @property
    def keys(self) -> list[Column]:
        """The window's columns, by which rows are grouped."""
        return [Column(self.table.schema[p.value].type, p.value) for p in WindowProperty]

    def edge(self, node: n.Call, binder: ExpressionBinder) -> Column | None:
        """
        Give the column that an auxiliary function means; None if the call is another function.

        Raises:
            ConfigError: it is of another window than the one of GROUP BY.
        """
        kind, _, part = str(node.this).upper().partition("_")
        if kind not in GROUP_WINDOW_KINDS or part not in _PARTS:
            return None
        if kind != self.kind or tuple(binder.bind(a) for a in n.get(node, "arguments") or []) != self.arguments:
            message = f"{node.this} is of another window than GROUP BY"
            hint = f"give it the arguments of the {self.kind} in GROUP BY"
            raise ConfigError(message, hint=hint, location=binder.at(node))
        name = _PARTS[part].value
        return Column(self.table.schema[name].type, name)


def group_window(keys: Iterable[n.Node], plan: Plan, binder: ExpressionBinder) -> GroupWindow | None:
    """
    Give the window among the keys of a GROUP BY; None if there is none.

    Raises:
        ConfigError: there are several, or one has wrong arguments.
    """
    keys = list(keys)
    calls = [k for k in keys if is_group_window(k)]
    if not calls:
        return None
    if any(c != calls[0] for c in calls):
        raise ConfigError("GROUP BY can have one window only", location=binder.at(calls[1]))
    call = calls[0]
    kind = str(call.this).upper()
    given = n.get(call, "arguments") or []
    bound = tuple(binder.bind(a) for a in given)
    if not bound or not isinstance(bound[0], Column):
        hint = f"write {kind}(ts, INTERVAL '1' MINUTE)"
        raise ConfigError(f"{kind} needs a time column first", hint=hint, location=binder.at(call))
    partition = _partition(keys, binder) if kind == "SESSION" else []
    function = _function(call, kind, bound[0].name, given[1:], partition)
    return GroupWindow(kind, bound, WindowBinder(function, binder.source, lambda _: plan).bind())


def _partition(keys: Iterable[n.Node], binder: ExpressionBinder) -> list[str]:
    """Give the other keys, by which sessions are made."""
    found = []
    for key in keys:
        if is_group_window(key):
            continue
        bound = binder.bind(key)
        if not isinstance(bound, Column):
            hint = "compute it in a query below: FROM (SELECT …)"
            raise ConfigError("beside SESSION only columns can be keys", hint=hint, location=binder.at(key))
        found.append(bound.name)
    return found


def _function(call: n.Node, kind: str, time: str, lengths: list[n.Node], partition: list[str]) -> n.TableFunction:
    """Give the window table function that means the same."""
    names = [n.Name(parts=[n.Identifier(this=name)]) for name in partition]
    data = n.TableArgument(this=n.Name(parts=[n.Identifier(this="input")]), partition=names)
    descriptor = n.Descriptor(columns=[n.Identifier(this=time)])
    made = n.TableFunction(this=kind, arguments=[data, descriptor, *lengths])
    for node in (made, data, descriptor, *descriptor.args["columns"], *names):
        node.meta.update(call.meta)
    return made
