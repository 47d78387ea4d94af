"""The auction's events: a function of seed and number, with the ids and shares of the benchmark's definition."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from connector_kit import context, drain, source, table

from tailrace import schema as t
from tailrace.clock import ManualClock
from tailrace.connectors.base import Assigned, Ended, Limit
from tailrace.connectors.nexmark.columns import COLUMNS
from tailrace.connectors.nexmark.events import Events
from tailrace.connectors.nexmark.shape import EventKind, Shape
from tailrace.connectors.nexmark.wide import rows
from tailrace.errors import ConfigError, TerminalError
from tailrace.schema import BIGINT, INT, STRING, DataType

FIELDS = {kind: COLUMNS[kind.name.lower()].names for kind in EventKind}


def made(kind: EventKind, count: int, shape: Shape | None = None, first: int = 0) -> pl.DataFrame:
    """Make the events of one kind among `count`."""
    return rows(Events(shape or Shape(), np.arange(first, first + count)), kind, FIELDS[kind])


def frame(options: dict[str, str], *, rows: int = 65_536, columns: dict[str, DataType] = COLUMNS) -> pl.DataFrame:
    """Read all events of a bounded table, in the order of their numbers."""
    blocks = drain(source(table("nexmark", columns, options)).open({}), rows)
    numbers = np.concatenate([b.offsets for b in blocks if b.offsets is not None])
    return pl.concat([b.values for b in blocks if isinstance(b.values, pl.DataFrame)])[np.argsort(numbers)]


@pytest.mark.parametrize(
    ("number", "person", "auction", "auctions", "people"),
    [
        (4, 0, 2, range(1000, 1013), range(1000, 1011)),
        (54, 1, 5, range(1000, 1016), range(1000, 1012)),
        (1667, 33, 101, range(1001, 1112), range(1000, 1044)),
        (5004, 100, 302, range(1202, 1313), range(1000, 1111)),
        (1_000_004, 20_000, 60_002, range(60_902, 61_013), range(20_001, 21_011)),
    ],
)
def test_ids(number: int, person: int, auction: int, auctions: range, people: range) -> None:
    """The newest ids at a bid, and those that it draws from: hot ones and cold ones, with a lead."""
    event = Events(Shape(), np.array([number]))
    # all bids of a cycle draw from the same ids
    cycle = number // 50 * 50 + np.arange(4, 50)
    bids = pl.concat([rows(Events(Shape(seed=s), cycle), EventKind.BID, ("auction", "bidder")) for s in range(100)])
    drawn_auctions, drawn_bidders = set(bids["auction"]), set(bids["bidder"])
    hot, bidder = 1000 + auction // 100 * 100, 1001 + person // 100 * 100

    assert (int(event.last_person[0]), int(event.last_auction[0])) == (person, auction)
    assert drawn_auctions == {hot, *auctions}
    assert drawn_bidders <= {bidder, *people}


def test_kinds_and_ids_rise() -> None:
    """Of 50 events one is a person, three are auctions; both are numbered from 1000 on."""
    persons, auctions = made(EventKind.PERSON, 1000), made(EventKind.AUCTION, 1000)

    assert Events(Shape(), np.arange(51)).kinds.tolist() == [0, 1, 1, 1, *[2] * 46, 0]
    assert persons["id"].to_list() == list(range(1000, 1020))
    assert auctions["id"].to_list() == list(range(1000, 1060))
    assert len(made(EventKind.BID, 1000)) == 920


def test_shares_of_bids() -> None:
    """The skew of bids, prices and urls is that of the definition."""
    bids = made(EventKind.BID, 1_000_000, first=1_000_000)
    last = np.repeat(np.arange(20_000, 40_000) * 3 + 2, 46)
    hot = pl.Series(1000 + last // 100 * 100)
    scaled = bids["price"] * 0.908
    named = bids["url"].str.contains("(&|^)channel_id=")
    extra = bids["extra"].str.len_bytes()

    assert (bids["auction"] == hot).mean() == pytest.approx(0.505, abs=0.003)
    assert (bids["price"] < 10_000).mean() == pytest.approx(1 / 3, abs=0.002)
    assert (bids["price"] < 1_000_000).mean() == pytest.approx(2 / 3, abs=0.002)
    assert bids["price"].is_between(100, 100_000_000).all()
    assert ((scaled > 1_000_000) & (scaled < 50_000_000)).mean() == pytest.approx(0.2836, abs=0.002)
    assert (bids["auction"] % 123 == 0).mean() == pytest.approx(1 / 123, abs=0.002)
    assert (named | bids["channel"].is_in(["Google", "Facebook", "Baidu", "Apple"])).mean() == pytest.approx(
        0.95, abs=0.005
    )
    assert (named & bids["channel"].is_in(["Google", "Facebook", "Baidu", "Apple"])).sum() == 0
    assert extra.mean() == pytest.approx(67.5, abs=0.1)
    assert (extra.min(), extra.max()) == (54, 81)
    assert bids["channel"].n_unique() == 10_004


def test_fields_of_bids() -> None:
    """Urls and channels belong together, and look as the queries expect them."""
    bids = made(EventKind.BID, 200_000)

    assert bids.group_by("channel").agg(pl.col("url").n_unique())["url"].max() == 1
    assert bids["channel"].str.contains("^(Google|Facebook|Baidu|Apple|channel-[0-9]{1,4})$").all()
    url = r"^https://www\.nexmark\.com/[a-z_]{3,4}/[a-z_]{3,4}/[a-z_]{3,4}/item\.htm\?query=1(&channel_id=[0-9]+)?$"
    assert bids["url"].str.contains(url).all()
    assert bids["extra"].str.contains("^[a-z]+$").all()
    assert bids.filter(pl.col("channel") == "channel-2")["url"].str.contains("1073741824|query=1$").all()


def test_fields_of_persons_and_auctions() -> None:
    """Texts are of the lengths of the definition; the sizes that are asked for are met on average."""
    persons, auctions = made(EventKind.PERSON, 500_000), made(EventKind.AUCTION, 200_000)
    size = 8 + sum(persons[c].str.len_bytes() for c in ("name", "emailAddress", "creditCard", "city", "state", "extra"))
    length = (auctions["expires"] - auctions["dateTime"]).dt.total_milliseconds()

    assert persons["emailAddress"].str.contains(r"^[a-z ]{0,6}@[a-z ]{0,4}\.com$").all()
    assert persons["creditCard"].str.contains(r"^\d{4} \d{4} \d{4} \d{4}$").all()
    assert set(persons["state"]) == {"AZ", "CA", "ID", "OR", "WA", "WY"}
    assert persons["name"].n_unique() == 99
    assert persons["city"].n_unique() == 10
    assert size.mean() == pytest.approx(200, abs=1)  # type: ignore[union-attr]
    assert auctions["itemName"].str.len_bytes().is_between(0, 19).all()
    assert auctions["description"].str.len_bytes().is_between(0, 99).all()
    assert auctions["extra"].str.len_bytes().is_between(267, 542).all()
    assert (auctions["reserve"] > auctions["initialBid"]).all()
    assert sorted(auctions["category"].unique()) == [10, 11, 12, 13, 14]
    assert length.is_between(1, 2 * 167).all()
    assert length.mean() == pytest.approx(167, abs=2)


def test_times_follow_the_rate() -> None:
    """Event n is n / rate after the start, by its number alone."""
    shape = Shape(rate=3, start_time=1_000)
    events = Events(shape, np.arange(6))

    assert events.times.tolist() == [1000, 1333, 1666, 2000, 2333, 2666]
    assert Events(shape, np.array([3 * 10**12])).times.tolist() == [1000 + 10**15]


def test_a_group_changes_places() -> None:
    """The same events come, some of them out of order, none further than its group."""
    numbers = np.arange(1000)
    ids = Events.numbered(Shape(group=50), numbers).ids

    assert sorted(ids) == numbers.tolist()
    assert (ids // 50 == numbers // 50).all()
    assert (np.diff(ids) < 0).any()


def test_the_same_seed_gives_the_same_events_however_they_are_cut() -> None:
    """Events depend neither on the batches they were made in, nor on the partitions, nor on what else is asked for."""
    count = {"events.num": "3000"}
    whole = frame(count)
    some: dict[str, DataType] = {"bid": t.row({"price": BIGINT, "extra": STRING})}

    assert whole.equals(frame(count, rows=7))
    assert whole.equals(frame(count | {"tailrace.partitions": "3"}))
    assert not whole.equals(frame(count | {"tailrace.seed": "1"}))
    assert whole.tail(1000).equals(frame({"tailrace.first-event": "2000", "events.num": "1000"}))
    assert frame(count, columns=some)["bid"].struct.field("price").equals(whole["bid"].struct.field("price"))
    assert whole["bid"].null_count() == 240
    assert whole["person"].null_count() == 2940


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_a_restart_goes_on_with_the_same_events(partitions: str) -> None:
    """From any position the rest is what it would have been."""
    options = {"events.num": "1000", "tailrace.partitions": partitions}
    of = table("nexmark", COLUMNS, options)
    reader = source(of).open({})
    reader.changes()
    first = reader.poll(Limit(rows=333))
    # the first partition only has come into a checkpoint
    rest = drain(source(of).open({first[0].partition: first[0].position}), 50)
    blocks = [first[0], *rest]
    numbers = np.concatenate([b.offsets for b in blocks if b.offsets is not None])
    both = pl.concat([b.values for b in blocks if isinstance(b.values, pl.DataFrame)])

    assert both[np.argsort(numbers)].equals(frame({"events.num": "1000"}))


def test_another_number_of_partitions_is_refused() -> None:
    """A position says for how many partitions it holds."""
    of = table("nexmark", COLUMNS, {"tailrace.partitions": "2"})

    with pytest.raises(TerminalError, match="dealt to 1 partitions"):
        source(of).open({"0": {"event": 5, "partitions": 1}})


def test_the_rate_is_kept() -> None:
    """By the clock no more events come than are due."""
    clock = ManualClock()
    of = table("nexmark", {"event_type": INT}, {"first-event.rate": "1000", "max-emit-speed": "false"})
    reader = source(of, where=context(clock=clock)).open({})
    reader.changes()
    given = 0
    for _ in range(10):
        clock.advance(100)
        given += sum(map(len, reader.poll(Limit(wait_seconds=0))))
        assert reader.poll(Limit(wait_seconds=0)) == []

    assert given == 1000


def test_changes_announce_and_end_the_partitions() -> None:
    """Partitions are assigned before their rows, and end after them; without a number of events they do not end."""
    options = {"events.num": "5", "tailrace.partitions": "2"}
    reader = source(table("nexmark", {"event_type": INT}, options)).open({})
    endless = source(table("nexmark", {"event_type": INT}))

    assert reader.poll(Limit(wait_seconds=0)) == []
    assert reader.changes() == [Assigned("0"), Assigned("1")]
    assert [len(b) for b in reader.poll(Limit(wait_seconds=0))] == [3, 2]
    assert reader.changes() == [Ended("0"), Ended("1")]
    assert reader.changes() == []
    assert not endless.bounded
    assert endless.check().message == "makes events without end, as fast as it goes"


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"bit": t.row({"price": BIGINT})}, {}, "did you mean 'bid'"),
        ({"bid": t.row({"prize": BIGINT})}, {}, "did you mean 'bid.price'"),
        ({"bid": t.row({"price": INT})}, {}, "'bid.price' of connector 'nexmark' is BIGINT, not INT"),
        ({"bid": BIGINT}, {}, "'bid' of connector 'nexmark' is ROW<"),
        ({"event_type": INT}, {"first-event.rate": "10", "next-event.rate": "20"}, "must be 10"),
        ({"event_type": INT}, {"events.number": "10"}, "did you mean 'events.num'"),
        ({"event_type": INT}, {"person.proportion": "0"}, "at least 1"),
    ],
)
def test_wrong_tables_are_pointed_to(columns: dict[str, DataType], options: dict[str, str], words: str) -> None:
    """Columns, their types and options are checked, with what was likely meant."""
    with pytest.raises(ConfigError) as caught:
        source(table("nexmark", columns, options))

    assert words in str(caught.value)
    assert "job.sql:" in str(caught.value)


def test_full_speed() -> None:
    """0.1 microseconds for each event and column at most; here five times that, on a busy machine."""
    columns: dict[str, DataType] = {
        "event_type": INT,
        "bid": t.row({"auction": BIGINT, "bidder": BIGINT, "price": BIGINT, "extra": STRING}),
    }
    frame({"events.num": "1000"}, columns=columns)  # makes the words
    reader = source(table("nexmark", columns, {"events.num": "1000000"})).open({})
    began = time.process_time()
    count = sum(map(len, drain(reader)))

    assert count == 1_000_000
    assert time.process_time() - began < 0.5 * 5
