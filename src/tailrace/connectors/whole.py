"""Tables read as a whole: all rows of a source that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from tailrace.connectors.base import Assigned, Block, Limit, Reader, Source
from tailrace.errors import DataError
from tailrace.formats.base import Decoded, Reject


def read_whole(
    source: Source, decode: Callable[[Block], Decoded], empty: pl.DataFrame, halted: Callable[[], bool]
) -> pl.DataFrame | None:
    """
    Give all rows of a source that ends, with the columns of `empty`; None if `halted` told to stop.

    Raises:
        DataError: a row can't be read.
        TransientError, TerminalError: as the source raises them.
    """
    reader = source.open({})
    try:
        frames = []
        for block in _blocks(source, reader, halted):
            decoded = decode(block)
            if decoded.rejects:
                raise _refused(block, decoded.rejects[0])
            frames.append(decoded.frame)
    finally:
        reader.close()
    if halted():
        return None
    return pl.concat([empty, *frames], rechunk=True)


def _blocks(source: Source, reader: Reader, halted: Callable[[], bool]) -> Iterator[Block]:
    live: set[str] = set()
    over = False
    while not halted():
        blocks, changes = reader.poll(Limit()), reader.changes()
        for change in changes:
            (live.add if isinstance(change, Assigned) else live.discard)(change.partition)
        yield from blocks
        # a partition may be announced only when the one before it has ended, so one empty look more decides
        if over and not blocks and not changes:
            return
        over = source.bounded and not live and not blocks


def _refused(block: Block, reject: Reject) -> DataError:
    offset = "" if block.offsets is None else f", offset {int(block.offsets[reject.row])}"
    message = f"a table that is looked up in, partition '{block.partition}'{offset}: {reject.reason}"
    return DataError(message, hint="mend the row: a table that is looked up in must be read as a whole")
