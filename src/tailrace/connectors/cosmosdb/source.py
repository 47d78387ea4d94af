"""The change feed as a source: a position is the continuation of a range of the feed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from azure.cosmos.exceptions import CosmosHttpResponseError

from tailrace.clock import Clock
from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.cosmosdb.client import Connection, Place, check
from tailrace.connectors.cosmosdb.items import Ids, decoded, decoder
from tailrace.connectors.cosmosdb.options import EARLIEST, LATEST
from tailrace.connectors.event_loop import EventLoop
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import TerminalError
from tailrace.formats.base import Decoded
from tailrace.schema import Schema

_GONE, _BAD = 410, 400


@dataclass(frozen=True, slots=True)
class Feed:
    """How the feed is read."""

    start: str
    millis: int
    every_version: bool
    fetch_size: int
    rest_seconds: float

    def begin(self) -> dict[str, Any]:
        """Give the arguments that begin a range of the feed."""
        if self.start == EARLIEST:
            since: Any = "Beginning"
        elif self.start == LATEST:
            since = "Now"
        else:
            since = datetime.fromtimestamp(self.millis / 1000, UTC)
        mode = {"mode": "AllVersionsAndDeletes"} if self.every_version else {}
        return {"start_time": since} | mode


class CosmosSource(Source):
    """Reads the changes of a container in the order of each range: with a primary key, what stands at it now."""

    def __init__(
        self,
        place: Place,
        table: str,
        schema: Schema,
        feed: Feed,
        ids: Ids | None,
        clock: Clock,
        *,
        bounded: bool,
    ) -> None:
        self.place = place
        self.table = table
        self.schema = schema
        self.feed = feed
        self.ids = ids
        self.clock = clock
        self.bounded = bounded

    def open(self, positions: Positions) -> CosmosReader:
        return CosmosReader(self, positions)

    def check(self) -> Report:
        return check(self.place, lambda _: None)


@dataclass(slots=True)
class _Range:
    """A range of the feed: where it stands (None: at its start), and when it is asked next."""

    name: str
    feed_range: dict[str, Any] | None
    at: str | None
    due: float = 0.0
    more: bool = True
    count: int = 0


@dataclass(slots=True)
class _Page:
    """What one request gave, and the continuation behind it."""

    items: list[dict[str, Any]] = field(default_factory=list)
    after: str | None = None


class CosmosReader(Reader):
    """Asks each range that is due for a page; a page is a block."""

    def __init__(self, source: CosmosSource, positions: Positions) -> None:
        self._source = source
        self._decoder = decoder(source.schema)
        self._opened = source.clock.now_ms() // 1000
        self._loop = EventLoop("tailrace-cosmosdb-feed")
        self._connection: Connection | None = None
        try:
            self._connection = self._loop.run(source.place.connect(), source.place.timeout * 2)
            self._ranges = {r.name: r for r in self._loop.run(self._found(positions), source.place.timeout * 2)}
        except BaseException:
            self.close()
            raise
        self._changes: list[Change] = [Assigned(name) for name in self._ranges]

    async def _found(self, positions: Positions) -> list[_Range]:
        """Give the ranges of the positions, and those of the container that no position covers."""
        assert self._connection is not None
        found = [_Range(name, None, str(p["at"]), count=int(p["count"])) for name, p in positions.items()]
        pages = self._connection.container.read_feed_ranges()

        async def ranges() -> list[dict[str, Any]]:
            return [dict(r) async for r in pages]

        for feed_range in await self._source.place.asked(ranges()):
            name = _name(feed_range)
            if not any(_covers(known, name) for known in positions):
                found.append(_Range(name, feed_range, None))
        return found

    def poll(self, limit: Limit) -> list[Block]:
        now = time.monotonic()
        due = [r for r in self._ranges.values() if r.due <= now]
        if not due:
            wait = min((r.due for r in self._ranges.values()), default=now) - now
            time.sleep(min(max(wait, 0.0), limit.wait_seconds))
            return []
        blocks: list[Block] = []
        rows = 0
        for one in due:
            if rows >= limit.rows:
                break
            page = self._loop.run(self._page(one, limit), self._source.place.timeout * 3)
            one.due = 0.0 if page.items else time.monotonic() + self._source.feed.rest_seconds
            one.more = bool(page.items)
            blocks += self._taken(one, page)
            rows += len(page.items)
        return blocks

    async def _page(self, one: _Range, limit: Limit) -> _Page:
        """
        Ask for what came behind a continuation.

        Raises:
            TerminalError: the continuation is of no use any more.
        """
        assert self._connection is not None
        feed, place = self._source.feed, self._source.place
        page, seen = _Page(after=one.at), []

        def heard(headers: Any, _: Any) -> None:
            seen.append(headers)  # the client writes the continuation into these when it has looked at the answer

        given: dict[str, Any] = {"continuation": one.at} if one.at else {"feed_range": one.feed_range, **feed.begin()}
        most = min(feed.fetch_size, limit.rows)
        pager = self._connection.container.query_items_change_feed(max_item_count=most, response_hook=heard, **given)

        async def first() -> None:
            async for items in pager.by_page():
                page.items = [dict(item) async for item in items]
                return

        try:
            await first()
        except CosmosHttpResponseError as error:
            if one.at and error.status_code in (_GONE, _BAD):
                message = (
                    f"the change feed of container '{place.name}' can't go on from its position ({error.status_code})"
                )
                hint = "it goes back only so far; start with new state: changes are lost"
                raise TerminalError(message, hint=hint) from None
            raise place.as_ours(error) from None
        except Exception as error:  # noqa: BLE001  the client raises of many kinds
            raise place.as_ours(error) from None
        page.after = resumable(seen[-1]["etag"]) if seen else one.at
        return page

    def _taken(self, one: _Range, page: _Page) -> list[Block]:
        """Move a range on, and give the block of a page."""
        one.at = page.after
        blocks = [self._block(one, page.items)] if page.items else []
        if self._source.bounded and (not page.items or self._is_beyond(page.items[-1])):
            del self._ranges[one.name]
            self._changes.append(Ended(one.name))
        return blocks

    def _is_beyond(self, item: dict[str, Any]) -> bool:
        """Tell whether a change is later than the start of the reader."""
        at = item.get("_ts") or (item.get("metadata") or {}).get("crts") or 0
        return int(at) > self._opened

    def _block(self, one: _Range, items: list[dict[str, Any]]) -> Block:
        gone = [False] * len(items)
        if self._source.feed.every_version:
            changes = [self._version(item) for item in items]
            items, gone = [item for item, _ in changes], [gone for _, gone in changes]
        found, texts = decoded(self._decoder, items)
        frame = _whole(found, len(items))
        if self._source.ids is not None:
            kinds = np.where(gone, int(RowKind.DELETE), int(RowKind.UPDATE_AFTER)).astype(np.int8)
            frame = frame.with_columns(pl.Series(KIND, kinds))
        offsets = np.arange(one.count, one.count + len(items), dtype=np.int64)
        one.count += len(items)
        originals = {r.row: texts[r.row] for r in found.rejects}
        position = {"at": one.at, "count": one.count}
        return Block(one.name, frame, position, offsets, rejects=tuple(found.rejects), originals=originals)

    def _version(self, change: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Give the item of a change, and whether it is gone: then what is known of it, its key at least."""
        about = change.get("metadata") or {}
        if about.get("operationType") != "delete":
            return change.get("current") or {}, False
        known = dict(change.get("previous") or {}) | dict(about.get("partitionKey") or {})
        id_ = about.get("id")
        assert self._source.ids is not None
        return known | (self._source.ids.values(id_) | {"id": id_} if id_ else {}), True

    def changes(self) -> list[Change]:
        found, self._changes = self._changes, []
        return found

    def behind(self) -> Collection[str]:
        return [r.name for r in self._ranges.values() if r.more]

    def close(self) -> None:
        if self._connection is not None:
            self._loop.run(self._connection.close(), self._source.place.timeout)
            self._connection = None
        self._loop.close()


