"""Where to begin to read each partition, and where to end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tailrace.connectors.kafka.client import Client, TopicPartition
from tailrace.connectors.kafka.library import BEGINNING, END
from tailrace.errors import ConfigError, Location


@dataclass(frozen=True, slots=True)
class Mark:
    """A start or an end by its mode; `reset` is what `auto.offset.reset` says."""

    mode: str
    offsets: Mapping[int, int] = field(default_factory=dict)
    time: int = 0
    group: str = ""
    reset: str = ""
    location: Location | None = None


def begin(client: Client, mark: Mark, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """
    Give the offset to begin from; BEGINNING stands for the least there is.

    Raises:
        ConfigError: the group has committed no offset, and nothing says where to begin then.
        TransientError, TerminalError: the cluster can't be asked.
    """
    wanted = list(partitions)
    match mark.mode:
        case "earliest-offset":
            return dict.fromkeys(wanted, BEGINNING)
        case "latest-offset":
            return _ends(client, wanted)
        case "timestamp":
            return _at_time(client, mark.time, wanted)
        case "specific-offsets":
            given = {tp: mark.offsets[tp[1]] for tp in wanted if tp[1] in mark.offsets}
            rest = [tp for tp in wanted if tp not in given]
            # as in Flink: what is not named goes on from the group's offset, else from the beginning
            committed = client.committed(rest) if rest and mark.group else {}
            return dict.fromkeys(wanted, BEGINNING) | committed | given
    return _committed(client, mark, wanted)


def end(client: Client, mark: Mark, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """
    Give the offset before which to end; partitions without one are not to be read.

    Raises:
        ConfigError: the group has committed no offset.
        TransientError, TerminalError: the cluster can't be asked.
    """
    wanted = list(partitions)
    match mark.mode:
        case "latest-offset":
            return _ends(client, wanted)
        case "timestamp":
            return _at_time(client, mark.time, wanted)
        case "specific-offsets":
            return {tp: mark.offsets[tp[1]] for tp in wanted if tp[1] in mark.offsets}
    return _committed(client, mark, wanted)


def _ends(client: Client, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    return client.offsets_at(dict.fromkeys(partitions, END))


def _at_time(client: Client, time: int, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Give the first offset at or after a time; the end where nothing is that late."""
    found = client.offsets_at(dict.fromkeys(partitions, time))
    return found | _ends(client, [tp for tp, offset in found.items() if offset < 0])


def _committed(client: Client, mark: Mark, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    found = client.committed(partitions) if partitions else {}
    missing = [tp for tp in partitions if tp not in found]
    if not missing:
        return found
    if mark.reset == "earliest":
        return found | dict.fromkeys(missing, BEGINNING)
    if mark.reset == "latest":
        return found | _ends(client, missing)
    names = ", ".join(f"{topic}-{number}" for topic, number in missing[:5])
    raise ConfigError(
        f"group '{mark.group}' has committed no offset of {names}",
        hint="set 'scan.startup.mode' = 'earliest-offset', or 'properties.auto.offset.reset' = 'earliest' or 'latest'",
        location=mark.location,
    )
