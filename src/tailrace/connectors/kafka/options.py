"""The options of the `kafka` connector, under Flink's names; what only Tailrace has is under `tailrace.`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tailrace.formats.base import MetadataKey
from tailrace.options import Option, OptionSet, boolean, choice, duration, integer, string

START_MODES = ("earliest-offset", "latest-offset", "group-offsets", "timestamp", "specific-offsets")
BOUNDED_MODES = ("unbounded", "latest-offset", "group-offsets", "timestamp", "specific-offsets")
_OFFSET = re.compile(r"\s*partition\s*:\s*(\d+)\s*,\s*offset\s*:\s*(\d+)\s*")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


def topic_list(text: str) -> tuple[str, ...]:
    """
    Read names of topics, as `a;b`.

    >>> topic_list("orders; refunds")
    ('orders', 'refunds')
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))
    bad = next((n for n in names if not _NAME.fullmatch(n) or n in (".", "..")), None)
    if bad is not None:
        raise ValueError(f"'{bad}' is no name of a topic (letters, digits, '.', '_' and '-')")
    if not names:
        raise ValueError("expected the name of a topic")
    return names


def specific_offsets(text: str) -> dict[int, int]:
    """
    Read offsets of partitions as Flink writes them.

    >>> specific_offsets("partition:0,offset:42;partition:1,offset:300")
    {0: 42, 1: 300}
    """
    found: dict[int, int] = {}
    for part in text.rstrip("; ").split(";"):
        match = _OFFSET.fullmatch(part)
        if match is None:
            raise ValueError("expected 'partition:0,offset:42;partition:1,offset:300'")
        if int(match[1]) in found:
            raise ValueError(f"partition {match[1]} is named twice")
        found[int(match[1])] = int(match[2])
    return found


def pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from None


def _above_zero(text: str) -> int:
    if (value := integer(text)) < 1:
        raise ValueError("expected a number above zero")
    return value


def _not_negative(parse: Callable[[str], int]) -> Callable[[str], int]:
    def read(text: str) -> int:
        if (value := parse(text)) < 0:
            raise ValueError("expected no less than zero")
        return value

    return read


