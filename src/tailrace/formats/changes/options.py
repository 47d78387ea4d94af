"""The options of formats with row kinds, under Flink's names."""

from __future__ import annotations

from tailrace.formats.json.options import OPTIONS as JSON
from tailrace.options import Option, OptionSet, boolean, string

_OF_JSON = ("timestamp-format.standard", "map-null-key.mode", "map-null-key.literal", "encode.decimal-as-plain-number")
_SCHEMA = Option(
    "schema-include",
    boolean,
    False,
    "each row has its schema around it, as Kafka Connect writes it with `value.converter.schemas.enable`",
)
_MORE = {
    "debezium-json": (_SCHEMA,),
    "canal-json": tuple(
        Option(
            f"{what}.include",
            string,
            None,
            f"only changes of {what}s whose names match this regular expression as a whole",
        )
        for what in ("database", "table")
    ),
}


def options(name: str) -> OptionSet:
    """Give the options of a format; those of JSON that it has mean the same."""
    own = Option("ignore-parse-errors", boolean, False, "a row that can't be read is left out; else it is an error")
    taken = [o for o in JSON.options if o.key in (*_OF_JSON, "encode.ignore-null-fields")]
    first = (own, *_MORE.get(name, ()))
    return OptionSet(f"format '{name}'", (*first, *taken))
