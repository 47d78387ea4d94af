"""The traces of rows that an operator keeps: whoever comes out later under the same key goes on from them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.tracing import Header
from tailrace.plan import nodes

MOST_KEYS = 10_000
MOST_LINKS = 32
"""So many traces are remembered for a key: the last ones."""

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class TraceMemory:
    """
    Remembers, for an operator that puts out other rows than it took, which traces went in under which key.

    A key is forgotten with the first rows that come out for it, or when too many others came after it.
    """

    def __init__(self, node: nodes.Node) -> None:
        self._inputs = [_key(node, port) for port in range(len(node.inputs))]
        self._output = _out_key(node)
        self._known: OrderedDict[int, deque[Header]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, port: int, rows: pl.DataFrame, places: Places, headers: Sequence[Header]) -> None:
        """Take note of the rows at some places of those that went in, each with its place in its trace."""
        names = self._inputs[port] if self._output else ()
        for key, header in zip(_hashes(rows[places], names).tolist(), headers, strict=True):
            self._known.setdefault(key, deque(maxlen=MOST_LINKS)).append(header)
            self._known.move_to_end(key)
        while len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def take(self, rows: pl.DataFrame) -> list[tuple[Places, list[Header]]]:
        """Give the places of rows that come out and belong to a trace, with the traces, the last one last; by key."""
        hashes = _hashes(rows, self._output)
        places = np.flatnonzero(np.isin(hashes, np.fromiter(self._known, np.uint64, len(self._known))))
        found = hashes[places]
        return [(places[found == key], list(self._known.pop(int(key)))) for key in np.unique(found)]


def _hashes(rows: pl.DataFrame, names: Sequence[str]) -> Hashes:
    if not names:
        return np.zeros(len(rows), np.uint64)
    return rows[list(names)].hash_rows(seed=1).to_numpy()


def _key(node: nodes.Node, port: int) -> tuple[str, ...]:
    """Give the columns by which an operator keeps rows of an input; all of them where it only holds rows back."""
    if isinstance(node, nodes.Join):
        return tuple(k.right if port else k.left for k in node.keys)
    if isinstance(node, nodes.Sort | nodes.WindowTable):
        return tuple(f.name for f in node.input.schema if not f.type.polars.is_nested())
    names: tuple[str, ...] = getattr(node, "keys", ()) or getattr(node, "partition", ())
    return names


def _out_key(node: nodes.Node) -> tuple[str, ...]:
    """Give the same columns as they come out; none where they do not, so that only the operator is known."""
    for port in range(len(node.inputs)):
        names = _key(node, port)
        if all(n in node.schema for n in names):
            return names
    return ()