@dataclass(frozen=True, slots=True)
class Replica:
    """One of several processes that read a topic, each some of its partitions; `number` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def reads(self, partition: int) -> bool:
        """
        Tell whether a partition is this process's.

        >>> [p for p in range(5) if Replica(1, 2).reads(p)]
        [0, 2, 4]
        """
        return partition % self.count == self.number - 1


def replica(text: str) -> Replica:
    """
    Read which of how many.

    >>> str(replica("2/3"))
    '2/3'
    """
    number, _, count = text.strip().partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ValueError("expected which of how many processes, as '1/2' and '2/2'")
    return Replica(int(number), int(count))


def _partitioner(text: str) -> str:
    if text not in ("default", "fixed", "round-robin"):
        raise ValueError("expected 'default', 'fixed' or 'round-robin'; there are no Java classes here")
    return text


def _guarantee(text: str) -> Any:
    if text == "none":
        raise ValueError("a sink never gives less than 'at-least-once' here")
    return choice("at-least-once", "exactly-once")(text)


_SECRETS = {
    "sasl.jaas.config": "what a login module of Java is told: user and password, client and secret, profile or role",
    "sasl.password": "the password of the login",
    "sasl.oauthbearer.client.secret": "the secret of the client that asks for tokens",
    "ssl.key.password": "the password of the private key",
    "ssl.key.pem": "the private key itself",
    "ssl.keystore.password": "the password of the key store",
    "ssl.truststore.password": "the password of the trust store",
}

LOGINS = (
    Option(
        "tailrace.kafka.login",
        choice("aws-msk-iam", "azure"),
        doc="who makes the tokens of OAUTHBEARER: `aws-msk-iam` or `azure` (Microsoft Entra ID)",
    ),
    Option("tailrace.kafka.login.region", string, doc="for `aws-msk-iam`: the region, if the brokers' names lack it"),
    Option("tailrace.kafka.login.profile", string, doc="for `aws-msk-iam`: the profile of AWS's configuration"),
    Option("tailrace.kafka.login.role", string, doc="for `aws-msk-iam`: the ARN of a role to take on"),
    Option("tailrace.kafka.login.scope", string, doc="for `azure`: what the token is for, by default the first broker"),
    Option("tailrace.kafka.password-file", string, doc="a file with the password; followed when it changes"),
)

OPTIONS = OptionSet(
    "connector 'kafka'",
    (
        Option("topic", topic_list, doc="the topic, or several to read as `a;b`"),
        Option("topic-pattern", pattern, doc="read all topics whose whole name matches this regular expression"),
        Option(
            "properties.bootstrap.servers", string, doc="brokers to begin with, as `host:port,host:port`", required=True
        ),
        Option(
            "properties.group.id", string, doc="the group in whose name offsets are committed, and read to start from"
        ),
        *(Option(f"properties.{key}", string, doc=doc, secret=True) for key, doc in _SECRETS.items()),
        Option("properties.*", string, doc="any property of the Kafka client, by Java's name or librdkafka's"),
        Option("scan.startup.mode", choice(*START_MODES), "group-offsets", "where to begin"),
        Option(
            "scan.startup.specific-offsets",
            specific_offsets,
            doc="for `specific-offsets`: `partition:0,offset:42;partition:1,offset:300`",
        ),
        Option("scan.startup.timestamp-millis", _not_negative(integer), doc="for `timestamp`: milliseconds since 1970"),
        Option("scan.bounded.mode", choice(*BOUNDED_MODES), "unbounded", "where to end"),
        Option("scan.bounded.specific-offsets", specific_offsets, doc="for `specific-offsets`: the ends, exclusive"),
        Option("scan.bounded.timestamp-millis", _not_negative(integer), doc="for `timestamp`: milliseconds since 1970"),
        Option(
            "scan.topic-partition-discovery.interval",
            duration,
            300_000,
            "how often to look for new partitions and topics; `0`: never",
        ),
        Option(
            "sink.partitioner",
            _partitioner,
            "default",
            "which partition a row goes to: by the hash of its key (`default`), the first (`fixed`), `round-robin`",
        ),
        Option(
            "sink.delivery-guarantee",
            _guarantee,
            "at-least-once",
            "`at-least-once`, or `exactly-once` by transactions that end with each checkpoint",
        ),
        Option(
            "sink.transactional-id-prefix",
            string,
            "tailrace",
            "what the transactional id begins with; job and table follow",
        ),
        *LOGINS,
        Option(
            "tailrace.kafka.assignment",
            choice("all", "group"),
            "all",
            "which partitions to read: `all`, or those that the group gives (`group`), shared with other processes",
        ),
        Option(
            "tailrace.kafka.replica",
            replica,
            doc="which of several processes this is, as `1/2`: it reads each partition whose number is its own, counted around",
        ),
        Option("tailrace.kafka.topic.create", boolean, False, "make the topic that is written, if it does not exist"),
        Option("tailrace.kafka.topic.partitions", _above_zero, doc="how many partitions; else the broker says"),
        Option("tailrace.kafka.topic.replicas", _above_zero, doc="how many replicas of each; else the broker says"),
        Option("tailrace.kafka.topic.config.*", string, doc="any configuration of a topic, as `retention.ms`"),
        Option(
            "tailrace.kafka.native",
            boolean,
            True,
            "read whole batches by librdkafka's C interface; `false`: message by message by confluent-kafka",
        ),
    ),
)

METADATA = (
    MetadataKey("topic", "STRING NOT NULL", "the name of the topic"),
    MetadataKey("partition", "INT NOT NULL", "the number of the partition"),
    MetadataKey("headers", "MAP<STRING, BYTES>", "the headers; of several with one name the last", writable=True),
    MetadataKey("leader-epoch", "INT", "the leader's epoch, if it is known"),
    MetadataKey("offset", "BIGINT NOT NULL", "the place in the partition"),
    MetadataKey("timestamp", "TIMESTAMP_LTZ(3) NOT NULL", "the time of the message", writable=True),
    MetadataKey(
        "timestamp-type", "STRING NOT NULL", "what that time is: `NoTimestampType`, `CreateTime` or `LogAppendTime`"
    ),
)
