"""Mistakes that are easily made: each is told at the line that makes it, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import polars as pl
import pytest

import tailrace as tr
from tailrace import col
from tailrace.errors import ConfigError

FRAME = pl.DataFrame({"card": ["a", "b"], "amount": [1, 2], "ts": [datetime(2026, 1, 1), datetime(2026, 1, 2)]})


def payments() -> Any:
    """Give a table to which anything may be done wrong, whatever a type checker says."""
    return tr.from_polars(FRAME, name="payments", time=tr.event_time("ts"))


MISTAKES: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "text as column": (
        lambda t: t.select("card", x="amount"),
        "x='amount' may mean the column or the text",
        "write x=col('amount') for the column, x=lit('amount') for the text",
    ),
    "text as new column": (lambda t: t.with_columns(x="card"), "x='card' may mean", "write x=col('card')"),
    "text as aggregate": (
        lambda t: t.group_by("card").agg(n="amount"),
        "n='amount' is no aggregate",
        'write it as col("amount").sum()',
    ),
    "text as condition": (lambda t: t.filter("amount > 1"), "'amount > 1' is no condition", 'col("amount") > 1'),
    "Python's condition": (lambda t: t.filter(True), "True is no condition", 'col("amount") > 1'),
    "text as window": (lambda t: t.window("1m"), "'1m' is no window", 'write window(tr.tumble("1m"))'),
    "number as span": (lambda _: tr.tumble(5), "5 is no span of time", '"10s"'),  # type: ignore[arg-type]
    "key of sessions": (lambda t: t.window(tr.session("1m", by="crad")), "no column 'crad'", "did you mean 'card'"),
    "order": (lambda t: t.sort("tss"), "no column 'tss'", "did you mean 'ts'"),
    "outer join": (lambda t: t.join(t, "card", how="outer"), "there is no how='outer'", "write how='full'"),
    "kind of join": (lambda t: t.join(t, "card", how="rihgt"), "there is no how='rihgt'", "did you mean 'right'"),
    "join with a frame": (lambda t: t.join(FRAME, "card"), "a DataFrame is no table", "tr.from_polars(frame)"),
    "union with a frame": (lambda t: t.union(FRAME), "a DataFrame is no table", "tr.from_polars(frame)"),
    "SQL over a frame": (lambda _: tr.sql("SELECT * FROM f", f=FRAME), "a DataFrame is no table", "from_polars"),  # type: ignore[arg-type]
    "which to keep": (lambda t: t.unique("card", keep="any"), "no keep='any'", "it is one of first, last"),
    "rows less than none": (lambda t: t.head(-1), "head(-1) would be less", "give the number of rows"),
    "name that is taken": (lambda t: t.rename({"card": "amount"}), "two columns 'amount'", "another name"),
    "value as column": (lambda t: t.select(5), "5 is neither the name of a column nor an expression", "lit("),
    "list of columns": (lambda t: t.select(["card", "amount"]), "['card', 'amount'] is neither", 'write "card"'),
    "columns without types": (lambda _: tr.read("datagen", ["a"]), "no columns in a list", "mapping of names"),  # type: ignore[arg-type]
    "the engine's names": (lambda _: tr.from_polars(pl.DataFrame({"$kind": [1]})), "begin with $", "the engine's own"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(mistake: str) -> None:
    """The error is one of the configuration, and knows its line and what is meant."""
    make, message, hint = MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        make(payments())

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.location is not None
    assert caught.value.location.file == __file__


@pytest.mark.parametrize("values", ["ab", 5, col("card")], ids=["text", "number", "column"])
def test_is_in_no_list(values: Any) -> None:
    """The letters of a text are hardly meant."""
    with pytest.raises(TypeError, match="takes a list of values"):
        col("card").is_in(values)


def test_is_in_an_empty_list() -> None:
    """Nothing is in it, as a program finds that makes its lists."""
    assert payments().filter(col("card").is_in([])).collect().height == 0
    assert payments().filter(~col("card").is_in([])).collect().height == 2


def test_a_text_is_a_text() -> None:
    """Where no column has its name."""
    assert payments().select("card", kind="payment").collect()["kind"].to_list() == ["payment"] * 2


def test_a_call_of_a_function_that_is_not_declared() -> None:
    """The error says how it is."""
    anything: Any = len
    with pytest.raises(TypeError, match=r"built-in function len> is no function of SQL; declare it by @tr.udf"):
        tr.call(anything, col("card"))
