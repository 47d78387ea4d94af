"""The public C API of librdkafka by ctypes: where its library is, and the functions and structures used of it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import CDLL, CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_size_t, c_ssize_t, c_void_p
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from tailrace.errors import ConfigError

PRODUCER, CONSUMER = 0, 1
"""Kinds of client."""

BEGINNING, END, STORED, INVALID = -2, -1, -1000, -1001
"""Offsets with a meaning."""

ANY_PARTITION = -1
FLAG_COPY, FLAG_PARTITION = 0x2, 0x8
PURGE_ALL = 0x1 | 0x2
NO_CONSUMER_CLOSE = 0x8
_LEAST_VERSION = 0x02000000


class Message(Structure):
    """A message; the kernels know its layout too."""

    _fields_: ClassVar = [
        ("err", c_int),
        ("rkt", c_void_p),
        ("partition", c_int32),
        ("payload", c_void_p),
        ("len", c_size_t),
        ("key", c_void_p),
        ("key_len", c_size_t),
        ("offset", c_int64),
        ("private", c_void_p),
    ]


class TopicPartition(Structure):
    """One partition in a list, with an offset."""

    _fields_: ClassVar = [
        ("topic", c_char_p),
        ("partition", c_int32),
        ("offset", c_int64),
        ("metadata", c_void_p),
        ("metadata_size", c_size_t),
        ("opaque", c_void_p),
        ("err", c_int),
        ("private", c_void_p),
    ]


class TopicPartitionList(Structure):
    """A list of partitions."""

    _fields_: ClassVar = [("cnt", c_int), ("size", c_int), ("elems", POINTER(TopicPartition))]


class PartitionMetadata(Structure):
    """What the cluster says of a partition."""

    _fields_: ClassVar = [
        ("id", c_int32),
        ("err", c_int),
        ("leader", c_int32),
        ("replica_cnt", c_int),
        ("replicas", c_void_p),
        ("isr_cnt", c_int),
        ("isrs", c_void_p),
    ]


class TopicMetadata(Structure):
    """What the cluster says of a topic."""

    _fields_: ClassVar = [
        ("topic", c_char_p),
        ("partition_cnt", c_int),
        ("partitions", POINTER(PartitionMetadata)),
        ("err", c_int),
    ]


class Metadata(Structure):
    """What the cluster says of itself."""

    _fields_: ClassVar = [
        ("broker_cnt", c_int),
        ("brokers", c_void_p),
        ("topic_cnt", c_int),
        ("topics", POINTER(TopicMetadata)),
        ("orig_broker_id", c_int32),
        ("orig_broker_name", c_char_p),
    ]


TokenCallback = CFUNCTYPE(None, c_void_p, c_char_p, c_void_p)
VerifyCallback = CFUNCTYPE(
    c_int, c_void_p, c_char_p, c_int32, POINTER(c_int), c_int, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p
)
ThrottleCallback = CFUNCTYPE(None, c_void_p, c_char_p, c_int32, c_int, c_void_p)
ErrorCallback = CFUNCTYPE(None, c_void_p, c_int, c_char_p, c_void_p)
DeliveryCallback = CFUNCTYPE(None, c_void_p, POINTER(Message), c_void_p)
Partitions = POINTER(TopicPartitionList)
RebalanceCallback = CFUNCTYPE(None, c_void_p, c_int, Partitions, c_void_p)

_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "version": (c_int, []),
    "err2str": (c_char_p, [c_int]),
    "conf_new": (c_void_p, []),
    "conf_destroy": (None, [c_void_p]),
    "conf_set": (c_int, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
    "conf_set_log_cb": (None, [c_void_p, c_void_p]),
    "conf_set_error_cb": (None, [c_void_p, ErrorCallback]),
    "conf_set_dr_msg_cb": (None, [c_void_p, DeliveryCallback]),
    "conf_set_rebalance_cb": (None, [c_void_p, RebalanceCallback]),
    "conf_set_throttle_cb": (None, [c_void_p, ThrottleCallback]),
    "conf_set_ssl_cert_verify_cb": (c_int, [c_void_p, VerifyCallback]),
    "conf_set_oauthbearer_token_refresh_cb": (None, [c_void_p, TokenCallback]),
    "conf_enable_sasl_queue": (None, [c_void_p, c_int]),
    "sasl_background_callbacks_enable": (c_void_p, [c_void_p]),
    "sasl_set_credentials": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "oauthbearer_set_token": (
        c_int,
        [c_void_p, c_char_p, c_int64, c_char_p, c_void_p, c_size_t, c_char_p, c_size_t],
    ),
    "oauthbearer_set_token_failure": (c_int, [c_void_p, c_char_p]),
    "conf_dump": (POINTER(c_char_p), [c_void_p, POINTER(c_size_t)]),
    "conf_dump_free": (None, [POINTER(c_char_p), c_size_t]),
    "new": (c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
    "destroy_flags": (None, [c_void_p, c_int]),
    "poll": (c_int, [c_void_p, c_int]),
    "fatal_error": (c_int, [c_void_p, c_char_p, c_size_t]),
    "topic_new": (c_void_p, [c_void_p, c_char_p, c_void_p]),
    "topic_name": (c_char_p, [c_void_p]),
    "topic_destroy": (None, [c_void_p]),
    "metadata": (c_int, [c_void_p, c_int, c_void_p, POINTER(POINTER(Metadata)), c_int]),
    "metadata_destroy": (None, [POINTER(Metadata)]),
    "topic_partition_list_new": (Partitions, [c_int]),
    "topic_partition_list_add": (POINTER(TopicPartition), [Partitions, c_char_p, c_int32]),
    "topic_partition_list_destroy": (None, [Partitions]),
    "committed": (c_int, [c_void_p, Partitions, c_int]),
    "offsets_for_times": (c_int, [c_void_p, Partitions, c_int]),
    "query_watermark_offsets": (
        c_int,
        [c_void_p, c_char_p, c_int32, POINTER(c_int64), POINTER(c_int64), c_int],
    ),
    "get_watermark_offsets": (c_int, [c_void_p, c_char_p, c_int32, POINTER(c_int64), POINTER(c_int64)]),
    "incremental_assign": (c_void_p, [c_void_p, Partitions]),
    "incremental_unassign": (c_void_p, [c_void_p, Partitions]),
    "subscribe": (c_int, [c_void_p, Partitions]),
    "assignment_lost": (c_int, [c_void_p]),
    "pause_partitions": (c_int, [c_void_p, Partitions]),
    "resume_partitions": (c_int, [c_void_p, Partitions]),
    "consumer_poll": (POINTER(Message), [c_void_p, c_int]),
    "consumer_close": (c_int, [c_void_p]),
    "commit_queue": (c_int, [c_void_p, Partitions, c_void_p, c_void_p, c_void_p]),
    "queue_new": (c_void_p, [c_void_p]),
    "queue_get_consumer": (c_void_p, [c_void_p]),
    "queue_destroy": (None, [c_void_p]),
    "queue_poll": (c_void_p, [c_void_p, c_int]),
    "event_error": (c_int, [c_void_p]),
    "event_error_string": (c_char_p, [c_void_p]),
    "event_destroy": (None, [c_void_p]),
    "consume_batch_queue": (c_ssize_t, [c_void_p, c_int, c_void_p, c_size_t]),
    "message_destroy": (None, [c_void_p]),
    "message_errstr": (c_char_p, [c_void_p]),
    "message_timestamp": (c_int64, [c_void_p, c_void_p]),
    "message_leader_epoch": (c_int32, [c_void_p]),
    "message_headers": (c_int, [c_void_p, c_void_p]),
    "header_cnt": (c_size_t, [c_void_p]),
    "header_get_all": (c_int, [c_void_p, c_size_t, c_void_p, c_void_p, c_void_p]),
    "headers_new": (c_void_p, [c_size_t]),
    "headers_destroy": (None, [c_void_p]),
    "header_add": (c_int, [c_void_p, c_void_p, c_ssize_t, c_void_p, c_ssize_t]),
    "produce_batch": (c_int, [c_void_p, c_int32, c_int, c_void_p, c_int]),
    "produceva": (c_void_p, [c_void_p, c_void_p, c_size_t]),
    "outq_len": (c_int, [c_void_p]),
    "flush": (c_int, [c_void_p, c_int]),
    "purge": (c_int, [c_void_p, c_int]),
    "error_code": (c_int, [c_void_p]),
    "error_string": (c_char_p, [c_void_p]),
    "error_is_fatal": (c_int, [c_void_p]),
    "error_is_retriable": (c_int, [c_void_p]),
    "error_txn_requires_abort": (c_int, [c_void_p]),
    "error_destroy": (None, [c_void_p]),
    "init_transactions": (c_void_p, [c_void_p, c_int]),
    "begin_transaction": (c_void_p, [c_void_p]),
    "send_offsets_to_transaction": (c_void_p, [c_void_p, Partitions, c_void_p, c_int]),
    "commit_transaction": (c_void_p, [c_void_p, c_int]),
    "abort_transaction": (c_void_p, [c_void_p, c_int]),
    "consumer_group_metadata_new": (c_void_p, [c_char_p]),
    "consumer_group_metadata_destroy": (None, [c_void_p]),
}


if find_spec("confluent_kafka") is None:
    # said here, as the connector is loaded: the registry then says which extra to install
    raise ModuleNotFoundError("No module named 'confluent_kafka'", name="confluent_kafka")


def _candidates() -> Iterator[str]:
    """Give the places where the library may be: beside the confluent-kafka wheel, then that of the system."""
    spec = find_spec("confluent_kafka")
    for location in map(Path, (spec.submodule_search_locations if spec else None) or []):
        for folder in (location.with_name("confluent_kafka.libs"), location / ".dylibs", location):
            yield from (str(p) for p in sorted(folder.glob("librdkafka[-.]*")))
    if found := find_library("rdkafka"):
        yield found


class Library:
    """The functions of librdkafka, by their names without the prefix `rd_kafka_`."""

    def __init__(self, handle: CDLL) -> None:
        self._handle = handle
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(handle, f"rd_kafka_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> ctypes._NamedFuncPointer:  # only for the type checker: `__init__` sets them all
        raise AttributeError(name)

    def address(self, name: str) -> int:
        """Give the address of a function, for kernels."""
        return ctypes.cast(getattr(self, name), c_void_p).value or 0

    def text(self, code: int) -> str:
        """Give librdkafka's words for an error code."""
        return str((self.err2str(code) or b"").decode())


@cache
def load() -> Library:
    """
    Load librdkafka, once.

    Raises:
        ConfigError: its library can't be found, or is too old.
    """
    failures: list[str] = []
    for path in _candidates():
        try:
            library = Library(CDLL(path))
        except (OSError, AttributeError) as error:
            failures.append(f"{path}: {error}")
            continue
        if library.version() >= _LEAST_VERSION:
            return library
        failures.append(f"{path}: older than 2.0")
    tried = "; ".join(failures) or "nothing was found"
    hint = "install the binary wheel: pip install 'tailrace[kafka]'"
    raise ConfigError(f"the library librdkafka can't be loaded ({tried})", hint=hint)
