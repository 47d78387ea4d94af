"""JSON Schema: rows that it refuses, each with the path of what fails."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from tailrace.errors import ConfigError, DataError, Location
from tailrace.formats.base import Decoded, Decoder, Encoder, Reject, Rows

_BOM = b"\xef\xbb\xbf"
_MASK = "a value"


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_LENIENT = json.JSONDecoder(strict=False, parse_constant=_constant)


class Validator:
    """
    Checks rows against one schema; of the draft that its `$schema` names, else the newest.

    `others` are the schemas that it refers to, by their names. Nothing is fetched from elsewhere.

    Raises:
        ConfigError: the library is not installed, or the schema is none.
    """

    def __init__(self, schema: Any, others: Mapping[str, Any] | None = None, at: Location | None = None) -> None:
        library = _library(at)
        try:
            registry = library.Registry(resources=list((others or {}).items())) if others else None
            given = {"mask": _MASK, "offline": True, "base_uri": "json-schema:///"} | (
                {"registry": registry} if registry else {}
            )
            self._validator = library.validator_for(schema, **given)
        except (ValueError, library.ReferencingError) as error:
            said = " ".join(str(error).split("\n\n", maxsplit=1)[0].split())
            raise ConfigError(f"the JSON Schema can't be used: {said}", location=at) from None

    def reason(self, row: bytes) -> str:
        """
        Say what a schema refuses in a row: where in the row, and by which rule; empty if nothing.

        A row that is no JSON is left to who reads it.

        >>> Validator({"properties": {"n": {"type": "integer"}}}).reason(b'{"n": "x"}')[:22]
        "at '/n': a value is no"
        """
        try:
            value = _parsed(row)
        except (ValueError, RecursionError):
            return ""
        try:
            if self._validator.is_valid(value):
                return ""
            error = next(iter(self._validator.iter_errors(value)))
        except (UnicodeEncodeError, RecursionError):
            return ""  # so bad that the decoder refuses it
        return f"at '{_pointer(error.instance_path)}': {error.message} (rule '{_pointer(error.schema_path)}')"


def _library(at: Location | None) -> Any:
    try:
        return importlib.import_module("jsonschema_rs")
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[jsonschema]'"
        raise ConfigError(f"a JSON Schema needs '{error.name}'", hint=hint, location=at) from None


def _parsed(row: bytes) -> Any:
    """Parse a row; what the fast parser is too strict for, by Python's."""
    row = row.removeprefix(_BOM)
    try:
        return msgspec.json.decode(row)
    except msgspec.DecodeError:
        return _LENIENT.decode(row.decode())


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def schema_file(name: str, at: Location | None) -> Any:
    """
    Read a file with a JSON Schema.

    Raises:
        ConfigError: there is none, or it is no JSON.
    """
    path = Path(name).expanduser()
    try:
        return json.loads(path.read_text())
    except OSError as error:
        hint = "a path is relative to the current folder"
        raise ConfigError(f"'{name}' can't be read: {error}", hint=hint, location=at) from None
    except ValueError as error:
        raise ConfigError(f"'{name}' is no JSON: {error}", location=at) from None


class ValidatingDecoder(Decoder):
    """Reads the rows that a schema takes; the others are rejects, or left out with `ignore_errors`."""

    def __init__(self, validator: Validator, inner: Decoder, *, ignore_errors: bool) -> None:
        self._validator = validator
        self._inner = inner
        self._ignore_errors = ignore_errors

    def decode(self, rows: Rows) -> Decoded:
        refused = self._refused(rows)
        if not refused:
            return self._inner.decode(rows)
        left = np.setdiff1d(np.arange(len(rows), dtype=np.int64), np.fromiter(refused, dtype=np.int64))
        decoded = self._inner.decode(rows.take(left))
        kept = left if decoded.kept is None else left[decoded.kept]
        rejects = [Reject(int(left[r.row]), r.code, r.reason) for r in decoded.rejects]
        if not self._ignore_errors:
            rejects += [Reject(number, "schema", reason) for number, reason in refused.items()]
        return Decoded(decoded.frame, kept, sorted(rejects, key=lambda r: r.row))

    def _refused(self, rows: Rows) -> dict[int, str]:
        reasons = ((i, self._validator.reason(row)) for i in range(len(rows)) if (row := rows.row(i)))
        return {i: reason for i, reason in reasons if reason}


class ValidatingEncoder(Encoder):
    """Writes rows that a schema takes."""

    def __init__(self, validator: Validator, inner: Encoder) -> None:
        self._validator = validator
        self._inner = inner
        self.header = inner.header

    def encode(self, frame: pl.DataFrame) -> Rows:
        rows = self._inner.encode(frame)
        for i in range(len(rows)):
            reason = self._validator.reason(rows.row(i) or b"")
            if reason:
                raise DataError(f"the row breaks the JSON Schema: {reason}")
        return rows
