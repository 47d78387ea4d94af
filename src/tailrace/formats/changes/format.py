"""A format with row kinds, made from its dialect."""

from __future__ import annotations

from collections.abc import Sequence

from tailrace.errors import ConfigError
from tailrace.formats.base import Decoder, Encoder, Format
from tailrace.formats.changes.decoder import ChangeDecoder
from tailrace.formats.changes.dialects import Dialect
from tailrace.formats.changes.encoder import ChangeEncoder
from tailrace.options import OptionSet, Values
from tailrace.schema import Schema


class ChangeFormat(Format):
    """Rows are envelopes of JSON with what was inserted, updated or deleted."""

    changes = True

    def __init__(self, dialect: Dialect, options: OptionSet, metadata: Sequence[str] = ()) -> None:
        self.name = dialect.name
        self.options = options
        self.metadata = dialect.keys
        self._dialect = dialect
        self._wanted = tuple(metadata)

    def with_metadata(self, keys: Sequence[str]) -> Format:
        return ChangeFormat(self._dialect, self.options, keys)

    def decoder(self, schema: Schema, options: Values, whole: Schema | None = None) -> Decoder:
        del whole  # fields have names
        return ChangeDecoder(schema, options, self._dialect, self._wanted)

    def encoder(self, schema: Schema, options: Values) -> Encoder:
        if options.get("schema-include"):
            raise ConfigError(
                f"a table with '{self.name}.schema-include' can't be written: a sink gives no schema",
                hint="leave the option out",
                location=options.location("schema-include"),
            )
        return ChangeEncoder(schema, options, self._dialect)
