"""Interim JSON: row by row."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.formats.base import Decoder, Encoder, Format, Rows
from tailrace.formats.json_decoder import JsonDecoder
from tailrace.options import Option, OptionSet, Values, boolean
from tailrace.schema import Schema

OPTIONS = OptionSet("format 'json'", (Option("ignore-parse-errors", boolean, False), Option("fail-on-missing-field", boolean, False)))


class JsonEncoder(Encoder):
    def encode(self, frame: pl.DataFrame) -> Rows:
        data = np.frombuffer(frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64)).write_ndjson().encode(), dtype=np.uint8)
        ends = np.flatnonzero(data == 10)
        starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else ends
        return Rows(data, starts, ends.astype(np.int64))


class JsonFormat(Format):
    name = "json"
    options = OPTIONS

    def decoder(self, schema: Schema, options: Values) -> Decoder:
        return JsonDecoder(schema, lenient=options['ignore-parse-errors'], need_all=options['fail-on-missing-field'])

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        return JsonEncoder()
