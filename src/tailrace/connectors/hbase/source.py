"""The source: a scan in the order of row keys; a position is the last key."""

from __future__ import annotations

import numpy as np

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.hbase.client import Connections, Server, check, look
from tailrace.connectors.hbase.layout import Layout


class HbaseSource(Source):
    """Reads a table once, from the first row key to the last; what is written meanwhile may be read or not."""

    bounded = True

    def __init__(self, server: Server, layout: Layout, start: bytes, end: bytes, fetch_size: int) -> None:
        self.server = server
        self.layout = layout
        self.start = start
        self.end = end
        self.fetch_size = fetch_size

    def open(self, positions: Positions) -> HbaseReader:
        return HbaseReader(self, positions)

    def check(self) -> Report:
        return check(self.server, self.layout, created=False)


class HbaseReader(Reader):
    """Asks for the rows behind the last key, some at a time: no scanner stays open, so none can expire."""

    def __init__(self, source: HbaseSource, positions: Positions) -> None:
        self._source = source
        self._name = source.layout.table
        self._connections = Connections(source.server)
        key, self._count = positions.get(self._name, ["", 0])
        self._next = bytes.fromhex(key) + b"\0" if key else source.start
        self._announced = self._over = self._ended = False
        with self._connections.one() as connection:
            look(source.server, connection, source.layout)

    def poll(self, limit: Limit) -> list[Block]:
        if self._over or not self._announced:
            return []
        source = self._source
        count = min(limit.rows, source.fetch_size)
        with self._connections.one() as connection:
            # of all columns: a row without any of those that are asked for is a row all the same
            end, table = source.end or None, connection.table(self._name)
            found = list(table.scan(row_start=self._next, row_stop=end, limit=count, batch_size=count))
        self._over = len(found) < count
        if not found:
            return []
        keys = [key for key, _ in found]
        frame = source.layout.frame(keys, [cells for _, cells in found])
        offsets = np.arange(self._count, self._count + len(keys), dtype=np.int64)
        self._count += len(keys)
        self._next = keys[-1] + b"\0"
        return [Block(self._name, frame, [keys[-1].hex(), self._count], offsets)]

    def changes(self) -> list[Change]:
        if not self._announced:
            self._announced = True
            return [Assigned(self._name)]
        if self._over and not self._ended:
            self._ended = True
            return [Ended(self._name)]
        return []

    def close(self) -> None:
        self._connections.close()
