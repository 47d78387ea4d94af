"""Decoding beside reading: blocks are decoded on a few threads and come out in the order in which they went in."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tailrace.connectors.base import Block, Change
from tailrace.formats.base import Decoded
from tailrace.runtime.queues import MEANWHILE

Decode = Callable[[Block], Decoded]
Changes = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _InWork:
    block: Block
    decoded: Future[Decoded]


SMALL = 2_048
"""A block of fewer rows is decoded at once where nothing waits before it: another thread would only cost time."""


class DecodeLine:
    """
    Takes blocks and changes of partitions in order, and hands them on in the same order, blocks decoded.

    There is one thread for each of `decoders`, and at most one block more than threads in the line. Used by one thread;
    what a decoder raises is raised by the next call. `meanwhile` is called now and then while it waits for a decoder.
    """

    def __init__(
        self,
        decoders: Sequence[Decode],
        arrive: Callable[[Block, Decoded], None],
        change: Callable[[Changes], None],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._arrive = arrive
        self._meanwhile = meanwhile
        self._change = change
        self._most = len(decoders) + 1
        self._decoders: queue.SimpleQueue[Decode] = queue.SimpleQueue()
        for decoder in decoders:
            self._decoders.put(decoder)
        self._pool = ThreadPoolExecutor(len(decoders), "tailrace-decode") if len(decoders) > 1 else None
        self._waiting: deque[_InWork | Changes] = deque()

    def block(self, block: Block) -> None:
        """Take a block; waits while the line is full."""
        if self._pool is None or (len(block) < SMALL and not self._waiting):
            self._arrive(block, self._decode(block))
            return
        while len(self._waiting) >= self._most:
            self._first()
        self._waiting.append(_InWork(block, self._pool.submit(self._decode, block)))
        self.hand_on()

    def changes(self, changes: Changes) -> None:
        """Take changes of partitions."""
        if not changes:
            return
        if self._waiting:
            self._waiting.append(changes)
        else:
            self._change(changes)

    def hand_on(self) -> None:
        """Hand on what is decoded, without waiting."""
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, _InWork) and not first.decoded.done():
                return
            self._first()

    def flush(self) -> None:
        """Hand on everything, waiting for it."""
        while self._waiting:
            self._first()

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _decode(self, block: Block) -> Decoded:
        decoder = self._decoders.get()
        try:
            return decoder(block)
        finally:
            self._decoders.put(decoder)

    def _result(self, decoded: Future[Decoded]) -> Decoded:
        """Wait for a block; decoding may take long, as while a schema registry is away."""
        while not wait([decoded], MEANWHILE).done:
            self._meanwhile()
        return decoded.result()

    def _first(self) -> None:
        first = self._waiting.popleft()
        if isinstance(first, _InWork):
            self._arrive(first.block, self._result(first.decoded))
        else:
            self._change(first)
