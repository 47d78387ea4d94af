"""A client of librdkafka: made from properties, asked for metadata and offsets, with errors as ours."""

from __future__ import annotations

import ctypes
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import structlog

from tailrace.connectors.kafka import library, logins
from tailrace.connectors.kafka.failures import AWAY, LOGIN, MISSING, RIGHTS, Code, failure
from tailrace.connectors.kafka.properties import PREFIX, Properties
from tailrace.errors import ConfigError, TailraceError, TransientError, did_you_mean

TopicPartition = tuple[str, int]
SLICE_MS = 250
_log = structlog.get_logger("tailrace.kafka")
_CERTIFICATE_ALERT = re.compile(r"alert (bad certificate|certificate \w+|unknown ca)")
ASK_SECONDS = 10.0
"""How long a question to the cluster may take."""


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """What the cluster says of a topic: its partitions, or an error code."""

    partitions: tuple[int, ...]
    error: int = 0

    @property
    def exists(self) -> bool:
        """Whether the cluster has it."""
        return self.error not in MISSING


@dataclass(frozen=True, slots=True)
class Rebalance:
    """What a group asks of a member: to take partitions, or to let go of them; `lost` ones are another's already."""

    partitions: list[TopicPartition]
    revoked: bool
    lost: bool = False


def configure(properties: Properties) -> int:
    """
    Make a configuration of librdkafka; the caller owns it.

    Raises:
        ConfigError: a property that it does not know, or a value that can't be; points at the option.
    """
    lib = library.load()
    made = logins.resolved(properties)
    conf = lib.conf_new()
    buffer = ctypes.create_string_buffer(512)
    for key, given in made.items():
        outcome = lib.conf_set(conf, key.encode(), given.value.encode(), buffer, len(buffer))
        if outcome == 0:
            continue
        reason = buffer.value.decode(errors="replace")
        known = _known(conf) if outcome == -2 else []
        lib.conf_destroy(conf)
        option = given.option or f"{PREFIX}{key}"
        if outcome == -2:
            hint = did_you_mean(option, [PREFIX + k for k in known])
            hint = hint or "see librdkafka's CONFIGURATION.md for what the client knows"
            raise ConfigError(f"the Kafka client has no property '{option}'", hint=hint, location=given.location)
        raise ConfigError(f"option '{option}' can't be set: {reason}", location=given.location)
    return int(conf)


def _known(conf: int) -> list[str]:
    lib = library.load()
    count = ctypes.c_size_t()
    dumped = lib.conf_dump(conf, ctypes.byref(count))
    names = [dumped[i].decode() for i in range(0, count.value, 2)]
    lib.conf_dump_free(dumped, count)
    return names


def validate(properties: Properties) -> None:
    """
    Make sure that librdkafka takes these properties; reaches nothing.

    Raises:
        ConfigError: as for `configure`.
    """
    library.load().conf_destroy(configure(properties))
    logins.tokens_of(properties)


