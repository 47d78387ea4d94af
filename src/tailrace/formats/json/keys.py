"""The names of a schema's columns as the kernel looks keys up in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tailrace.formats.kernels.json_decode import fill_table
from tailrace.schema import Schema

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """The names one behind the other, where each ends, and the hash table of them."""

    names: npt.NDArray[np.uint8]
    ends: Numbers
    table: Numbers

    @classmethod
    def of(cls, schema: Schema) -> Keys:
        """Make the keys of a schema."""
        texts = [n.encode() for n in schema.names]
        names = np.frombuffer(b"".join(texts), dtype=np.uint8)
        ends = np.cumsum([len(n) for n in texts], dtype=np.int64)
        table = np.full(1 << (2 * len(texts) + 1).bit_length(), -1, dtype=np.int64)
        fill_table(names, ends, table)
        return cls(names, ends, table)
