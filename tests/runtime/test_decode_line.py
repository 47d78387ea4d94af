"""Decoding beside reading: several at a time, handed on in order."""

from __future__ import annotations

import random
import threading
import time

import polars as pl
import pytest

from tailrace.connectors.base import Assigned, Block, Change, Ended
from tailrace.formats.base import Decoded
from tailrace.runtime.decode_line import SMALL, DecodeLine

Out = list[int | tuple[Change, ...]]


def _block(number: int, rows: int = SMALL) -> Block:
    return Block("p", pl.DataFrame({"n": [number] * rows}), {"n": number})


def _decode(block: Block) -> Decoded:
    assert isinstance(block.values, pl.DataFrame)
    return Decoded(block.values)


def _line(out: Out, *decoders: object) -> DecodeLine:
    return DecodeLine(decoders, lambda block, _: out.append(block.position["n"]), out.append)  # type: ignore[arg-type]


def test_each_decoder_has_a_block_at_the_same_time() -> None:
    """Also when a source gives one block a look, and nothing happens to its partitions in between."""
    both = threading.Barrier(2, timeout=10)

    def decode(block: Block) -> Decoded:
        both.wait()
        return _decode(block)

    out: Out = []
    line = _line(out, decode, decode)
    for number in range(4):
        line.changes(())
        line.block(_block(number))
        line.changes(())
    line.flush()
    line.close()
    assert out == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(5))
def test_blocks_and_changes_come_out_as_they_went_in(seed: int) -> None:
    """However long each block takes, and with small ones among them."""
    rng = random.Random(seed)  # noqa: S311 - a seeded test

    def decode(block: Block) -> Decoded:
        time.sleep(rng.random() / 500)
        return _decode(block)

    out: Out = []
    line = _line(out, decode, decode, decode)
    expected: Out = []
    for number in range(40):
        if rng.random() < 0.3:
            changes = (rng.choice((Assigned("p"), Ended("p"))),)
            line.changes(changes)
            expected.append(changes)
        line.block(_block(number, rng.choice((1, SMALL))))
        expected.append(number)
    line.flush()
    line.close()
    assert out == expected


def test_what_a_decoder_raises_comes_to_the_reader() -> None:
    """The thread of the source hears of it with a later call."""

    def decode(block: Block) -> Decoded:
        raise ZeroDivisionError(block.partition)

    line = _line([], decode, decode)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the first call that finds the block done
        line.block(_block(0))
        line.flush()
    line.close()
