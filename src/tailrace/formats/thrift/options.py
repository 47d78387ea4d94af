"""The options of the format `thrift`; Flink has no such format."""

from __future__ import annotations

from tailrace.options import Option, OptionSet, boolean, choice, string

OPTIONS = OptionSet(
    "format 'thrift'",
    (
        Option("thrift-file", string, doc="the `.thrift` file that has the struct"),
        Option(
            "include-path", string, doc="folders in which includes are looked for, as `a;b`, beside that of the file"
        ),
        Option(
            "struct-name", string, doc="the name of the struct, union or exception; not needed if the file has but one"
        ),
        Option("protocol", choice("binary", "compact"), "binary", "how rows are encoded: `binary` or `compact`"),
        Option("ignore-parse-errors", boolean, False, "a row that can't be read is left out; else it is an error"),
    ),
)
