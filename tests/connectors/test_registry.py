"""Connectors by name, and the options of every table."""

from __future__ import annotations

import pytest
from connector_kit import sink, source, table

from tailrace.connectors import registry
from tailrace.connectors.base import Connector
from tailrace.errors import ConfigError, UnsupportedError
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BIGINT, STRING, array, timestamp_ltz

FILE = {"path": "x", "format": "json"}


def fails(of: Table, *words: str) -> ConfigError:
    """The table is refused, with these words."""
    with pytest.raises(ConfigError) as caught:
        source(of)
    for word in words:
        assert word in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["blackhole", "datagen", "filesystem", "memory", "nexmark", "print", "sqlite"])
def test_built_in_connectors_are_loaded_by_name(name: str) -> None:
    """Each built-in name gives a connector of that name."""
    found = registry.get(name)

    assert isinstance(found, Connector)
    assert found.name == name


def test_a_mistyped_connector_is_pointed_to() -> None:
    """The error has the place of the option's value, and the name that was meant."""
    error = fails(table("filesystm", {"a": STRING}), "job.sql:7:11", "did you mean 'filesystem'?")

    assert error.location is not None


def test_a_table_without_connector() -> None:
    """A table needs a connector; the error names those there are."""
    bare = Table("t", (), table("memory", {"a": STRING}).schema, {})

    fails(bare, "'t' has no connector", "datagen")


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("pth", "path"),
        ("json.ignore-parse-error", "json.ignore-parse-errors"),
        ("tailrace.on-eror", "tailrace.on-error"),
    ],
)
def test_a_mistyped_option_is_pointed_to(option: str, hint: str) -> None:
    """Options of the connector, of the format and of every table are all known when one is mistyped."""
    fails(table("filesystem", {"a": STRING}, FILE | {option: "true"}), "job.sql:7:4", f"did you mean '{hint}'?")


def test_a_mistyped_format_is_pointed_to() -> None:
    """The error of a format that does not exist is at the option."""
    fails(table("filesystem", {"a": STRING}, {"path": "x", "format": "jsn"}), "job.sql:7:13", "json")


def test_format_and_value_format_are_one() -> None:
    """Only one of the two may be given."""
    fails(table("filesystem", {"a": STRING}, FILE | {"value.format": "json"}), "give one")


def test_a_connector_without_formats_takes_none() -> None:
    """`format` is an unknown option of a connector that has no bytes."""
    fails(table("datagen", {"a": STRING}, {"format": "json"}), "no option 'format'")


@pytest.mark.parametrize(
    ("policy", "value"), [("tailrace.on-error", "dead-letter"), ("tailrace.on-late", "dead-letter")]
)
def test_dead_letters_need_a_table(policy: str, value: str) -> None:
    """A policy that writes dead letters says where."""
    fails(table("datagen", {"a": STRING}, {policy: value}), "job.sql:7:12", "tailrace.dead-letter.table")


def test_values_of_common_options_are_checked() -> None:
    """A word that is no policy is refused, naming those there are."""
    fails(table("datagen", {"a": STRING}, {"tailrace.on-error": "ignore"}), "'fail', 'drop', 'dead-letter'")
    fails(table("datagen", {"a": STRING}, {"tailrace.max-error-share": "5"}), "up to 1")


def test_watermark_alignment_is_refused_kindly() -> None:
    """Flink's alignment is known by name and refused, saying why it is not needed."""
    of = table("datagen", {"a": STRING}, {"scan.watermark.alignment.group": "g"})

    assert isinstance(fails(of, "alignment", "share one loop"), UnsupportedError)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"key.format": "json"}, "key.fields"),
        ({"key.fields": "a"}, "key.format"),
        ({"key.format": "json", "key.fields": "b"}, "no physical column 'b'"),
        ({"key.format": "json", "key.fields": "a", "key.fields-prefix": "k_"}, "EXCEPT_KEY"),
        (
            {"key.format": "json", "key.fields": "a", "key.fields-prefix": "k_", "value.fields-include": "EXCEPT_KEY"},
            "does not begin with",
        ),
    ],
)
def test_options_of_keys_go_together(given: dict[str, str], words: str) -> None:
    """What Flink asks of key options is asked here."""
    fails(table("filesystem", {"a": STRING}, FILE | given), words)


def test_options_of_a_key_format_have_its_prefix() -> None:
    """`key.json.x` belongs to the key's format, `value.json.x` to the value's where it is named so."""
    given = {
        "path": "x",
        "key.format": "json",
        "key.fields": "a",
        "key.json.ignore-parse-errors": "true",
        "value.format": "json",
        "value.json.fail-on-missing-field": "true",
    }
    found = registry.options_of(table("filesystem", {"a": STRING}, given))

    assert found.key is not None
    assert found.value is not None
    assert found.key.options["ignore-parse-errors"] is True
    assert found.value.options["ignore-parse-errors"] is False
    assert found.value.options["fail-on-missing-field"] is True


def test_a_metadata_key_must_exist() -> None:
    """A metadata column of a key that the connector has not is pointed to."""
    column = MetadataColumn("n", STRING, "file.nam")

    fails(table("filesystem", {"a": STRING}, FILE, metadata=[column]), "no metadata 'file.nam'", "'file.name'")


def test_a_metadata_column_must_be_castable() -> None:
    """The declared type must be one that the key's type can be cast to."""
    column = MetadataColumn("n", array(BIGINT), "file.name")

    fails(table("filesystem", {"a": STRING}, FILE, metadata=[column]), "file.name", "ARRAY<BIGINT>")


def test_metadata_that_is_written_must_be_writable() -> None:
    """A sink refuses a metadata column that is not VIRTUAL and can't be written."""
    column = MetadataColumn("at", timestamp_ltz(3), "file.modification-time")

    with pytest.raises(ConfigError, match="VIRTUAL"):
        sink(table("filesystem", {"a": STRING}, FILE, metadata=[column]))


def test_partitions_where_there_are_none() -> None:
    """PARTITIONED BY is refused by a connector that has no partitions of columns."""
    fails(table("datagen", {"a": STRING}, partitioned_by=("a",)), "PARTITIONED BY")


def test_reading_a_sink_is_refused() -> None:
    """A connector says what it can't do."""
    fails(table("blackhole", {"a": STRING}), "'blackhole' can't be read")
