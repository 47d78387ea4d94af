"""A schema as the arrays that the kernel reads it from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels import json_decode as kernel
from tailrace.formats.scalars import BOUNDS
from tailrace.schema import INTEGERS, STRINGS, TIMESTAMPS, DataType, Kind, Schema

Numbers = npt.NDArray[np.int64]

_PER_SECOND = {"ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
_PLAIN = {
    Kind.DOUBLE: kernel.DOUBLE,
    Kind.FLOAT: kernel.FLOAT,
    Kind.BOOLEAN: kernel.BOOLEAN,
    Kind.DATE: kernel.DATE,
    Kind.CHAR: kernel.STRING,
    Kind.VARCHAR: kernel.STRING,
}
_TWO_WORDS = (kernel.DECIMAL, kernel.STRING, kernel.SPAN)


def code(kind: DataType) -> int:
    """Give the number by which the kernel knows how to read a type; SPAN for one that it leaves as text."""
    if kind.kind in INTEGERS:
        return kernel.INTEGER
    if kind.kind in TIMESTAMPS:
        return kernel.TIMESTAMP
    if kind.kind is Kind.DECIMAL:
        return kernel.DECIMAL
    return _PLAIN.get(kind.kind, kernel.SPAN)


def parameters(kind: DataType, standard: str) -> list[int]:
    """Give what the kernel must know of a type beside its code."""
    if kind.kind in INTEGERS:
        return [*BOUNDS[kind.kind], 0, 0]
    if kind.kind is Kind.DECIMAL:
        return [kind.precision, kind.scale, 0, 0]
    if kind.kind in TIMESTAMPS:
        separator = ord("T") if standard == "ISO-8601" else ord(" ")
        return [separator, kind.kind is Kind.TIMESTAMP_LTZ, _PER_SECOND[kind.time_unit], 10 ** (9 - kind.precision)]
    return [0, 0, 0, 0]


@dataclass(frozen=True, slots=True)
class Layout:
    """The keys, the hash table of them, and how and where each column is read; `words` is how many words a row has."""

    keys: npt.NDArray[np.uint8]
    key_ends: Numbers
    table: Numbers
    kinds: Numbers
    params: Numbers
    firsts: Numbers
    words: int

    @classmethod
    def of(cls, schema: Schema, standard: str) -> Layout:
        """Make the layout of a schema."""
        names = [n.encode() for n in schema.names]
        keys = np.frombuffer(b"".join(names), dtype=np.uint8)
        key_ends = np.cumsum([len(n) for n in names], dtype=np.int64)
        table = np.full(1 << (2 * len(names) + 1).bit_length(), -1, dtype=np.int64)
        kernel.fill_table(keys, key_ends, table)
        kinds = np.array([code(f.type) for f in schema], dtype=np.int64)
        params = np.array([parameters(f.type, standard) for f in schema], dtype=np.int64).reshape(-1, 4)
        sizes = np.where(np.isin(kinds, _TWO_WORDS), 2, 1)
        firsts = (np.cumsum(sizes) - sizes).astype(np.int64)
        return cls(keys, key_ends, table, kinds, params, firsts, int(sizes.sum()))

    def is_text(self, kind: DataType) -> bool:
        """Tell whether a type is a string to the kernel."""
        return kind.kind in STRINGS
