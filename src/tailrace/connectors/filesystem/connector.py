"""The connector `filesystem`: from the options of a table to a source or sink."""

from __future__ import annotations

import re
from dataclasses import replace

from tailrace.connectors.base import Connector, Context
from tailrace.connectors.filesystem.cutting import cut_for
from tailrace.connectors.filesystem.encoding import row_encoder
from tailrace.connectors.filesystem.objects.place import is_object_path, place_of
from tailrace.connectors.filesystem.objects.source import ObjectSource, ObjectSpec
from tailrace.connectors.filesystem.objects.target import LARGEST, ObjectTarget
from tailrace.connectors.filesystem.options import OPTIONS
from tailrace.connectors.filesystem.parquets import refuse_unsupported
from tailrace.connectors.filesystem.paths import check_folder, local_path
from tailrace.connectors.filesystem.reading import Reading
from tailrace.connectors.filesystem.sink import FileSink, Layout, Rolling
from tailrace.connectors.filesystem.source import FileSource, Spec
from tailrace.connectors.filesystem.spec import Common
from tailrace.connectors.filesystem.streams import zstd_module
from tailrace.connectors.filesystem.target import LocalTarget, Target
from tailrace.connectors.table_options import appends_only
from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.formats import changes
from tailrace.formats.base import MetadataKey
from tailrace.options import Values
from tailrace.plan.catalog import Table
from tailrace.schema import BINARIES, Kind, Schema

FORMATS = ("json", "csv", "parquet", "avro", "raw", *(f.name for f in changes.FORMATS))
WHOLE = ("parquet", "avro")
"""Those whose files are no rows of bytes, one behind the other, and are compressed within."""
METADATA = (
    MetadataKey("file.path", "STRING NOT NULL", "the absolute path of the file"),
    MetadataKey("file.name", "STRING NOT NULL", "the name of the file, without its folders"),
    MetadataKey("file.size", "BIGINT NOT NULL", "the size of the file in bytes when the row was read"),
    MetadataKey("file.modification-time", "TIMESTAMP_LTZ(3) NOT NULL", "when the file was last written to"),
)


class FilesystemConnector(Connector):
    """Files of a folder, read or written."""

    name = "filesystem"
    doc = "Files: NDJSON, CSV, Parquet, Avro and raw lines, plain or compressed; a file, a folder or a glob, also in S3, GCS and Azure."
    options = OPTIONS
    place = "path"
    metadata = METADATA
    own_formats = ("parquet",)
    partitions = True
    lookups = True

    def refuses_updates(self, table: Table) -> str:
        return appends_only(table, self)

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> FileSource | ObjectSource:
        format_name = _format(table)
        keys = _keys(table)
        by_name = {m.name: m.key for m in table.metadata}
        asked = [f for f in schema if f.name not in by_name]
        in_files = Schema(tuple(f for f in asked if f.name not in keys))
        monitor = options["source.monitor-interval"]
        compression = _compression(options, format_name)
        reading = Reading(
            schema=in_files,
            cut=None if format_name in WHOLE else cut_for(format_name, table),
            text=format_name == "csv" or format_name.endswith("json"),
            compression=compression,
            watching=monitor is not None,
            max_row=options["tailrace.max-row-bytes"],
            max_ratio=options["tailrace.max-compression-ratio"],
            avro=format_name == "avro",
        )
        common = Common(
            pattern=_pattern(options),
            monitor_seconds=None if monitor is None else monitor / 1000,
            reading=reading,
            folders=Schema(tuple(f for f in asked if f.name in keys)),
            keys=keys,
            metadata=tuple(by_name[f.name] for f in schema if f.name in by_name),
            default_partition=options["partition.default-name"],
            restart=options["tailrace.on-file-change"] == "restart",
            clock=context.clock,
        )
        if is_object_path(options["path"]):
            whole = replace(common, reading=replace(reading, watching=False))  # an object never grows
            return ObjectSource(ObjectSpec(whole, place_of(options), context.folder))
        at = options.location("path")
        return FileSource(Spec(common, local_path(options["path"], at), at))

    def sink(self, table: Table, options: Values, context: Context) -> FileSink:
        format_name = _format(table)
        keys = _keys(table)
        target = _target(options, context)
        schema = Schema(tuple(f for f in table.written if f.name not in keys))
        compression = _compression(options, format_name)
        compression = "none" if compression == "auto" else compression
        encoder = None
        if format_name == "parquet":
            refuse_unsupported(schema)
        else:
            encoder = row_encoder(format_name, table, schema)
            encoder()  # a type that the format can't write is refused here
        suffix = {"none": "", "gzip": ".gz", "zstd": ".zst"}[compression] if encoder else ""
        layout = Layout(
            target=target,
            schema=schema,
            keys=keys,
            default_partition=options["partition.default-name"],
            encoder=encoder,
            compression=compression,
            ending=f".{format_name}{suffix}",
            rolling=_rolling(options),
            success_file=_success_file(options),
            commit_delay_ms=options["sink.partition-commit.delay"],
            changes=not self.refuses_updates(table),
            compact_size=_compact_size(options),
        )
        return FileSink(layout, context)


