"""Frames to bytes and back, and chains of deltas kept short."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from tailrace.state.delta import StateDelta
from tailrace.state.store_manifest import Damaged, FrameRecord, Link, digest

MAX_LINKS = 32
"""More increments of an operator than that are folded into fewer."""


class Pack:
    """The data file of one epoch while it is put together: IPC streams, one behind the other."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._offset = 0
        self.parts: list[bytes] = []

    def add(self, delta: StateDelta) -> Link:
        """Take in a delta; give the record of where it lies. Frames without rows of an increment are left out."""
        frames = {n: self._frame(f) for n, f in delta.frames.items() if len(f) or delta.base}
        return Link(delta.base, frames, dict(delta.scalars))

    def _frame(self, frame: pl.DataFrame) -> FrameRecord:
        buffer = io.BytesIO()
        frame.write_ipc_stream(buffer, compression="lz4")
        data = buffer.getvalue()
        self.parts.append(data)
        record = FrameRecord(self._epoch, self._offset, len(data), digest(data), len(frame))
        self._offset += len(data)
        return record


def unpack(data: bytes, record: FrameRecord) -> pl.DataFrame:
    """
    Read a frame.

    Raises:
        Damaged: it is not what was written.
    """
    if len(data) != record.length or digest(data) != record.digest:
        raise Damaged(f"the checksum of {record.length} bytes at {record.offset} of epoch {record.epoch} is wrong")
    return pl.read_ipc_stream(io.BytesIO(data))


def extended(
    chain: Sequence[Link], delta: StateDelta, pack: Pack, load: Callable[[FrameRecord], pl.DataFrame]
) -> list[Link]:
    """
    Give the chain of an operator with its newest delta.

    A base stands alone; an operator gives one when its increments have come to outweigh the last, which bounds the bytes.
    A delta without rows only renews the scalars. When there are many increments, the newest are folded into one, older
    ones only when they are no larger than what is folded: each byte is written again but a few times, and the number of
    links stays small.
    """
    if delta.base:
        return [pack.add(delta)]
    if not any(len(f) for f in delta.frames.values()) and chain:
        return [*chain[:-1], Link(chain[-1].base, chain[-1].frames, dict(delta.scalars))]
    if len(chain) <= MAX_LINKS:
        return [*chain, pack.add(delta)]
    keep = _fold_from(chain)
    deltas = [StateDelta(link.base, {n: load(f) for n, f in link.frames.items()}) for link in chain[keep:]]
    return [*chain[:keep], pack.add(folded([*deltas, delta]))]


def _fold_from(chain: Sequence[Link]) -> int:
    """Give the first link to fold; the base (the first of all) never is."""
    first, size = len(chain), 0
    while first > 1 and (len(chain) - first < MAX_LINKS // 2 or chain[first - 1].size <= size):
        first -= 1
        size += chain[first].size
    return first


def folded(deltas: Sequence[StateDelta]) -> StateDelta:
    """Give one increment for several: frames of a name in order, the newest scalars."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for delta in deltas:
        for name, frame in delta.frames.items():
            frames.setdefault(name, []).append(frame)
    joined = {name: pl.concat(parts) for name, parts in frames.items()}
    return StateDelta(base=False, frames=joined, scalars=deltas[-1].scalars)


def deltas_of(
    operators: Mapping[str, Sequence[Link]], load: Callable[[FrameRecord], pl.DataFrame]
) -> dict[str, list[StateDelta]]:
    """Read all chains of a checkpoint."""
    return {
        name: [StateDelta(k.base, {n: load(f) for n, f in k.frames.items()}, k.scalars) for k in chain]
        for name, chain in operators.items()
    }
