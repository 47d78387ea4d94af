"""
What the pattern queries must give: each pattern spelled out as a walk over the bids of one auction and bidder.

A search that the end of the bids leaves open could still have come to a match. Its bids might then be no others', so
that matches which begin behind it are not put out; in Flink neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import polars as pl
from nexmark_events import Auction


class Bid(NamedTuple):
    """A bid, with its time in milliseconds."""

    price: int
    time: int


class Match(NamedTuple):
    """What a match gives, and where the search goes on."""

    values: tuple[int, ...]
    next: int


OPEN = Match((), -1)
"""The bids end before the search does."""

Finder = Callable[[list[Bid], int], Match | None]


def _partitions(a: Auction) -> Iterator[tuple[tuple[int, int], list[Bid]]]:
    rows = a.bids.sort("dateTime", "number").select("auction", "bidder", "price", pl.col("dateTime").to_physical())
    for (auction, bidder), group in rows.group_by("auction", "bidder", maintain_order=True):
        yield (auction, bidder), [Bid(*row) for row in group.select("price", "dateTime").iter_rows()]


def _found(a: Auction, find: Finder, names: tuple[str, ...]) -> pl.DataFrame:
    """Search from each bid on; after a match where it says."""
    out = []
    for key, bids in _partitions(a):
        at = 0
        while at < len(bids):
            match = find(bids, at)
            if match is OPEN:
                break
            out += [(*key, *match.values)] if match else []
            at = match.next if match else at + 1
    columns = ("auction", "bidder", *names)
    frame = pl.DataFrame(out, schema=dict.fromkeys(columns, pl.Int64), orient="row")
    return frame.with_columns(pl.col(c).cast(pl.Datetime("ms")) for c in names if c.endswith("time"))


def _fall(bids: list[Bid], start: int) -> Match | None:
    """From a bid down, and up again; the next search begins where it is up."""
    at = start + 1
    while at < len(bids) and bids[at].price < bids[at - 1].price:
        at += 1
    if at == start + 1 or at == len(bids) or bids[at].price == bids[at - 1].price:
        return None
    return Match((bids[start].time, bids[at - 1].time, bids[at].time), at)


def _cheap(bids: list[Bid], start: int, *, once: bool) -> Match | None:
    """Take bids as long as their average is low; one more must come after them, the first that is too high."""
    total, at = 0, start
    while at < len(bids) and (total + bids[at].price) // (at - start + 1) < 10_000:
        total += bids[at].price
        at += 1
    if at == start:
        return None
    if at == len(bids):
        return OPEN
    values = (bids[start].time, bids[at - 1].time, total // (at - start))
    return Match(values, at + 1 if once else start + 1)


def _cheap_once(bids: list[Bid], start: int) -> Match | None:
    return _cheap(bids, start, once=True)


def _cheap_each(bids: list[Bid], start: int) -> Match | None:
    return _cheap(bids, start, once=False)


def _drop(bids: list[Bid], start: int) -> Match | None:
    """From a bid on none is 50 or more below it, until one is, less than five seconds later."""
    limit = bids[start].price - 50
    at = start + 1
    while at < len(bids) and bids[at].price > limit:
        at += 1
    if at == len(bids) or bids[at].price == limit or bids[at].time - bids[start].time >= 5000:
        return None
    return Match((bids[at].time, bids[start].price - bids[at].price), at + 1)


def cep0(a: Auction) -> pl.DataFrame:
    return _found(a, _fall, ("starttime", "bottomtime", "endtime"))


def cep1(a: Auction) -> pl.DataFrame:
    return _found(a, _cheap_once, ("starttime", "endtime", "average"))


def cep2(a: Auction) -> pl.DataFrame:
    return _found(a, _cheap_each, ("starttime", "endtime", "average"))


def cep3(a: Auction) -> pl.DataFrame:
    return _found(a, _drop, ("droptime", "drop"))
