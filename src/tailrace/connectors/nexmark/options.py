"""The options of the `nexmark` connector, under the names of the benchmark's own generator where it has them."""

from __future__ import annotations

from tailrace.connectors.nexmark.shape import Shape
from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, Parser, Values, boolean, integer, memory_size, utc_time

_DEFAULT = Shape()
_MOST_EVENTS = 1 << 52


def _at_least(least: int) -> Parser:
    def parse(text: str) -> int:
        if not least <= (value := integer(text)) <= _MOST_EVENTS:
            raise ValueError(f"expected a whole number of at least {least}")
        return value

    return parse


OPTIONS = OptionSet(
    "connector 'nexmark'",
    (
        Option("events.num", _at_least(0), 0, "how many events to make; `0`: no end"),
        Option("first-event.rate", _at_least(1), _DEFAULT.rate, "events for each second of event time"),
        Option("next-event.rate", _at_least(1), doc="must equal `first-event.rate`: the rate does not change"),
        Option(
            "max-emit-speed",
            boolean,
            True,
            "make events as fast as they are taken; `false`: at their rate, by the clock",
        ),
        Option("person.proportion", _at_least(1), _DEFAULT.persons, "persons in each cycle of events"),
        Option("auction.proportion", _at_least(1), _DEFAULT.auctions, "auctions in each cycle of events"),
        Option("bid.proportion", _at_least(0), _DEFAULT.bids, "bids in each cycle of events"),
        Option(
            "person.avg-size", memory_size, _DEFAULT.person_size, "`extra` fills a person up to about so many bytes"
        ),
        Option("auction.avg-size", memory_size, _DEFAULT.auction_size, "the same for an auction"),
        Option("bid.avg-size", memory_size, _DEFAULT.bid_size, "the same for a bid"),
        Option(
            "auction.hot-ratio.sellers", _at_least(1), _DEFAULT.hot_sellers, "one in so many sellers is not the hot one"
        ),
        Option(
            "bid.hot-ratio.auctions",
            _at_least(1),
            _DEFAULT.hot_auctions,
            "one in so many bids is not for the hot auction",
        ),
        Option(
            "bid.hot-ratio.bidders", _at_least(1), _DEFAULT.hot_bidders, "one in so many bids is not by the hot bidder"
        ),
        Option("tailrace.seed", integer, _DEFAULT.seed, "another seed makes other events; the same one makes the same"),
        Option("tailrace.start-time", utc_time, _DEFAULT.start_time, "the time of event 0 (UTC)"),
        Option("tailrace.first-event", _at_least(0), 0, "the number of the first event to give"),
        Option("tailrace.partitions", _at_least(1), 1, "deal the events to so many partitions, by their numbers"),
        Option(
            "tailrace.active-people",
            _at_least(1),
            _DEFAULT.active_people,
            "cold bidders and sellers are of the newest so many",
        ),
        Option(
            "tailrace.auctions-in-flight",
            _at_least(1),
            _DEFAULT.auctions_in_flight,
            "cold auctions are of the newest so many",
        ),
        Option("tailrace.out-of-order-group", _at_least(1), _DEFAULT.group, "so many consecutive events change places"),
    ),
)


def shape_of(options: Values) -> Shape:
    """
    Give the shape that the options ask for.

    Raises:
        ConfigError: a rate that changes.
    """
    rate = options["first-event.rate"]
    if options["next-event.rate"] not in (None, rate):
        message = f"option 'next-event.rate' must be {rate}, as 'first-event.rate': the rate does not change"
        raise ConfigError(message, location=options.location("next-event.rate"))
    return Shape(
        seed=options["tailrace.seed"],
        start_time=options["tailrace.start-time"],
        rate=rate,
        persons=options["person.proportion"],
        auctions=options["auction.proportion"],
        bids=options["bid.proportion"],
        person_size=options["person.avg-size"],
        auction_size=options["auction.avg-size"],
        bid_size=options["bid.avg-size"],
        hot_sellers=options["auction.hot-ratio.sellers"],
        hot_auctions=options["bid.hot-ratio.auctions"],
        hot_bidders=options["bid.hot-ratio.bidders"],
        active_people=options["tailrace.active-people"],
        auctions_in_flight=options["tailrace.auctions-in-flight"],
        group=options["tailrace.out-of-order-group"],
    )
