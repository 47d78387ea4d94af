"""The source that reads a table once, in segments; a position is the key of the last item."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tailrace.connectors.aws.failures import ThrottledError, reported, throttled_backoff
from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.dynamodb.client import Found, Place, check, look, refuse_other_types
from tailrace.connectors.dynamodb.types import Item, frame_of
from tailrace.engine.batch import KIND
from tailrace.errors import ConfigError, TerminalError
from tailrace.schema import Schema

_PAGE = 1000
"""So many items are asked for at a time; DynamoDB gives at most 1 MB."""


@dataclass(frozen=True, slots=True)
class Scanning:
    """What is read of a table: physical columns and metadata, in how many segments."""

    place: Place
    schema: Schema
    metadata: dict[str, pl.DataType]
    segments: int
    consistent: bool


class ScanSource(Source):
    """Reads a table to its end; what is written meanwhile may be read or not."""

    bounded = True

    def __init__(self, scanning: Scanning) -> None:
        self.scanning = scanning

    def open(self, positions: Positions) -> ScanReader:
        return ScanReader(self.scanning, positions)

    def check(self) -> Report:
        return check(self.scanning.place, self._usable)

    def _usable(self, found: Found) -> None:
        refuse_other_types(found, self.scanning.place, self.scanning.schema)


class Scan:
    """Asks for the pages of all segments in turn."""

    def __init__(self, scanning: Scanning, positions: Positions) -> None:
        self._scanning = scanning
        self._client = scanning.place.client()
        refuse_other_types(look(self._client, scanning.place), scanning.place, scanning.schema)
        self._backoff = throttled_backoff()
        self._not_before = 0.0
        self.throttled = 0.0
        total = scanning.segments
        self.names = [f"{i}/{total}" for i in range(total)]
        _refuse_other_cut(positions, self.names)
        self._at = {name: positions.get(name, ["", 0]) for name in self.names}
        self.live = [name for name in self.names if self._at[name][0] is not None]

    def announced(self) -> list[Change]:
        """Give the segments as partitions, and those that were read to their end before."""
        done = [name for name in self.names if name not in self.live]
        return [*map(Assigned, self.names), *map(Ended, done)]

    def page(self, limit: Limit) -> tuple[str, list[Item], list[Any], int] | None:
        """Give the next page: its segment, the items, the position after it, and the number of its first item; None: not now."""
        if not self.live or time.monotonic() < self._not_before:
            return None
        name = self.live.pop(0)
        key, count = self._at[name]
        try:
            with reported(self._scanning.place.shown):
                answer = self._client.scan(**self._request(name, key, limit))
        except ThrottledError:
            self._hold(name)
            return None
        except BaseException:
            self.live.insert(0, name)
            raise
        self._backoff.reset()
        items: list[Item] = answer["Items"]
        last = answer.get("LastEvaluatedKey")
        self._at[name] = [None if last is None else as_text(last), count + len(items)]
        if last is not None:
            self.live.append(name)
        return name, items, self._at[name], count

    def _hold(self, name: str) -> None:
        """Leave it alone for a while."""
        pause = self._backoff.next()
        self.throttled += pause
        self._not_before = time.monotonic() + pause
        self.live.insert(0, name)

    def _request(self, name: str, key: str, limit: Limit) -> dict[str, Any]:
        scanning = self._scanning
        number, total = map(int, name.split("/"))
        request: dict[str, Any] = {
            "TableName": scanning.place.table,
            "Limit": max(1, min(limit.rows, _PAGE)),
            "ConsistentRead": scanning.consistent,
            "Segment": number,
            "TotalSegments": total,
        }
        if len(scanning.schema):
            names = {f"#c{i}": n for i, n in enumerate(scanning.schema.names)}
            request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        if key:
            request["ExclusiveStartKey"] = of_text(key)
        return request

    def close(self) -> None:
        """Let go of the client."""
        self._client.close()


def _refuse_other_cut(positions: Positions, names: list[str]) -> None:
    odd = next((p for p in positions if p not in names), None)
    if odd is not None:
        message = f"the checkpoint has read segments as {odd}, and 'scan.segments' is {len(names)} now"
        raise ConfigError(message, hint=f"set 'scan.segments' = '{odd.partition('/')[2]}', or begin with new state")


class ScanReader(Reader):
    """A scan as blocks."""

    def __init__(self, scanning: Scanning, positions: Positions) -> None:
        self._scanning = scanning
        self._scan = Scan(scanning, positions)
        self._changes = self._scan.announced()
        self._announced = False

    @property
    def throttled(self) -> float:
        return self._scan.throttled

    def poll(self, limit: Limit) -> list[Block]:
        if not self._announced:
            return []
        found = self._scan.page(limit)
        if found is None:
            if self._scan.live:
                time.sleep(limit.wait_seconds)
            return []
        name, items, position, first = found
        if position[0] is None:
            self._changes.append(Ended(name))
        return [block(self._scanning, name, items, position, first)] if items else []

    def changes(self) -> list[Change]:
        self._announced = True
        found, self._changes = self._changes, []
        return found

    def close(self) -> None:
        self._scan.close()


def block(
    scanning: Scanning, name: str, items: list[Item], position: Any, first: int, kinds: pl.Series | None = None
) -> Block:
    """Make a block of items, which have no metadata; those that can't be read are told with what they are."""
    frame, bad = frame_of(items, scanning.schema)
    if not len(scanning.schema):
        frame = pl.DataFrame(height=len(items))
    if kinds is not None:
        frame = frame.with_columns(kinds.alias(KIND))
    metadata = pl.DataFrame({n: pl.Series([None] * len(items), dtype=t) for n, t in scanning.metadata.items()})
    return Block(
        name,
        frame,
        position,
        np.arange(first, first + len(items), dtype=np.int64),
        metadata=metadata if scanning.metadata else None,
        rejects=tuple(bad[row] for row in sorted(bad)),
        originals={row: as_text(items[row]).encode() for row in bad},
    )


def as_text(item: Item) -> str:
    """
    Write an item as JSON, as the tools of AWS do: bytes by base64.

    >>> as_text({"id": {"B": b"a"}})
    '{"id": {"B": "YQ=="}}'
    """
    return json.dumps(item, default=lambda value: base64.b64encode(bytes(value)).decode())


def of_text(text: str) -> Item:
    """
    Read the key of an item, as `as_text` wrote it.

    >>> of_text('{"id": {"B": "YQ=="}}')
    {'id': {'B': b'a'}}

    Raises:
        TerminalError: it is none.
    """
    try:
        item = json.loads(text)
        return {n: {t: base64.b64decode(v) if t == "B" else v} for n, a in item.items() for t, v in a.items()}
    except (ValueError, AttributeError, TypeError):
        raise TerminalError("the position of a scan of DynamoDB can't be read", hint="begin with new state") from None