class Client:
    """One handle of librdkafka; used by one thread at a time."""

    def __init__(self, kind: int, properties: Properties, *, member: bool = False) -> None:
        self.lib = library.load()
        self.bootstrap = properties["bootstrap.servers"].value
        self._location = properties["bootstrap.servers"].location
        endpoint = properties.get("sasl.oauthbearer.token.endpoint.url")
        self._tokens_from = endpoint.value if endpoint is not None else ""
        self.errors: deque[tuple[int, str]] = deque(maxlen=64)
        self.undelivered: deque[tuple[int, int]] = deque(maxlen=64)
        """The code and partition of messages that could not be delivered."""
        self.rebalances: deque[Rebalance] = deque()
        """What the group of a member has asked for."""
        self.stuck = False
        """Whether a call never came back: it can't even be closed."""
        self._leaving = False
        tokens = logins.tokens_of(properties)
        self.throttled = 0.0
        """The seconds for which brokers have held the client back, by their quotas."""
        conf = configure(properties)
        # what librdkafka would log comes to us by its error callback; it must not write to standard error
        self.lib.conf_set_log_cb(conf, None)
        self._callbacks = (library.ErrorCallback(self._on_error), library.DeliveryCallback(self._on_delivery))
        self.lib.conf_set_error_cb(conf, self._callbacks[0])
        self._throttle = library.ThrottleCallback(self._on_throttle)
        self.lib.conf_set_throttle_cb(conf, self._throttle)
        self.distrust = ""
        """Why the certificate of a broker was not taken."""
        if logins.verifies(properties):
            self._verify = library.VerifyCallback(self._on_certificate)
            self.lib.conf_set_ssl_cert_verify_cb(conf, self._verify)
        if kind == library.PRODUCER:
            self.lib.conf_set_dr_msg_cb(conf, self._callbacks[1])
        if member:
            self._rebalance = library.RebalanceCallback(self._on_rebalance)
            self.lib.conf_set_rebalance_cb(conf, self._rebalance)
        if tokens is not None:
            self._renewal = logins.Renewal(tokens)
            self.lib.conf_set_oauthbearer_token_refresh_cb(conf, self._renewal.callback)
            self.lib.conf_enable_sasl_queue(conf, 1)
        buffer = ctypes.create_string_buffer(512)
        handle = self.lib.new(kind, conf, buffer, len(buffer))
        if not handle:
            self.lib.conf_destroy(conf)
            reason = buffer.value.decode(errors="replace")
            raise ConfigError(f"the Kafka client refuses these properties: {reason}", location=self._location)
        self.handle = int(handle)
        if tokens is not None:
            self.settle(self.lib.sasl_background_callbacks_enable(self.handle))
        file, user = properties.get(logins.PASSWORD_FILE), properties.get("sasl.username")
        self._password = logins.PasswordFile(file) if file is not None else None
        self._user = user.value if user is not None else ""
        self._reached = False

    def _on_error(self, _handle: int, code: int, reason: bytes | None, _opaque: int) -> None:
        self.errors.append((code, (reason or b"").decode(errors="replace")))

    def _on_throttle(self, _handle: int, _name: bytes | None, _id: int, milliseconds: int, _opaque: int) -> None:
        self.throttled += milliseconds / 1000

    def _on_certificate(self, _handle: int, _name: bytes, _id: int, code: Any, *_: Any) -> int:
        """Leave the decision as OpenSSL has made it, and keep its reason, which librdkafka does not tell."""
        if code[0]:
            self.distrust = logins.distrust(code[0])
        return int(code[0] == 0)

    def _on_delivery(self, _handle: int, message: Any, _opaque: int) -> None:
        if message.contents.err:
            self.undelivered.append((message.contents.err, message.contents.partition))

    def _on_rebalance(self, handle: int, code: int, listed: Any, _opaque: int) -> None:
        """Keep for the reader what the group asks for; it answers when it is ready."""
        revoked = code != Code.ASSIGN_PARTITIONS
        if self._leaving:
            answer = self.lib.incremental_unassign if revoked else self.lib.incremental_assign
            self.settle(answer(handle, listed))
            return
        elements = listed.contents.elems[: listed.contents.cnt]
        partitions = [(e.topic.decode(), int(e.partition)) for e in elements]
        lost = revoked and bool(self.lib.assignment_lost(handle))
        self.rebalances.append(Rebalance(partitions, revoked, lost))

    @property
    def follows_password(self) -> bool:
        """Whether its password is in a file that may change."""
        return self._password is not None

    def subscribe(self, topics: Iterable[str]) -> None:
        """
        Take part in the group for these topics.

        Raises:
            TransientError, ConfigError, TerminalError: it can't.
        """
        with self.listed({(name, library.ANY_PARTITION): library.INVALID for name in topics}) as listed:
            code = self.lib.subscribe(self.handle, listed)
        if code:
            raise self.fail(code, "the group can't be joined")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch nothing of these partitions for now."""
        with self.listed(dict.fromkeys(partitions, library.INVALID)) as listed:
            self.lib.pause_partitions(self.handle, listed)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetch these partitions again, from where they stood."""
        with self.listed(dict.fromkeys(partitions, library.INVALID)) as listed:
            self.lib.resume_partitions(self.handle, listed)

    def leave(self) -> None:
        """Leave the group; may take long when the cluster is away."""
        self._leaving = True
        if self.handle:
            self.lib.consumer_close(self.handle)

    def close(self) -> None:
        """Let go of the handle; what is queued is dropped."""
        if self.handle and not self.stuck:
            handle, self.handle = self.handle, 0
            self.lib.destroy_flags(handle, library.NO_CONSUMER_CLOSE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, milliseconds: int = 0) -> None:
        """Have callbacks called; a password that has changed in its file is taken over."""
        self.lib.poll(self.handle, milliseconds)
        if self._password is not None and (password := self._password.changed()) is not None:
            self.settle(self.lib.sasl_set_credentials(self.handle, self._user.encode(), password.encode()))
            self.errors.clear()
            _log.info("the password has changed, and was taken over", brokers=self.bootstrap)

    def fatal(self) -> tuple[int, str]:
        """Give the error that has ended the client, and its words; 0 if none has."""
        reason = ctypes.create_string_buffer(512)
        code = self.lib.fatal_error(self.handle, reason, len(reason))
        return int(code), reason.value.decode(errors="replace")

    def fail(self, code: int, what: str, reason: str = "") -> TailraceError:
        """Give the error for a code; the cause that the client has told since is part of it."""
        self.poll()
        if code in AWAY:
            login = next((e for e in self.errors if e[0] in LOGIN), None) or self._untaken()
            if login is not None:
                return self._refused(*login)
            return failure(code, f"no broker at {self.bootstrap} answers{self._cause()}", what, self._location)
        return failure(code, reason or self.lib.text(code), what, self._location)

    def _refused(self, code: int, reason: str) -> TailraceError:
        """Give the error for a login that one of the two sides does not take, or that there is no token for."""
        if reason.startswith(logins.NO_TOKEN):
            message = f"no token for the login at Kafka can be had: {reason.removeprefix(logins.NO_TOKEN).lstrip(': ')}"
            hint = (
                "look at 'tailrace.kafka.login' or the 'properties.sasl.oauthbearer.*' options: they say who makes it"
            )
            return ConfigError(message, hint=hint, location=self._location)
        what = f"Kafka at {self.bootstrap} refused the login"
        if code == Code.SSL:
            what = f"Kafka at {self.bootstrap}: no encrypted connection can be made"
            reason = self.distrust or reason
        if self.follows_password and self._reached:
            return TransientError(f"{what}: {reason}; another password is awaited in its file", location=self._location)
        return failure(code, reason, what, self._location)

    def _untaken(self) -> tuple[int, str] | None:
        """Give the error of a broker that has refused the client's certificate; librdkafka tells of a lost connection."""
        said = next((text for _, text in self.errors if _CERTIFICATE_ALERT.search(text)), None)
        if said is None:
            return None
        of = "'properties.ssl.certificate.location' or 'properties.ssl.keystore.location'"
        return Code.SSL, f"the broker does not take the client's certificate, or {of} names none ({said})"

    def _cause(self) -> str:
        """Give why brokers could not be reached, if the client has said so."""
        causes = [text for code, text in self.errors if code in AWAY and code != Code.ALL_BROKERS_DOWN]
        if not causes and self._tokens_from:
            return f", or {self._tokens_from} gives no token"
        return f" ({causes[-1]})" if causes else ""

    def topics(self, seconds: float = ASK_SECONDS) -> dict[str, TopicInfo]:
        """
        Give all topics of the cluster.

        Raises:
            TransientError, ConfigError, TerminalError: it can't be asked.
        """
        return self._metadata(None, seconds)

    def topic(self, name: str, seconds: float = ASK_SECONDS) -> TopicInfo:
        """
        Give one topic; asking with a producer makes it, where the broker allows that.

        Raises:
            TransientError, ConfigError, TerminalError: the cluster can't be asked.
        """
        rkt = self.lib.topic_new(self.handle, name.encode(), None)
        try:
            return self._metadata(rkt, seconds).get(name, TopicInfo((), Code.UNKNOWN_TOPIC_OR_PARTITION))
        finally:
            self.lib.topic_destroy(rkt)

    def _metadata(self, rkt: int | None, seconds: float) -> dict[str, TopicInfo]:
        """Ask in short slices, so that a port that refuses ends it early."""
        end = time.monotonic() + seconds
        found = ctypes.POINTER(library.Metadata)()
        while True:
            left = max(1, min(SLICE_MS, int((end - time.monotonic()) * 1000)))
            code = self.lib.metadata(self.handle, int(rkt is None), rkt, ctypes.byref(found), left)
            if code == 0:
                break
            self.poll()
            told = {c for c, _ in self.errors}
            hopeless = told & LOGIN or Code.ALL_BROKERS_DOWN in told
            if hopeless or code not in AWAY or time.monotonic() >= end:
                raise self.fail(code, "Kafka can't be reached")
        self._reached = True
        try:
            return dict(_topics(found.contents))
        finally:
            self.lib.metadata_destroy(found)

    def committed(
        self, partitions: Iterable[TopicPartition], seconds: float = ASK_SECONDS
    ) -> dict[TopicPartition, int]:
        """
        Give the offsets that the client's group has committed; partitions without are left out.

        Raises:
            TransientError, ConfigError, TerminalError: the cluster can't be asked.
        """
        with self.listed(dict.fromkeys(partitions, library.INVALID)) as listed:
            code = self.lib.committed(self.handle, listed, int(seconds * 1000))
            found = self._answer(code, listed, "the offsets of the group can't be read")
        return {tp: offset for tp, offset in found.items() if offset >= 0}

    def offsets_at(
        self, times: Mapping[TopicPartition, int], seconds: float = ASK_SECONDS
    ) -> dict[TopicPartition, int]:
        """
        Give the first offset at or after a time in milliseconds (BEGINNING and END have their meaning), END for none.

        Raises:
            TransientError, ConfigError, TerminalError: the cluster can't be asked.
        """
        if not times:
            return {}
        with self.listed(times) as listed:
            code = self.lib.offsets_for_times(self.handle, listed, int(seconds * 1000))
            return self._answer(code, listed, "offsets can't be looked up")

    def _answer(self, code: int, listed: Any, what: str) -> dict[TopicPartition, int]:
        """Give the offsets in a list that the cluster has filled in."""
        elements = listed.contents.elems[: listed.contents.cnt]
        bad = next((e for e in elements if e.err), None)
        if code or bad is not None:
            if code == Code.TIMED_OUT or bad is None:
                raise self.fail(self._right_missing() or code, what)
            raise self.fail(bad.err, f"{what} of {bad.topic.decode()}-{bad.partition}")
        return {(e.topic.decode(), e.partition): e.offset for e in elements}

    def _right_missing(self) -> int:
        """Give the code of a right that the group lacks: a coordinator that must not be asked is waited for in silence."""
        while message := self.lib.consumer_poll(self.handle, 0):
            code = int(message.contents.err)
            self.lib.message_destroy(message)
            if code in RIGHTS:
                return code
        return 0

    def watermarks(self, partition: TopicPartition, seconds: float = ASK_SECONDS) -> tuple[int, int]:
        """
        Give the least offset of a partition, and the next one to be written.

        Raises:
            TransientError, ConfigError, TerminalError: the cluster can't be asked.
        """
        low, high = ctypes.c_int64(), ctypes.c_int64()
        name, number = partition[0].encode(), partition[1]
        milliseconds = int(seconds * 1000)
        code = self.lib.query_watermark_offsets(
            self.handle, name, number, ctypes.byref(low), ctypes.byref(high), milliseconds
        )
        if code:
            raise self.fail(code, f"offsets of {partition[0]}-{number} can't be looked up")
        return low.value, high.value

    @contextmanager
    def listed(self, offsets: Mapping[TopicPartition, int]) -> Iterator[Any]:
        """Give partitions with their offsets as librdkafka's list."""
        listed = self.lib.topic_partition_list_new(max(1, len(offsets)))
        try:
            for (topic, partition), offset in offsets.items():
                self.lib.topic_partition_list_add(listed, topic.encode(), partition).contents.offset = offset
            yield listed
        finally:
            self.lib.topic_partition_list_destroy(listed)

    def settle(self, error: int | None) -> tuple[int, str]:
        """Give code and words of an error object, and free it; 0 for none."""
        if not error:
            return 0, ""
        code, reason = self.lib.error_code(error), (self.lib.error_string(error) or b"").decode(errors="replace")
        self.lib.error_destroy(error)
        return code, reason


def _topics(found: library.Metadata) -> Iterator[tuple[str, TopicInfo]]:
    for topic in found.topics[: found.topic_cnt]:
        numbers = tuple(sorted(p.id for p in topic.partitions[: topic.partition_cnt]))
        yield topic.topic.decode(), TopicInfo(numbers, topic.err)
