"""Envelopes of JSON to rows with row kinds, in whole blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.engine.batch import KIND, RowKind
from tailrace.formats.base import Decoded, Decoder, Reject, Rows
from tailrace.formats.changes.dialects import Dialect
from tailrace.formats.changes.filters import Filters
from tailrace.formats.changes.images import (
    DELETE,
    IGNORED,
    INSERT,
    UNKNOWN,
    UPDATE,
    Images,
    Lists,
    images_of,
    listed_images,
)
from tailrace.formats.changes.metadata import MetadataReader
from tailrace.formats.json.cutter import Cut, Cutter
from tailrace.formats.json.decoder import JsonDecoder
from tailrace.formats.json.options import OPTIONS as JSON
from tailrace.options import OptionText, Values
from tailrace.schema import Field, Schema

Numbers = npt.NDArray[np.int64]


class ChangeDecoder(Decoder):
    """
    Reads the columns of a schema from envelopes: an update gives two rows, the one before and the new one.

    Rows without bytes (tombstones) and of no bytes are left out. If one of the two rows of an update can't be read, both are
    left out.
    """

    def __init__(self, schema: Schema, options: Values, dialect: Dialect, metadata: Sequence[str] = ()) -> None:
        self._schema = schema
        self._dialect = dialect
        self._ignore = bool(options["ignore-parse-errors"])
        self._payload = Cutter(("schema", "payload")) if options.get("schema-include") else None
        self._metadata = MetadataReader(dialect, metadata)
        self._filters = Filters(dialect.filters, options)
        self._cutter = Cutter(tuple(dict.fromkeys((*dialect.fields, *self._metadata.fields, *self._filters.fields))))
        standard = options["timestamp-format.standard"]
        # a row before an update that names only what has changed gets its other values later
        read = Schema(tuple(Field(f.name, f.type.with_nullable(True)) for f in schema)) if dialect.old else schema
        given = {"timestamp-format.standard": standard, "ignore-parse-errors": str(self._ignore).lower()}
        self._images = JsonDecoder(read, JSON.parse({k: OptionText(v) for k, v in given.items()}))
        self._changed = Cutter(schema.names) if dialect.old else None

    def decode(self, rows: Rows) -> Decoded:
        live = rows.ends > rows.starts
        if rows.nulls is not None:
            live &= ~rows.nulls
        numbers = np.flatnonzero(live)
        bad: dict[int, Reject] = {}
        outer, inner = self._opened(rows.take(numbers), bad)
        cut = self._cutter.cut(inner)
        _note(bad, cut.rejects)
        frame, of_image = self._read(self._taken_apart(cut, bad), bad)
        frame = frame.with_columns(self._metadata.columns(cut, outer, of_image))
        rejects = [Reject(int(numbers[r.row]), r.code, r.reason) for _, r in sorted(bad.items())]
        return Decoded(frame, numbers[of_image], [] if self._ignore else rejects)

    def _opened(self, rows: Rows, bad: dict[int, Reject]) -> tuple[Cut | None, Rows]:
        """Take the payload out of messages with a schema."""
        if self._payload is None:
            return None, rows
        cut = self._payload.cut(rows)
        _note(bad, cut.rejects)
        payload = cut["payload"]
        assert payload.nulls is not None
        _reject(bad, np.flatnonzero(payload.nulls), "missing", "there is no field 'payload'")
        return cut, payload

    def _taken_apart(self, cut: Cut, bad: dict[int, Reject]) -> Images:
        """Give the rows that envelopes have; those without the ones that they need become rejects."""
        d = self._dialect
        done = self._operations(cut[d.operation])
        done[self._filters.left_out(cut)] = IGNORED
        _reject(bad, np.flatnonzero(done == UNKNOWN), "operation", f"field '{d.operation}' names no operation")
        before, after = cut[d.old or d.before], cut[d.after]
        removed = cut[d.before]
        for operation, name, found in (
            (INSERT, d.after, after), (UPDATE, d.after, after), (UPDATE, d.old or d.before, before), (DELETE, d.before, removed)
        ):  # fmt: skip
            assert found.nulls is not None
            _reject(bad, np.flatnonzero((done == operation) & found.nulls), "missing", f"there is no field '{name}'")
        if d.lists:
            return self._listed(done, Lists.of(before), Lists.of(after), bad)
        return images_of(done, _good(done, bad), before, after, removed)

    def _listed(self, done: npt.NDArray[np.int8], before: Lists, after: Lists, bad: dict[int, Reject]) -> Images:
        """Give the rows of envelopes with arrays; those without become rejects."""
        d, counts = self._dialect, after.counts
        _reject(bad, np.flatnonzero((done != IGNORED) & (counts < 0)), "type", f"field '{d.after}' is no array")
        uneven = (done == UPDATE) & (before.counts != counts)
        _reject(bad, np.flatnonzero(uneven), "missing", f"field '{d.old}' has not a row for each of '{d.after}'")
        return listed_images(done, _good(done, bad), before, after)

    def _operations(self, texts: Rows) -> npt.NDArray[np.int8]:
        """Give the operation of each envelope."""
        d = self._dialect
        known = {
            f'"{v}"'.encode(): code
            for code, values in ((INSERT, d.inserts), (UPDATE, d.updates), (DELETE, d.deletes), (IGNORED, d.ignored))
            for v in values
        }
        found = np.full(len(texts), UNKNOWN, dtype=np.int8)
        sizes = texts.ends - texts.starts
        for word, code in known.items():
            at = np.flatnonzero(sizes == len(word))
            letters = texts.data[texts.starts[at][:, None] + np.arange(len(word))]
            found[at[(letters == np.frombuffer(word, dtype=np.uint8)).all(axis=1)]] = code
        return found

    def _read(self, images: Images, bad: dict[int, Reject]) -> tuple[pl.DataFrame, Numbers]:
        """Read the rows; give them with their kinds, and the envelope of each."""
        decoded = self._images.decode(images.rows)
        _note(bad, [Reject(int(images.numbers[r.row]), r.code, r.reason) for r in decoded.rejects])
        kept = np.arange(len(images.rows)) if decoded.kept is None else decoded.kept
        frame = decoded.frame.with_columns(pl.Series(KIND, images.kinds[kept]))
        if len(kept) < len(images.rows):
            lost = np.setdiff1d(np.arange(len(images.rows)), kept)
            frame, kept = _without(images.numbers[lost], frame, images, kept)
        if self._changed is not None:
            frame = self._completed(frame, images, kept)
            self._look_for_missing(frame, images.numbers[kept], bad)
            missing = np.fromiter(bad, dtype=np.int64, count=len(bad))
            frame, kept = _without(missing, frame, images, kept)
        return frame, images.numbers[kept]

    def _look_for_missing(self, frame: pl.DataFrame, numbers: Numbers, bad: dict[int, Reject]) -> None:
        for field in self._schema:
            if not field.type.nullable and frame[field.name].null_count():
                rows = numbers[frame[field.name].is_null().to_numpy()]
                _reject(bad, rows, "null", f"column '{field.name}' is NOT NULL and has no value")

    def _completed(self, frame: pl.DataFrame, images: Images, kept: Numbers) -> pl.DataFrame:
        """Put the values that an update has not changed into the row before it."""
        assert self._changed is not None
        partial = np.flatnonzero(images.kinds[kept] == RowKind.UPDATE_BEFORE)
        if not len(partial):
            return frame
        given = self._changed.cut(images.rows.take(kept[partial]))
        columns = []
        for name in self._schema.names:
            own = np.ones(len(frame), dtype=np.bool_)
            own[partial] = given.present(name)
            # the new row follows the one before it
            columns.append(frame[name].zip_with(pl.Series(own), frame[name].shift(-1)))
        return frame.with_columns(columns)


def _without(lost: Numbers, frame: pl.DataFrame, images: Images, kept: Numbers) -> tuple[pl.DataFrame, Numbers]:
    """Leave out the rows of these envelopes."""
    good = ~np.isin(images.numbers[kept], lost)
    return frame.filter(pl.Series(good)), kept[good]


def _good(done: npt.NDArray[np.int8], bad: dict[int, Reject]) -> npt.NDArray[np.bool_]:
    """Tell which envelopes have rows that count."""
    good: npt.NDArray[np.bool_] = done != IGNORED
    good[list(bad)] = False
    return good


def _note(bad: dict[int, Reject], rejects: Sequence[Reject]) -> None:
    for reject in rejects:
        bad.setdefault(reject.row, reject)


def _reject(bad: dict[int, Reject], numbers: Numbers, code: str, reason: str) -> None:
    _note(bad, [Reject(n, code, reason) for n in numbers.tolist()])
