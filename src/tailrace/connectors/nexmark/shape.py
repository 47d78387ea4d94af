"""What the numbers of a Nexmark stream are: how many of each kind, how skewed, how fast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

FIRST_ID = 1000
"""Persons and auctions are numbered from here."""
FIRST_CATEGORY = 10
CATEGORIES = 5
ID_LEAD = 10
"""Bids and sellers may name so many auctions and persons that are yet to come."""
HOT_BATCH = 100
"""The hot person or auction changes with every so many new ones."""
BASE_TIME = 1_436_918_400_000
"""2015-07-15, the time of event 0."""


class EventKind(IntEnum):
    """What an event is, as `event_type` tells."""

    PERSON = 0
    AUCTION = 1
    BID = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """
    All that the events depend on, beside their numbers.

    Of `cycle` consecutive events the first `persons` are persons, then come `auctions`, then `bids`. One in `hot_...`
    references is to a cold one. `rate` is in events for each second of event time; `group` consecutive events change
    places among each other.
    """

    seed: int = 0
    start_time: int = BASE_TIME
    rate: int = 10_000
    persons: int = 1
    auctions: int = 3
    bids: int = 46
    person_size: int = 200
    auction_size: int = 500
    bid_size: int = 100
    hot_sellers: int = 4
    hot_auctions: int = 2
    hot_bidders: int = 4
    active_people: int = 1000
    auctions_in_flight: int = 100
    group: int = 1

    @property
    def cycle(self) -> int:
        """The events after which the kinds repeat."""
        return self.persons + self.auctions + self.bids
