"""
A reader that shares the partitions of its topics with the other members of a group.

The cluster gives partitions, and takes them. One that is to go is read no further at once, and let go of when what was
read of it is durable and its offset committed: so the next member goes on just behind our last row. Where that does not
come about in time it is let go of all the same, and some rows are read twice, as after a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from tailrace.connectors.base import Block, Limit, Positions, Revoked
from tailrace.connectors.kafka import starts
from tailrace.connectors.kafka.client import Client, Rebalance, TopicPartition
from tailrace.connectors.kafka.fetched import Fetched, Fetcher
from tailrace.connectors.kafka.library import BEGINNING
from tailrace.connectors.kafka.reader import PROBE_SECONDS, KafkaReader, Plan, Standing, name_of, parse
from tailrace.errors import TailraceError, TransientError

KEEP_ALIVE_SECONDS = 5.0
"""A reader that is not asked for rows for so long looks after its membership without taking any."""

LEAVE_SECONDS = 10.0
"""How long to leave the group may take."""

_log = structlog.get_logger("tailrace.kafka")


class GroupReader(KafkaReader):
    """Reads the partitions that the group gives it; its client is the member."""

    def __init__(
        self, plan: Plan, client: Client, fetcher: Fetcher, positions: Positions, let_go_seconds: float
    ) -> None:
        self._let_go_seconds = let_go_seconds
        self._subscribed: list[str] = []
        self._durable: dict[TopicPartition, int] = {}
        """The offsets before which everything is durable here; the group's own may be older after a crash."""
        self._joining: list[TopicPartition] = []
        self._leaving: dict[TopicPartition, int] = {}
        self._giving_back = False
        self._letting_go: list[TopicPartition] = []
        self._assigned: set[TopicPartition] = set()
        self._let_go_at = 0.0
        self._awaited: int | None = None
        """The number of the commit with which the partitions may go; None until a checkpoint has their rows."""
        self._spare: list[Fetched] = []
        self._paused: set[TopicPartition] = set()
        self._polled = time.monotonic()
        super().__init__(plan, client, fetcher, positions)

    def _begin(self, positions: Positions) -> None:
        self._durable = {parse(n): p["offset"] for n, p in positions.items() if p.get("offset") is not None}
        self._subscribe(self._plan.topics.partitions(self._client))

    def _subscribe(self, found: Collection[TopicPartition]) -> None:
        names = sorted({topic for topic, _ in found})
        if names and names != self._subscribed:
            self._client.subscribe(names)
            self._subscribed = names

    def _discover(self) -> None:
        """Follow a pattern; new partitions of a topic come by the group."""
        if self._plan.topics.pattern is not None:
            self._subscribe(self._plan.topics.partitions(self._client, PROBE_SECONDS))

    @property
    def _reads(self) -> bool:
        """A member has to be heard of even if it has no partition."""
        return True

    def poll(self, limit: Limit) -> list[Block]:
        self._polled = time.monotonic()
        self._resume()
        self._manage()
        if self._spare:
            return self._taken(self._spare.pop(0))
        blocks = super().poll(limit)
        self._manage()
        return blocks

    def keep_alive(self) -> None:
        if time.monotonic() - self._polled < KEEP_ALIVE_SECONDS:
            return
        self._client.poll()
        self._heed_commits()
        pause = [tp for tp in self._live if tp not in self._paused]
        if pause:
            self._client.pause(pause)
            self._paused |= set(pause)
        fetched = self._fetcher.fetch(Limit(wait_seconds=0.0))
        if fetched.pieces or fetched.problems:
            self._spare.append(fetched)
        try:
            self._manage()
        except TransientError:
            return  # it is tried again with the next call
        except TailraceError as error:
            self._failure = error

    def _resume(self) -> None:
        again = [tp for tp in self._paused if tp in self._live]
        self._paused.clear()
        if again:
            self._client.resume(again)

    def _manage(self) -> None:
        """
        Do what the group has asked for.

        Raises:
            ConfigError, TransientError, TerminalError: where a partition begins can't be found out.
        """
        while self._client.rebalances:
            self._rebalanced(self._client.rebalances.popleft())
        if self._joining:
            self._join()
        if self._giving_back:
            self._let_go_if_due()

    def _rebalanced(self, asked: Rebalance) -> None:
        if not asked.revoked:
            _log.info("partitions were given by the group", group=self._plan.group, partitions=_names(asked.partitions))
            self._joining += asked.partitions
            if not asked.partitions:
                self._fetcher.assign({})
            return
        _log.info("partitions go to others of the group", group=self._plan.group, partitions=_names(asked.partitions))
        self._joining = [tp for tp in self._joining if tp not in asked.partitions]
        gone = {tp: one for tp in asked.partitions if (one := self._live.pop(tp, None)) is not None}
        self._changes += [Revoked(one.name) for one in gone.values()]
        if asked.lost:
            self._leaving.clear()
            self._letting_go.clear()
            self._giving_back = False
            self._unassign(asked.partitions)
            return
        self._leaving |= {tp: one.next for tp, one in gone.items() if one.next is not None}
        self._letting_go += asked.partitions
        self._giving_back = True
        self._awaited = None
        self._commit_if_durable()
        self._let_go_at = time.monotonic() + self._let_go_seconds

    def _commit_if_durable(self) -> None:
        """Commit what goes, once it is durable: an earlier commit of it may be under way, and is lost when the group has moved on."""
        if all(self._durable.get(tp, -1) >= offset for tp, offset in self._leaving.items()):
            if self._leaving:
                self._commit(self._leaving)
            self._awaited = self._sent

    def _join(self) -> None:
        """Begin partitions where the group, or our own last checkpoint, has got to."""
        mine = self._joining
        offsets = self._begins(mine)
        self._joining = []
        self._assigned |= set(mine)
        self._spare = [replace(f, pieces=[p for p in f.pieces if p.partition not in mine]) for f in self._spare]
        self._durable |= {tp: offset for tp, offset in offsets.items() if offset != BEGINNING}
        self._add({tp: Standing(name_of(tp), None if o == BEGINNING else o, None) for tp, o in offsets.items()}, mine)

    def _begins(self, partitions: list[TopicPartition]) -> Mapping[TopicPartition, int]:
        committed = self._client.committed(partitions)
        known = {tp: max(committed.get(tp, -1), self._durable.get(tp, -1)) for tp in partitions}
        rest = [tp for tp, offset in known.items() if offset < 0]
        return {tp: o for tp, o in known.items() if o >= 0} | starts.begin(self._client, self._plan.start, rest)

    def _let_go_if_due(self) -> None:
        done = self._awaited is not None and self._settled >= self._awaited
        if not done and time.monotonic() < self._let_go_at:
            return
        if not done:
            text = "partitions go before a checkpoint of their rows is complete; their next reader reads some again"
            _log.warning(text, group=self._plan.group, partitions=_names(self._leaving))
        going, self._letting_go, self._giving_back = self._letting_go, [], False
        self._leaving.clear()
        self._unassign(going)

    def _unassign(self, partitions: Collection[TopicPartition]) -> None:
        """Answer the group; it may also take what was not begun yet."""
        self._fetcher.unassign([tp for tp in partitions if tp in self._assigned])
        self._assigned -= set(partitions)

    def acknowledge(self, positions: Positions) -> None:
        ours = {n: p for n, p in positions.items() if (tp := parse(n)) in self._live or tp in self._leaving}
        offsets = {parse(n): p["offset"] for n, p in ours.items() if p.get("offset") is not None}
        self._durable |= offsets
        super().acknowledge(ours)
        if self._giving_back and self._awaited is None:
            self._commit_if_durable()

    def _not_committed(self, reason: str) -> None:
        super()._not_committed(reason)
        if self._leaving and self._awaited is not None and time.monotonic() < self._let_go_at:
            self._commit(self._leaving)
            self._awaited = self._sent

    def close(self) -> None:
        self._settle_commits()
        self._leave()
        super().close()

    def _leave(self) -> None:
        """Tell the group, so that it need not wait for the session's time-out; bounded, as the call itself is not."""
        thread = threading.Thread(target=self._client.leave, name="tailrace-kafka-leave", daemon=True)
        thread.start()
        thread.join(LEAVE_SECONDS)
        if thread.is_alive():
            _log.warning("the group does not answer; it will find out by itself", group=self._plan.group)
            self._client.stuck = True


def _names(partitions: Collection[TopicPartition]) -> str:
    return ", ".join(map(name_of, partitions)) or "none"
