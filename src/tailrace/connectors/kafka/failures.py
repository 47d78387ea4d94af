"""The error codes of librdkafka as our errors, by what the caller should do."""

from __future__ import annotations

from enum import IntEnum

from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError


class Code(IntEnum):
    """The error codes that mean something to us; negative ones are librdkafka's own."""

    FENCED = -144
    AUTO_OFFSET_RESET = -140
    FATAL = -150
    PURGED_IN_FLIGHT = -151
    PURGED_IN_QUEUE = -152
    AUTHENTICATION = -169
    SSL = -181
    TIMED_OUT = -185
    QUEUE_FULL = -184
    ALL_BROKERS_DOWN = -187
    MAX_POLL_EXCEEDED = -147
    ASSIGN_PARTITIONS = -175
    UNKNOWN_TOPIC = -188
    UNKNOWN_PARTITION = -190
    PARTITION_EOF = -191
    MESSAGE_TIMED_OUT = -192
    RESOLVE = -193
    TRANSPORT = -195
    OFFSET_OUT_OF_RANGE = 1
    UNKNOWN_TOPIC_OR_PARTITION = 3
    LEADER_NOT_AVAILABLE = 5
    MESSAGE_TOO_LARGE = 10
    INVALID_TOPIC = 17
    RECORD_LIST_TOO_LARGE = 18
    TOPIC_AUTHORIZATION = 29
    GROUP_AUTHORIZATION = 30
    CLUSTER_AUTHORIZATION = 31
    ILLEGAL_SASL_STATE = 34
    UNSUPPORTED_SASL = 33
    INVALID_PRODUCER_EPOCH = 47
    INVALID_TRANSACTION_TIMEOUT = 50
    TRANSACTION_AUTHORIZATION = 53
    SASL_AUTHENTICATION = 58
    FENCED_INSTANCE_ID = 82
    PRODUCER_FENCED = 90


LOGIN = {Code.AUTHENTICATION, Code.SSL, Code.SASL_AUTHENTICATION, Code.UNSUPPORTED_SASL, Code.ILLEGAL_SASL_STATE}
RIGHTS = {
    Code.TOPIC_AUTHORIZATION,
    Code.GROUP_AUTHORIZATION,
    Code.CLUSTER_AUTHORIZATION,
    Code.TRANSACTION_AUTHORIZATION,
}
MISSING = {Code.UNKNOWN_TOPIC, Code.UNKNOWN_PARTITION, Code.UNKNOWN_TOPIC_OR_PARTITION}
FENCED = {Code.FENCED, Code.PRODUCER_FENCED, Code.INVALID_PRODUCER_EPOCH}
TOO_LARGE = {Code.MESSAGE_TOO_LARGE, Code.RECORD_LIST_TOO_LARGE}
PURGED = {Code.PURGED_IN_QUEUE, Code.PURGED_IN_FLIGHT}
AWAY = {Code.ALL_BROKERS_DOWN, Code.TRANSPORT, Code.RESOLVE, Code.TIMED_OUT, Code.MESSAGE_TIMED_OUT}
_PASSING = {-196, -186, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 51, 56, 72, 74, 75, 76, 78, 84, 89}
"""Broker and client errors that go away by themselves: no leader yet, coordinator moving, request timed out …"""


def failure(code: int, reason: str, what: str, location: Location | None = None) -> TailraceError:
    """
    Give the error to raise for a code, with `reason` in words and `what` was being done.

    >>> type(failure(Code.TRANSPORT, "Connection refused", "topic 'a' can't be read")).__name__
    'TransientError'
    """
    message = f"{what}: {reason}"
    if code in LOGIN:
        hint = "look at 'properties.security.protocol' and the 'properties.sasl.*' and 'properties.ssl.*' options"
        return ConfigError(message, hint=hint, location=location)
    if code in RIGHTS:
        return TerminalError(message, hint="ask for the right on the broker (an ACL is missing)", location=location)
    if code in FENCED:
        hint = (
            "another run of this job has taken over (only one may write with one transactional id), or its transaction was"
            " open for longer than 'properties.transaction.timeout.ms'; the state is intact: start the job again"
        )
        return TerminalError(message, hint=hint, location=location)
    if code == Code.FENCED_INSTANCE_ID:
        hint = "another process has taken the same 'properties.group.instance.id'; give each process one of its own"
        return TerminalError(message, hint=hint, location=location)
    if code == Code.INVALID_TRANSACTION_TIMEOUT:
        hint = "the broker's 'transaction.max.timeout.ms' is lower than 'properties.transaction.timeout.ms'; lower the latter"
        return ConfigError(message, hint=hint, location=location)
    if code in AWAY or code in _PASSING:
        return TransientError(message, location=location)
    return TerminalError(message, location=location)
