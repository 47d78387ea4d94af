"""The options of Avro's formats, under Flink's names; what only Tailrace has is under `tailrace.`."""

from __future__ import annotations

from tailrace.formats.avro.types import BadSchemaError, parse
from tailrace.formats.confluent.access import OPTIONS as ACCESS
from tailrace.formats.confluent.places import OPTIONS as PLACE
from tailrace.options import Option, OptionSet, boolean, choice


def _schema(text: str) -> str:
    try:
        parse(text)
    except BadSchemaError as error:
        raise ValueError(str(error)) from None
    return text


LEGACY = Option(
    "timestamp_mapping.legacy",
    boolean,
    True,
    "`true`: TIMESTAMP and TIMESTAMP_LTZ are both `timestamp-…`; `false`: TIMESTAMP is `local-timestamp-…`",
)

SCHEMA = Option("schema", _schema, doc="the schema of the table as text: its names, aliases and defaults count")

PLAIN = OptionSet(
    "format 'avro'",
    (
        Option(
            "encoding", choice("binary", "json"), "binary", "how rows are encoded: `binary`, or `json` as Avro has it"
        ),
        LEGACY,
        Option(
            "codec",
            choice("null", "deflate", "snappy", "bzip2", "xz", "zstandard"),
            "deflate",
            "how the blocks of files are compressed: `null`, `deflate`, `snappy`, `bzip2`, `xz` or `zstandard`",
        ),
    ),
)
"""Those of `avro`."""

_OF_REGISTRY = (
    *ACCESS,
    *PLACE,
    SCHEMA,
    LEGACY,
)


def of_registry(name: str) -> OptionSet:
    """Give the options of a format whose schemas are in a registry."""
    return OptionSet(f"format '{name}'", _OF_REGISTRY)