def _target(options: Values, context: Context) -> Target:
    if is_object_path(options["path"]):
        if options["sink.rolling-policy.file-size"] > LARGEST:
            at = options.location("sink.rolling-policy.file-size")
            raise ConfigError("an object is written in one request: at most 1 gb", location=at)
        return ObjectTarget(place_of(options), context.folder / "parts")
    root = local_path(options["path"], options.location("path"))
    check_folder(root, options.location("path"))
    return LocalTarget(root)


def _format(table: Table) -> str:
    given = table.option("format")
    if given is None:
        hint = f"add 'format' = 'json' (or {', '.join(FORMATS[1:])})"
        raise ConfigError("connector 'filesystem' needs the option 'format'", hint=hint, location=table.location)
    if given.value not in FORMATS:
        hint = did_you_mean(given.value, FORMATS) or f"it knows {', '.join(FORMATS)}"
        message = f"connector 'filesystem' has no format '{given.value}'"
        raise ConfigError(message, hint=hint, location=given.location)
    return given.value


def _keys(table: Table) -> tuple[str, ...]:
    """
    Give the columns of PARTITIONED BY.

    Raises:
        ConfigError: one is of a type that has no place in a folder's name.
    """
    for key in table.partitioned_by:
        if key not in table.physical:
            hint = did_you_mean(key, table.physical.names)
            raise ConfigError(f"PARTITIONED BY names no column '{key}'", hint=hint, location=table.location)
        kind = table.physical[key].type
        if kind.kind in (Kind.ARRAY, Kind.MAP, Kind.ROW, *BINARIES):
            raise ConfigError(f"a table can't be partitioned by '{key}' of type {kind}", location=table.location)
    return table.partitioned_by


def _compression(options: Values, format_name: str) -> str:
    given: str = options["tailrace.compression"]
    if format_name == "avro" and given not in ("auto", "none"):
        at = options.location("tailrace.compression")
        raise ConfigError(
            "files of Avro are compressed within", hint=f"set 'avro.codec' in place of '{given}'", location=at
        )
    if given == "zstd" and format_name != "parquet":
        zstd_module()
    return given


def _pattern(options: Values) -> re.Pattern[str] | None:
    text = options["source.path.regex-pattern"]
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        at: Location | None = options.location("source.path.regex-pattern")
        raise ConfigError(f"'source.path.regex-pattern' is no regular expression: {error}", location=at) from None


def _rolling(options: Values) -> Rolling:
    return Rolling(
        options["sink.rolling-policy.file-size"],
        options["sink.rolling-policy.rollover-interval"] / 1000,
        options["sink.rolling-policy.inactivity-interval"] / 1000,
    )


def _compact_size(options: Values) -> int | None:
    if not options["auto-compaction"]:
        return None
    given: int | None = options["compaction.file-size"]
    return given or int(options["sink.rolling-policy.file-size"])


def _success_file(options: Values) -> str | None:
    if not options["sink.partition-commit.policy.kind"]:
        return None
    name: str = options["sink.partition-commit.success-file.name"]
    if not name or "/" in name or name in (".", ".."):
        at = options.location("sink.partition-commit.success-file.name")
        raise ConfigError(f"'{name}' is no name of a file", location=at)
    return name


CONNECTOR = FilesystemConnector()
