"""Finds the texts of some fields in JSON objects, without reading what is in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tailrace.formats.base import Reject, Rows
from tailrace.formats.decoding import BadRowError
from tailrace.formats.json.keys import Keys
from tailrace.formats.json.rows import parse_object
from tailrace.formats.json.values import text_of_json
from tailrace.formats.kernels import json_decode as kernel
from tailrace.formats.layout import Layout
from tailrace.schema import STRING, Field, Schema, array

Mask = npt.NDArray[np.bool_]
_PRESENT, _MISSING = 1, 2


class Cut:
    """The fields of rows: each as rows of JSON texts, NULL where it is missing or null."""

    def __init__(self, fields: dict[str, Rows], present: dict[str, Mask], rejects: list[Reject]) -> None:
        self._fields = fields
        self._present = present
        self.rejects = rejects

    def __len__(self) -> int:
        return len(next(iter(self._present.values()), ()))

    def __getitem__(self, name: str) -> Rows:
        return self._fields[name]

    def present(self, name: str) -> Mask:
        """Tell which rows have a field, be it null."""
        return self._present[name]


class Cutter:
    """Cuts the fields of these names out of objects."""

    def __init__(self, names: Sequence[str]) -> None:
        # any nested type will do: the kernel leaves its text alone
        schema = Schema(tuple(Field(name, array(STRING)) for name in names))
        self._names = list(names)
        self._keys = Keys.of(schema)
        self._layout = Layout.of(schema, "SQL", lambda _: str)

    def cut(self, rows: Rows) -> Cut:
        """Give the fields of all rows; one that is no object is a reject, and has none."""
        words, valid, slow = self._layout.room(len(rows))
        valid[:] = _MISSING
        if len(rows) and self._names:
            layout, keys = self._layout, self._keys
            kernel.decode(
                rows.data.ctypes.data, rows.starts, rows.ends, keys.names, keys.ends, keys.table,
                layout.kinds, layout.params, layout.firsts, False, words, valid, slow,
            )  # fmt: skip
        if rows.nulls is not None:
            slow |= rows.nulls.view(np.uint8)
        valid[:, slow != 0] = _MISSING
        starts, ends = words[0::2] - rows.data.ctypes.data, words[0::2] + words[1::2] - rows.data.ctypes.data
        data, rejects = self._one_by_one(rows, np.flatnonzero(slow), valid, starts, ends)
        return self._fields(data, valid, starts, ends, rejects)

    def _one_by_one(
        self, rows: Rows, slow: npt.NDArray[np.int64], valid: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> tuple[npt.NDArray[np.uint8], list[Reject]]:
        """Parse rows that the kernel did not understand; their fields are written anew, behind the others."""
        rejects: list[Reject] = []
        more: list[bytes] = []
        size = len(rows.data)
        for number in slow.tolist():
            try:
                value = parse_object(rows.row(number))
            except BadRowError as error:
                rejects.append(Reject(number, error.code, error.reason))
                continue
            for k, name in enumerate(self._names):
                if name not in value:
                    continue
                text = b"" if value[name] is None else text_of_json(value[name]).encode(errors="surrogatepass")
                valid[k, number] = int(value[name] is not None)
                starts[k, number], ends[k, number] = size, size + len(text)
                size += len(text)
                more.append(text)
        extra = np.frombuffer(b"".join(more), dtype=np.uint8)
        return (np.concatenate([rows.data, extra]) if more else rows.data), rejects

    def _fields(
        self,
        data: npt.NDArray[np.uint8],
        valid: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        rejects: list[Reject],
    ) -> Cut:
        fields, present = {}, {}
        for k, name in enumerate(self._names):
            has = valid[k] == _PRESENT
            fields[name] = Rows(data, np.where(has, starts[k], 0), np.where(has, ends[k], 0), ~has)
            present[name] = valid[k] != _MISSING
        return Cut(fields, present, rejects)
