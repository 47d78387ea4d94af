"""The source of topics: made from the options of a table, and checked against the cluster."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.connectors.base import Positions, Report, Source
from tailrace.connectors.kafka.client import Client
from tailrace.connectors.kafka.creation import counted
from tailrace.connectors.kafka.fetched import Fetcher, Wanted
from tailrace.connectors.kafka.group import GroupReader
from tailrace.connectors.kafka.library import CONSUMER
from tailrace.connectors.kafka.native import NativeFetcher
from tailrace.connectors.kafka.plain import PlainFetcher
from tailrace.connectors.kafka.properties import MAX_BLOCK, Properties, Property, plain
from tailrace.connectors.kafka.reader import KafkaReader, Plan
from tailrace.errors import TailraceError

CHECK_SECONDS = 5.0

LET_GO_SECONDS = 30.0
"""How long the rows of a partition that is to go may take to become durable."""

DEFAULTS = {
    "auto.offset.reset": "error",
    "client.id": "tailrace",
    "fetch.message.max.bytes": "4000000",
    # the default of a second stalls a reader that has caught up with what was fetched
    "fetch.queue.backoff.ms": "5",
    "fetch.wait.max.ms": "100",
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": "65536",
    "queued.min.messages": "200000",
}
_MEMBERS = ("group.id", "group.instance.id", "group.protocol", "group.remote.assignor", "partition.assignment.strategy")
_FORCED = {"enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true"}


def consumer_properties(given: Properties, job: str) -> Properties:
    """Give the properties of a reading client: what the table says, over our defaults."""
    made = plain(DEFAULTS) | {k: v for k, v in given.items() if k != MAX_BLOCK} | plain(_FORCED)
    reset = made["auto.offset.reset"]
    if reset.value == "none":
        made["auto.offset.reset"] = Property("error", reset.option, reset.location)
    # a group must have a name even if nobody joins it and nothing is committed
    return plain({"group.id": f"tailrace-{job}"}) | made


def member_properties(properties: Properties, discovery_ms: int) -> Properties:
    """Give the properties of a member of a group: its partitions move one by one, and it learns of new ones in time."""
    every = min(discovery_ms, 3_600_000) or -1
    added = plain({"topic.metadata.refresh.interval.ms": str(every)})
    if "group.protocol" not in properties or properties["group.protocol"].value == "classic":
        added |= plain({"partition.assignment.strategy": "cooperative-sticky"})
    return added | properties


def probe_properties(given: Properties) -> Properties:
    """Give the properties of a client that only asks; it makes no topics, and is no member of a group."""
    return {key: value for key, value in given.items() if key not in _MEMBERS}


class KafkaSource(Source):
    """Topics to be read; can be read again from any offset that the cluster still has."""

    def __init__(
        self,
        plan: Plan,
        properties: Properties,
        wanted: Wanted,
        dealt: tuple[str, ...] | None = None,
        *,
        native: bool,
    ) -> None:
        self._plan = plan
        self._properties = properties
        self._wanted = wanted
        self._native = native
        self.bounded = plan.bound is not None
        self.shared = plan.shared
        self.dealt = dealt

    def open(self, positions: Positions) -> KafkaReader:
        client = Client(CONSUMER, self._properties, member=self._plan.shared)
        fetcher: Fetcher | None = None
        try:
            fetcher = self._fetcher(client)
            if self._plan.shared:
                return GroupReader(self._plan, client, fetcher, positions, self._let_go_seconds())
            return KafkaReader(self._plan, client, fetcher, positions)
        except BaseException:  # whatever ended it: what was opened is closed, and the error goes on
            if fetcher is not None:
                fetcher.close()
            client.close()
            raise

    def _let_go_seconds(self) -> float:
        """Give how long a partition may stay after the group has asked for it: the others wait, and not for ever."""
        interval = self._properties.get("max.poll.interval.ms")
        return min(LET_GO_SECONDS, int(interval.value) / 2000 if interval else LET_GO_SECONDS)

    def _fetcher(self, client: Client) -> Fetcher:
        if self._native:
            return NativeFetcher(client, self._wanted)
        return PlainFetcher(self._properties, self._wanted)

    def check(self) -> Report:
        return checked(self._properties, self._partitions)

    def _partitions(self, client: Client) -> str:
        found = self._plan.topics.partitions(client, CHECK_SECONDS)
        if not found:
            raise ValueError(f"there are no {self._plan.topics} on {client.bootstrap} yet")
        if self._plan.replica is not None:
            mine = [tp for tp in found if self._plan.replica.reads(tp[1])]
            part = f", of which process {self._plan.replica} reads {len(mine)}"
            return f"{self._plan.topics} on {client.bootstrap}: {counted(found)}{part}"
        shared = f", shared with the members of group '{self._plan.group}'" if self.shared else ""
        return f"{self._plan.topics} on {client.bootstrap}: {counted(found)}{shared}"


def checked(properties: Properties, look: Callable[[Client], str]) -> Report:
    """Reach the cluster by a client that changes nothing, and report what was found."""
    try:
        with Client(CONSUMER, probe_properties(properties)) as client:
            return Report(True, look(client))
    except TailraceError as error:
        return Report.failed(error)
    except ValueError as error:
        return Report(False, str(error))
