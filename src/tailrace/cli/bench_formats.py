"""`tailrace bench formats`: how fast rows of each format are read and written."""

from __future__ import annotations

import json as jsonlib
import sys

from tailrace.bench import formats
from tailrace.cli.bench import machine

_FORMAT = "{:<16} {:<10} {:>10} {:>14} {:>14}"
_MOST = 65_536
"""So many rows are enough: they are a block."""


def bench(rows: int, runs: int, *, json: bool) -> None:
    """
    Measure, and print a line for each format and each usual way: the best run.

    Raises:
        ConfigError: a library is not installed.
        TerminalError: two ways read other rows.
    """
    if not json:
        print(machine())
        print(_FORMAT.format("", "", "bytes/row", "read, rows/s", "written, rows/s"))
    for name in formats.names():
        print(f"measuring {name}", file=sys.stderr)
        for one in formats.measure(name, min(rows, _MOST), 2 + runs):
            if json:
                print(jsonlib.dumps(one.as_json()), flush=True)
            else:
                figures = (f"{one.bytes:.0f}", f"{one.read:,.0f}", f"{one.written:,.0f}")
                print(_FORMAT.format(one.format, one.way, *figures), flush=True)
