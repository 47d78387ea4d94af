"""What is to be measured, and what came out; both go between processes as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tailrace.connectors.nexmark.shape import Shape


@dataclass(frozen=True, slots=True)
class Task:
    """
    One query over `events` events, of which `rate` come in each second of event time.

    With `keys` bids are spread evenly over so many auctions and persons, without a hot one. With `live` events are made
    while the query runs; else they are in memory before it begins.
    """

    query: str
    events: int
    rate: int
    keys: int = 0
    live: bool = False

    @property
    def shape(self) -> Shape:
        """The events' shape."""
        if not self.keys:
            return Shape(rate=self.rate)
        return Shape(
            rate=self.rate,
            hot_sellers=1,
            hot_auctions=1,
            hot_bidders=1,
            active_people=self.keys,
            auctions_in_flight=self.keys,
        )

    @property
    def first(self) -> int:
        """The first event: so late that all the keys are there."""
        shape = self.shape
        return -(-self.keys // min(shape.persons, shape.auctions)) * shape.cycle


@dataclass(frozen=True, slots=True)
class Result:
    """
    What a query took.

    `peak_mib` is the memory at its highest, less that of the process (with the events, unless they are made live) before;
    `state_rows` and `checkpoint_mib` are the most that was seen.
    """

    query: str
    events: int
    rate: int
    keys: int
    live: bool
    seconds: float
    cpu_seconds: float
    rows_out: int
    peak_mib: float
    state_rows: int
    checkpoints: int

    @property
    def events_per_second(self) -> float:
        """Events taken a second."""
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for each million events."""
        return self.cpu_seconds / self.events * 1e6

    def as_json(self) -> dict[str, object]:
        """Give all figures by name."""
        derived = {"events_per_second": self.events_per_second, "cpu_seconds_per_million_events": self.cpu_per_million}
        return {**asdict(self), **derived}
