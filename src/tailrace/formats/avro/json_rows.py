"""Rows of Avro's JSON encoding: each is turned into the binary one and read as that, and the reverse."""

from __future__ import annotations

import io
import json
import math
import re
from typing import Any

import numpy as np
import polars as pl

from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.library import fastavro
from tailrace.formats.avro.types import AvroType, as_json
from tailrace.formats.base import Decoded, Decoder, Encoder, Reject, Rows
from tailrace.formats.decoding import BadRowError
from tailrace.formats.json.values import NotJsonError, Number, parse
from tailrace.schema import Schema

_BOUNDS = {"int": 2**31, "long": 2**63}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_MOST = {"float": 3.4028234663852886e38, "double": 1.7976931348623157e308}
_WHOLE = re.compile(r"-?[0-9]{1,19}")


class AvroJsonDecoder(Decoder):
    """Reads the columns of a schema from JSON that one writer's schema describes."""

    def __init__(self, writer: AvroType, schema: Schema) -> None:
        self._library = fastavro()
        self._writer = writer
        self._schema = self._library.parse_schema(as_json(writer))
        self._inner = AvroDecoder(writer, schema)

    def decode(self, rows: Rows) -> Decoded:
        made: list[bytes | None] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        for number in range(len(rows)):
            try:
                made.append(self._binary(rows.row(number)))
                numbers.append(number)
            except BadRowError as error:
                rejects.append(Reject(number, error.code, error.reason))
        decoded = self._inner.decode(Rows.of(made))
        rejects += [Reject(numbers[r.row], r.code, r.reason) for r in decoded.rejects]
        if not rejects:
            return decoded
        read = np.array(numbers, dtype=np.int64)
        kept = read if decoded.kept is None else read[decoded.kept]
        return Decoded(decoded.frame, kept, sorted(rejects, key=lambda reject: reject.row))

    def _binary(self, row: bytes | None) -> bytes:
        if not row:
            raise BadRowError(*(("empty", "a row of zero bytes") if row is not None else _TOMBSTONE))
        try:
            value = parse(row.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise BadRowError("utf-8", f"not UTF-8 from byte {error.start} on") from None
        except NotJsonError as error:
            raise BadRowError(error.code, str(error)) from None
        out = io.BytesIO()
        self._library.schemaless_writer(out, self._schema, _taken(self._writer, value, ""))
        return out.getvalue()


_TOMBSTONE = ("tombstone", "a row without bytes (a tombstone)")


class AvroJsonEncoder(Encoder):
    """Writes each row as the JSON of one record."""

    def __init__(self, schema: Schema, writer: AvroType) -> None:
        self._library = fastavro()
        self._writer = writer
        self._schema = self._library.parse_schema(as_json(writer))
        self._inner = AvroEncoder(schema, writer)

    def encode(self, frame: pl.DataFrame) -> Rows:
        rows = self._inner.encode(frame)
        return Rows.of([self._text(rows.row(n) or b"") for n in range(len(rows))])

    def _text(self, row: bytes) -> bytes:
        value = self._library.schemaless_reader(io.BytesIO(row), self._schema, None)
        return json.dumps(_given(self._writer, value), separators=(",", ":"), ensure_ascii=False).encode()


def _name(of: AvroType) -> str:
    """Give the name by which a branch of a union is called."""
    return of.name or of.kind


def _given(of: AvroType, value: Any) -> Any:
    """Give a value, as fastavro has it, as it stands in JSON."""
    if of.kind == "union":
        if value is None:
            return None
        _, branch = of.optional or (0, of.branches[0])
        return {_name(branch): _given(branch, value)}
    if of.kind == "record":
        return {f.name: _given(f.type, value[f.name]) for f in of.fields}
    if of.kind == "array":
        return [_given(of.item, v) for v in value]
    if of.kind == "map":
        return {k: _given(of.item, v) for k, v in value.items()}
    if of.kind in ("bytes", "fixed"):
        return value.decode("latin-1")
    if of.kind in ("float", "double") and not math.isfinite(value):
        return next(text for text, special in _SPECIAL.items() if str(special) == str(value))
    return value


def _taken(of: AvroType, value: Any, path: str) -> Any:
    """
    Give a value of JSON as fastavro takes it.

    Raises:
        BadRowError: it is none of the type.
    """
    if of.kind == "union":
        return _branch(of, value, path)
    if of.kind == "record" and isinstance(value, dict):
        lacking = next((f.name for f in of.fields if f.name not in value), None)
        if lacking is not None:
            raise BadRowError("missing", f"there is no field '{path}{lacking}'")
        return {f.name: _taken(f.type, value[f.name], f"{path}{f.name}.") for f in of.fields}
    if of.kind == "array" and isinstance(value, list):
        return [_taken(of.item, v, path) for v in value]
    if of.kind == "map" and isinstance(value, dict):
        return {k: _taken(of.item, v, path) for k, v in value.items()}
    return _plain(of, value, path)


def _branch(of: AvroType, value: Any, path: str) -> Any:
    if value is None and any(b.kind == "null" for b in of.branches):
        return None
    if isinstance(value, dict) and len(value) == 1:
        name, inner = next(iter(value.items()))
        found = next((b for b in of.branches if _name(b) == name and b.kind != "null"), None)
        if found is not None:
            return _taken(found, inner, path)
    names = ", ".join(_name(b) for b in of.branches if b.kind != "null")
    raise BadRowError("type", f"field '{path.rstrip('.')}' is neither null nor an object of one field: {names}")


def _plain(of: AvroType, value: Any, path: str) -> Any:
    """Take a value that has no parts."""
    name = path.rstrip(".")
    if isinstance(value, Number):
        found = _number(of, value, name)
    elif isinstance(value, str):
        found = _of_text(of, value, name)
    else:
        found = value if of.kind == "boolean" and isinstance(value, bool) else None
    if found is None:
        raise BadRowError("type", f"field '{name}' is no {of.kind}")
    return found


def _number(of: AvroType, text: str, name: str) -> Any:
    if of.kind in _BOUNDS and _WHOLE.fullmatch(text):
        if not -_BOUNDS[of.kind] <= int(text) < _BOUNDS[of.kind]:
            raise BadRowError("range", f"field '{name}': out of the range of {of.kind}")
        return int(text)
    if of.kind not in _MOST:
        return None
    if not abs(float(text)) <= _MOST[of.kind]:
        raise BadRowError("range", f"field '{name}': out of the range of {of.kind}")
    return float(text)


def _of_text(of: AvroType, text: str, name: str) -> Any:
    if of.kind in _MOST:
        return _SPECIAL.get(text)
    if of.kind in ("bytes", "fixed") and all(ord(c) < 256 for c in text):
        return text.encode("latin-1") if of.kind == "bytes" or len(text) == of.size else None
    if of.kind == "string":
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise BadRowError("utf-8", f"field '{name}' has half of a surrogate pair")
        return text
    return text if of.kind == "enum" and text in of.symbols else None