def _whole(found: Decoded, count: int) -> pl.DataFrame:
    """Give the columns of all rows, NULL where a row could not be read."""
    if found.kept is None:
        return found.frame
    places = pl.DataFrame({"$row": np.arange(count, dtype=np.int64)})
    frame = found.frame.with_columns(pl.Series("$row", found.kept, dtype=pl.Int64))
    return places.join(frame, on="$row", how="left", maintain_order="left").drop("$row")


def resumable(continuation: str) -> str:
    """
    Give a continuation that the client can read again.

    It can't read the time that a feed began at, which means nothing any more once each range has a mark of its own.
    """
    state = json.loads(base64.b64decode(continuation))
    marks = state.get("continuation", {}).get("continuation", [])
    if state.get("startFrom", {}).get("Type") != "PointInTime" or not all(m.get("token") for m in marks):
        return continuation
    state["startFrom"] = {"Type": "Beginning"}
    return base64.b64encode(json.dumps(state).encode()).decode()


def _name(feed_range: dict[str, Any]) -> str:
    """
    Name a range by its ends.

    >>> _name({"Range": {"min": "", "max": "FF"}})
    '..FF'
    """
    ends = feed_range["Range"]
    return f"{ends['min']}..{ends['max']}"


def _covers(known: str, name: str) -> bool:
    """
    Tell whether a range lies within another, as after that was split.

    >>> _covers("..FF", "..7F"), _covers("..7F", "7F..FF")
    (True, False)
    """
    (low, high), (least, most) = known.split(".."), name.split("..")
    return low <= least and most <= high
