"""The fields of persons, auctions and bids, each made from nothing but the events' ids."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import polars as pl

from tailrace.connectors import draws
from tailrace.connectors.nexmark.events import I64, Events
from tailrace.connectors.nexmark.shape import CATEGORIES, FIRST_CATEGORY, FIRST_ID, EventKind
from tailrace.connectors.nexmark.texts import Text, fixed_padding, padding, random_words, text

Column = I64 | Text | pl.Series
Maker = Callable[[Events], Column]

_FIRST_NAMES = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"]
_LAST_NAMES = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"]
_NAMES = pl.Series([f"{first} {last}" for first in _FIRST_NAMES for last in _LAST_NAMES])
_CITIES = pl.Series(
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"]
)
_STATES = pl.Series(["AZ", "CA", "ID", "OR", "WA", "WY"])
_ID_BYTES = 8
_NUMBER_BYTES = 40
"""What an auction's numbers and times count for in its size."""
_BID_BYTES = 32
_HOT_CHANNELS = ("Google", "Facebook", "Baidu", "Apple")
_CHANNELS = 10_000
_PRICE_DECADES = math.log(1e6)


def price(events: Events, name: str) -> I64:
    """Draw prices in cents: each order of magnitude from 1.00 to 1,000,000.00 is as likely as the others."""
    drawn = np.exp(events.draw(name).unit() * _PRICE_DECADES)
    prices: I64 = np.rint(drawn * 100).astype(np.int64)
    return prices


def _choice(events: Events, name: str, words: pl.Series) -> Text:
    return Text(words, events.draw(name).first(len(words)))


def _email(events: Events) -> pl.Series:
    user, host = (text(events, f"person.email.{part}", size).column for part, size in (("user", 7), ("host", 5)))
    return pl.select(pl.concat_str([user, pl.lit("@"), host, pl.lit(".com")])).to_series()


def _credit_card(events: Events) -> pl.Series:
    drawn = [events.draw(f"person.creditCard.{i}").first(10_000) for i in range(4)]
    groups = [pl.Series(f"{i}", d).cast(pl.String).str.zfill(4) for i, d in enumerate(drawn)]
    return pl.select(pl.concat_str(groups, separator=" ")).to_series()


def _person_extra(events: Events) -> pl.Series:
    used = _ID_BYTES + _sizes(events, PERSON, "name", "emailAddress", "creditCard", "city", "state")
    return padding(events, "person.extra", used, events.shape.person_size)


def _auction_extra(events: Events) -> pl.Series:
    used = _ID_BYTES + _NUMBER_BYTES + _sizes(events, AUCTION, "itemName", "description")
    return padding(events, "auction.extra", used, events.shape.auction_size)


def _sizes(events: Events, makers: dict[str, Maker], *names: str) -> I64:
    """Give the bytes of some texts together."""
    sizes = np.zeros(len(events), dtype=np.int64)
    for name in names:
        column = makers[name](events)
        assert not isinstance(column, np.ndarray)
        series = column.column if isinstance(column, Text) else column
        sizes += series.str.len_bytes().to_numpy()
    return sizes


def _expires(events: Events) -> I64:
    """Give an end after up to twice the time that the next auctions in flight take to come."""
    shape = events.shape
    ahead = shape.auctions_in_flight * shape.cycle // shape.auctions
    horizon = events.times_at(events.ids + ahead) - events.times
    return events.times + 1 + events.draw("auction.expires").first(np.maximum(2 * horizon, 1))


def _reserve(events: Events) -> I64:
    return price(events, "auction.initialBid") + price(events, "auction.reserve")


def _channel(events: Events, words: pl.Series) -> Text:
    """Give each bid a word of its channel: the four hot ones have half of the bids."""
    drawn = events.draw("bid.channel")
    hot = len(_HOT_CHANNELS)
    # one number for both: its first bit tells hot from cold, so that the rest is free to choose
    place = drawn.first(2 * hot * _CHANNELS)
    cold = place >= hot * _CHANNELS
    return Text(words, np.where(cold, hot + place % _CHANNELS, place % hot))


@lru_cache(maxsize=8)
def _channels() -> pl.Series:
    return pl.Series([*_HOT_CHANNELS, *(f"channel-{n}" for n in range(_CHANNELS))])


@lru_cache(maxsize=8)
def _urls(seed: int) -> pl.Series:
    """Make the url of each channel; nine in ten of the cold ones name its id."""
    count = len(_HOT_CHANNELS) + _CHANNELS
    parts = [random_words(seed, f"bid.url.{i}", 5, "_", count) for i in range(3)]
    named = draws.between(draws.stream(seed, "bid.url.id"), np.arange(_CHANNELS, dtype=np.int64), 0, 9) > 0
    ids = [f"&channel_id={_reversed(n)}" if has else "" for n, has in enumerate(named.tolist())]
    path = pl.concat_str([pl.lit("https://www.nexmark.com"), *parts], separator="/") + "/item.htm?query=1"
    return pl.select(path + pl.Series([""] * len(_HOT_CHANNELS) + ids)).to_series()


def _reversed(number: int) -> int:
    """
    Give the size of the number whose 32 bits are those of `number` from the other end.

    >>> _reversed(1), _reversed(2)
    (2147483648, 1073741824)
    """
    backwards = int(f"{number:032b}"[::-1], 2)
    return min(backwards, (1 << 32) - backwards)


PERSON: dict[str, Maker] = {
    "id": lambda e: e.last_person + FIRST_ID,
    "name": lambda e: _choice(e, "person.name", _NAMES),
    "emailAddress": _email,
    "creditCard": _credit_card,
    "city": lambda e: _choice(e, "person.city", _CITIES),
    "state": lambda e: _choice(e, "person.state", _STATES),
    "dateTime": lambda e: e.times,
    "extra": _person_extra,
}
AUCTION: dict[str, Maker] = {
    "id": lambda e: e.last_auction + FIRST_ID,
    "itemName": lambda e: text(e, "auction.itemName", 20),
    "description": lambda e: text(e, "auction.description", 100),
    "initialBid": lambda e: price(e, "auction.initialBid"),
    "reserve": _reserve,
    "dateTime": lambda e: e.times,
    "expires": _expires,
    "seller": lambda e: e.person("auction.seller", e.shape.hot_sellers, 0) + FIRST_ID,
    "category": lambda e: e.draw("auction.category").first(CATEGORIES) + FIRST_CATEGORY,
    "extra": _auction_extra,
}
BID: dict[str, Maker] = {
    "auction": lambda e: e.auction("bid.auction", e.shape.hot_auctions) + FIRST_ID,
    "bidder": lambda e: e.person("bid.bidder", e.shape.hot_bidders, 1) + FIRST_ID,
    "price": lambda e: price(e, "bid.price"),
    "channel": lambda e: _channel(e, _channels()),
    "url": lambda e: _channel(e, _urls(e.shape.seed)),
    "dateTime": lambda e: e.times,
    "extra": lambda e: fixed_padding(e, "bid.extra", _BID_BYTES, e.shape.bid_size),
}
FIELDS = {EventKind.PERSON: PERSON, EventKind.AUCTION: AUCTION, EventKind.BID: BID}
