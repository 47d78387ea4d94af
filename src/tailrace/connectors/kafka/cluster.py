"""Which topics and partitions a table stands for, and what to say when they are not there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tailrace.connectors.kafka.client import ASK_SECONDS, Client, TopicInfo, TopicPartition
from tailrace.connectors.kafka.failures import Code, failure
from tailrace.errors import ConfigError, Location, TailraceError, TransientError, did_you_mean


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics by name, or by a pattern; `location` is where the table says so."""

    names: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    location: Location | None = None

    def __str__(self) -> str:
        if self.pattern is not None:
            return f"topics that match '{self.pattern.pattern}'"
        return ("topic " if len(self.names) == 1 else "topics ") + ", ".join(f"'{n}'" for n in self.names)

    def partitions(self, client: Client, seconds: float = ASK_SECONDS) -> list[TopicPartition]:
        """
        Give all partitions there are now.

        Raises:
            ConfigError: a topic that is named does not exist; says which one was likely meant.
            TransientError, TerminalError: the cluster can't be asked, or a topic must not be read.
        """
        found = self._found(client, seconds)
        return [(name, number) for name in sorted(found) for number in found[name].partitions]

    def _found(self, client: Client, seconds: float) -> dict[str, TopicInfo]:
        if self.pattern is not None:
            known = client.topics(seconds)
            return {n: i for n, i in known.items() if self.pattern.fullmatch(n) and not n.startswith("__")}
        found = {name: client.topic(name, seconds) for name in self.names}
        for name, info in found.items():
            if info.error:
                raise self.wrong(client, name, info, seconds)
        return found

    def wrong(self, client: Client, name: str, info: TopicInfo, seconds: float = ASK_SECONDS) -> TailraceError:
        """Give the error for a topic that can't be had."""
        if info.exists and info.error != Code.INVALID_TOPIC:
            return failure(info.error, client.lib.text(info.error), f"topic '{name}'", self.location)
        return missing(client, name, self.location, seconds)


def missing(client: Client, name: str, location: Location | None, seconds: float = ASK_SECONDS) -> ConfigError:
    """Give the error for a topic that does not exist, with the one that was likely meant."""
    try:
        known = [n for n in client.topics(seconds) if not n.startswith("__")]
    except TransientError:
        known = []
    hint = did_you_mean(name, known) or "create it, or look at 'properties.bootstrap.servers'"
    return ConfigError(f"there is no topic '{name}' on {client.bootstrap}", hint=hint, location=location)
