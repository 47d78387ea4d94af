"""The options of the `filesystem` connector, under Flink's names; what only Tailrace has is under `tailrace.`."""

from __future__ import annotations

from tailrace.connectors.filesystem.objects.options import OBJECTS
from tailrace.options import Option, OptionSet, boolean, choice, duration, integer, memory_size, positive, string

DEFAULT_PARTITION = "__DEFAULT_PARTITION__"


def _policies(text: str) -> tuple[str, ...]:
    kinds = tuple(kind.strip() for kind in text.split(","))
    if "metastore" in kinds or "custom" in kinds:
        raise ValueError("there is no metastore and no policy class here; only 'success-file' is supported")
    if kinds != ("success-file",):
        raise ValueError("expected 'success-file'")
    return kinds


def _process_time(text: str) -> str:
    if text == "partition-time":
        raise ValueError("a sink does not see the watermark; only 'process-time' is supported")
    return str(choice("process-time")(text))


_MINUTE = 60_000

OPTIONS = OptionSet(
    "connector 'filesystem'",
    (
        Option(
            "path",
            string,
            doc="a file, a folder or a glob; a path or a URI `file:`, `s3:`, `gs:`, `az:`, `abfss:`; a sink's folder",
            required=True,
        ),
        Option(
            "source.monitor-interval",
            positive(duration),
            doc="how often to look for new files and for more rows in known ones; without it the source is bounded",
        ),
        Option("source.path.regex-pattern", string, doc="read only files whose absolute path matches as a whole"),
        Option(
            "sink.rolling-policy.file-size",
            positive(memory_size),
            128 << 20,
            "a part file that has grown to this size is closed",
        ),
        Option(
            "sink.rolling-policy.rollover-interval",
            positive(duration),
            30 * _MINUTE,
            "a part file that has been open for so long is closed",
        ),
        Option(
            "sink.rolling-policy.check-interval",
            positive(duration),
            _MINUTE,
            "taken as in Flink; the intervals are looked at with each checkpoint",
        ),
        Option(
            "sink.rolling-policy.inactivity-interval",
            positive(duration),
            30 * _MINUTE,
            "a part file that got no row for so long is closed",
        ),
        Option("sink.partition-commit.trigger", _process_time, "process-time", "`process-time`"),
        Option(
            "sink.partition-commit.delay",
            duration,
            0,
            "a partition is committed this long after its first row; with 0 at each checkpoint",
        ),
        Option(
            "sink.partition-commit.policy.kind", _policies, (), "`success-file`: mark a committed partition by a file"
        ),
        Option("sink.partition-commit.success-file.name", string, "_SUCCESS", "the name of that file"),
        Option("partition.default-name", string, DEFAULT_PARTITION, "the folder's value for NULL and empty text"),
        Option(
            "auto-compaction",
            boolean,
            False,
            "gather Parquet files over checkpoints, up to `compaction.file-size` or the intervals of the rolling policy;"
            " other formats are gathered always",
        ),
        Option(
            "compaction.file-size",
            positive(memory_size),
            doc="how large they become; without it `sink.rolling-policy.file-size`",
        ),
        Option("sink.parallelism", integer, doc="taken as in Flink; a sink is one writer"),
        Option("sink.shuffle-by-partition.enable", boolean, False, "taken as in Flink; a sink is one writer"),
        Option(
            "tailrace.compression",
            choice("auto", "none", "gzip", "zstd"),
            "auto",
            "`auto` (by the file's ending `.gz` or `.zst`; a sink: none), `none`, `gzip`, `zstd`",
        ),
        Option(
            "tailrace.max-row-bytes",
            positive(memory_size),
            16 << 20,
            "a longer row is rejected, and reading goes on behind it",
        ),
        Option(
            "tailrace.max-compression-ratio",
            positive(integer),
            1000,
            "a compressed file that grows by more than this (beyond 64 mb) is rejected as a bomb",
        ),
        Option(
            "tailrace.on-file-change",
            choice("fail", "restart"),
            "fail",
            "when a file was cut or replaced since it was read: `fail`, or `restart` it from its beginning",
        ),
        *OBJECTS,
    ),
)
