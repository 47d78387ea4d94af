"""A cluster within the process, by librdkafka's own mock, that answers requests with the errors that a test wants."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from tailrace.connectors.kafka import library
from tailrace.connectors.kafka.client import Client
from tailrace.connectors.kafka.properties import plain


class Request(IntEnum):
    """The requests of Kafka's protocol, by their numbers."""

    METADATA = 3
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS = 24
    END_TRANSACTION = 26
    TRANSACTION_OFFSETS = 28


class MockCluster:
    """Answers clients of this process, or of others on this machine."""

    def __init__(self, client: Client) -> None:
        self._lib = ctypes.CDLL(next(p for p in library._candidates()))
        for name, arguments in (("topic_create", 4), ("cluster_bootstraps", 1), ("push_request_errors_array", 4)):
            function = getattr(self._lib, f"rd_kafka_mock_{name}")
            function.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * (arguments - 1)
        self._lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        self._lib.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
        self._lib.rd_kafka_handle_mock_cluster.argtypes = [ctypes.c_void_p]
        self._lib.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
        self._cluster = self._lib.rd_kafka_handle_mock_cluster(client.handle)
        assert self._cluster
        self.bootstrap: str = self._lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def topic(self, name: str, partitions: int = 1) -> str:
        """Make a topic; give its name."""
        assert self._lib.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1) == 0
        return name

    def fail(self, request: Request, code: int, times: int) -> None:
        """Answer the next so many requests of a kind with an error."""
        codes = (ctypes.c_int * times)(*[code] * times)
        push = self._lib.rd_kafka_mock_push_request_errors_array
        push.argtypes = [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.c_void_p]
        push(self._cluster, int(request), times, codes)

    def down(self, broker: int) -> None:
        """Let a broker, by its number from 1 on, end its connections and take none; its partitions are not to be had."""
        self._set("down", broker)

    def up(self, broker: int) -> None:
        """Let it take connections again."""
        self._set("up", broker)

    def _set(self, state: str, broker: int) -> None:
        function = getattr(self._lib, f"rd_kafka_mock_broker_set_{state}")
        function.argtypes = [ctypes.c_void_p, ctypes.c_int32]
        assert function(self._cluster, broker) == 0


@contextmanager
def mock_cluster(brokers: int = 1) -> Iterator[MockCluster]:
    """Give a cluster, and end it."""
    properties = plain({"bootstrap.servers": "mock", "test.mock.num.brokers": str(brokers)})
    with Client(library.PRODUCER, properties) as client:
        yield MockCluster(client)
