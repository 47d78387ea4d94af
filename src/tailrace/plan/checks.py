"""What a plan must keep to before it may run."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.errors import UnsupportedError
from tailrace.plan.changelog import changelog_modes
from tailrace.plan.nodes import Sink, WindowKind, WindowTable, walk


def check(sinks: Sequence[Sink]) -> None:
    """
    Make sure that optimized plans can run.

    Raises:
        ConfigError: a node can't take the updates that come into it.
        UnsupportedError: a window is used in a way that has no operator.
    """
    changelog_modes(sinks)
    for node in (n for sink in sinks for n in walk(sink)):
        if isinstance(node, WindowTable) and node.window.kind is WindowKind.SESSION:
            hint = "group by the columns of its PARTITION BY, window_start and window_end"
            raise UnsupportedError("SESSION without an aggregation is not supported", hint=hint, location=node.location)
