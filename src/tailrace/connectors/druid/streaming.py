"""
Streaming ingestion: rows are written to a topic by the connector `kafka`, and Druid reads them by its own offsets.

Tailrace's transaction makes each row there once, and Druid publishes segments and offsets in one transaction of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from tailrace.connectors import registry
from tailrace.connectors.base import AtLeastOnceSink, Context, Refusals, Report, Sink, TransactionalSink
from tailrace.connectors.bulk import refuse_changes
from tailrace.connectors.druid.columns import from_wire, to_wire, untimed
from tailrace.connectors.druid.spec import Datasource
from tailrace.connectors.druid.supervisor import Supervisor, Watch
from tailrace.engine.batch import KIND
from tailrace.errors import TailraceError
from tailrace.options import Options, OptionText, Values
from tailrace.plan.catalog import PhysicalColumn, Table

NO_TIME = "no-time"
_HANDED_ON = ("topic", "properties.", "sink.delivery-guarantee", "sink.transactional-id-prefix", "tailrace.kafka.")


def topic_table(table: Table, datasource: Datasource, options: Values) -> Table:
    """Give the table of the topic: the columns as Druid reads them, and the options that are Kafka's."""
    given: dict[str, OptionText] = {k: v for k, v in options.given.items() if k.startswith(_HANDED_ON)}
    given.setdefault("sink.delivery-guarantee", OptionText(options["sink.delivery-guarantee"]))
    made: Options = {"connector": OptionText("kafka"), "format": OptionText("json"), **given}
    columns = tuple(PhysicalColumn(f.name, f.type) for f in datasource.wire)
    return Table(table.name, columns, datasource.wire, made, location=table.location)


def timed(batch: pl.DataFrame, datasource: Datasource, refusals: Refusals) -> pl.DataFrame:
    """
    Give the rows that have a time; Druid takes no others.

    Raises:
        DataError: one has none, and that is not tolerated.
    """
    refuse_changes(batch, datasource.name)
    batch = batch.drop(KIND, strict=False)
    odd = untimed(batch, datasource.time)
    if odd.any():
        reason = f"the row has no time in column '{datasource.time.name}' that Druid takes"
        refusals.refuse(batch.filter(odd), NO_TIME, reason)
        return batch.filter(~odd)
    return batch


class _Handed(Refusals):
    """Takes rows that the sink of the topic refuses, as they are there, and refuses them as they were."""

    def __init__(self, sink: Sink, datasource: Datasource) -> None:
        self._sink = sink
        self._datasource = datasource

    @property
    def tolerates(self) -> bool:  # type: ignore[override]
        """Whether refused rows are tolerated."""
        return self._sink.refusals.tolerates

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        self._sink.refusals.refuse(from_wire(rows, self._datasource.schema), code, reason, hint)


class _Topic(Sink):
    """What both sinks share: all is done by the sink of the topic, and the supervisor is looked after beside it."""

    traced = True

    def __init__(
        self, inner: TransactionalSink | AtLeastOnceSink, datasource: Datasource, watched: tuple[Supervisor, Values]
    ) -> None:
        self._inner = inner
        self._datasource = datasource
        self._supervisor, self._options = watched
        self._watch: Watch | None = None
        inner.refusals = _Handed(self, datasource)

    def _begin(self) -> None:
        """Give Druid the supervisor and look after it; the topic is there by now."""
        supervisor, options = self._supervisor, self._options
        with supervisor.server.client() as client:
            supervisor.ensure(client, submit=options["supervisor.submit"])
        fails = options["supervisor.on-unhealthy"] == "fail"
        self._watch = Watch(supervisor, options["supervisor.watch-interval"] / 1000, fails=fails)
        self._watch.start()

    def _heed(self) -> None:
        if self._watch is not None:
            self._watch.heed()

    def _wired(self, batch: pl.DataFrame) -> pl.DataFrame:
        return to_wire(timed(batch, self._datasource, self.refusals), self._datasource.schema)

    def write(self, batch: pl.DataFrame) -> None:
        self._heed()
        self._inner.write(self._wired(batch))

    def flush(self) -> None:
        self._inner.flush()

    @property
    def full(self) -> bool:
        return self._inner.full

    @property
    def throttled(self) -> float:
        return self._inner.throttled

    @property
    def readings(self) -> Mapping[str, float]:
        return self._watch.readings if self._watch is not None else {}

    def check(self) -> Report:
        supervisor = self._supervisor
        with supervisor.server.client() as client:
            try:
                version = supervisor.server.version(client)
                supervisor.server.sees_overlord(client)
                there = supervisor.find(client) is not None
            except TailraceError as error:
                return Report.failed(error)
        topic = self._inner.check()
        state = "is there" if there else "will be made"
        found = f"datasource '{supervisor.name}' at {supervisor.server.shown}, Druid {version}; its supervisor {state}"
        return replace(topic, message=f"{found}; {topic.message}") if topic.ok else topic

    def close(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        self._inner.close()


class DruidStreamSink(_Topic, TransactionalSink):
    """Exactly once: by transactions of Kafka, and by Druid's own offsets."""

    _inner: TransactionalSink

    def open(self) -> int:
        self.close()
        last = self._inner.open()
        self._begin()
        return last

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        taken = self._inner.sift([self._wired(batch) for batch in batches])
        return [from_wire(batch, self._datasource.schema) for batch in taken]

    def prepare(self, epoch: int) -> None:
        self._heed()
        self._inner.prepare(epoch)

    def commit(self, epoch: int) -> None:
        self._inner.commit(epoch)


class DruidPlainStreamSink(_Topic, AtLeastOnceSink):
    """At least once: rows of the topic are not in transactions."""

    _inner: AtLeastOnceSink

    def open(self) -> None:
        self.close()
        self._inner.open()
        self._begin()

    def prepare(self, epoch: int) -> None:
        self._heed()
        self._inner.prepare(epoch)


def stream_sink(table: Table, datasource: Datasource, watched: tuple[Supervisor, Values], context: Context) -> Sink:
    """
    Make the sink.

    Raises:
        ConfigError: an option of Kafka's is wrong, or its library is missing.
    """
    inner = registry.sink(topic_table(table, datasource, watched[1]), context)
    if isinstance(inner, TransactionalSink):
        return DruidStreamSink(inner, datasource, watched)
    assert isinstance(inner, AtLeastOnceSink)
    return DruidPlainStreamSink(inner, datasource, watched)
