"""How rows are written: texts, widths, and lines that change in place."""

from __future__ import annotations

import io

import polars as pl
import pytest

from tailrace.cli.cells import text
from tailrace.cli.output import output_sink
from tailrace.cli.screen import LiveLines
from tailrace.schema import BIGINT, DOUBLE, STRING, Field, Schema


def test_floats_have_flinks_words() -> None:
    """What is no number has Flink's name for it."""
    frame = pl.DataFrame({"v": [1.5, float("inf"), float("-inf"), float("nan"), None]})
    assert frame.select(text(pl.col("v"), DOUBLE)).to_series().to_list() == [
        "1.5",
        "Infinity",
        "-Infinity",
        "NaN",
        None,
    ]


def test_a_column_widens_with_its_values() -> None:
    """A longer value widens its column from there on; the head stands once."""
    stream = io.StringIO()
    schema = Schema((Field("n", BIGINT), Field("s", STRING)))
    sink = output_sink("table", schema, stream, updating=False, on_gone=lambda: None)
    sink.open()
    sink.write(pl.DataFrame({"n": [1], "s": ["a"]}))
    sink.write(pl.DataFrame({"n": [100, 5], "s": ["b", "c"]}))
    sink.close()
    assert stream.getvalue().splitlines() == ["n | s", "--+--", "1 | a", "100 | b", "  5 | c"]


def test_a_row_is_one_line() -> None:
    """Line ends and control characters are escapes, in names as in values."""
    stream = io.StringIO()
    sink = output_sink("table", Schema((Field("a\nb", STRING),)), stream, updating=False, on_gone=lambda: None)
    sink.write(pl.DataFrame({"a\nb": ["x\ny\tz\x1b[31m", None]}))
    assert stream.getvalue().splitlines() == [r"a\nb", "-" * 15, r"x\ny\tz\x1b[31m", "NULL"]


def test_live_lines_make_room() -> None:
    """What is written beside them stands above them."""
    stream = io.StringIO()
    live = LiveLines(stream)
    live.show(["a", "b"])
    live.write("row\n")
    live.clear()
    assert stream.getvalue() == "a\nb\n\x1b[2F\x1b[Jrow\na\nb\n\x1b[2F\x1b[J"


@pytest.mark.parametrize("size", [10, 300])
def test_live_lines_never_wrap(size: int) -> None:
    """A wrapped line would not be taken away whole: lines are cut at the terminal's width."""
    stream = io.StringIO()
    LiveLines(stream).show(["x" * size])
    assert len(stream.getvalue()) <= 80
