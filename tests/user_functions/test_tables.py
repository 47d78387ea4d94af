"""Table functions: generators and whole columns, beside what stands left of them."""

from __future__ import annotations

import pytest
from function_kit import WAYS, World, numbers, ordered

from tailrace.errors import ConfigError

MODULE = """
@tr.udtf
def words(text: str) -> Iterator[tuple[str, int]]:
    for word in text.split():
        yield word, len(word)

@tr.udtf(result_type={"part": "STRING"})
def parts(text: pl.Series, sign: pl.Series) -> pl.Series:
    return text.str.split(sign[0]).list.eval(pl.struct(part=pl.element()))

@tr.udtf(result_type="BIGINT", scalar=True)
def up_to(n: int) -> range:
    return range(n)
"""
NOTHING: list[str | None] = [None]
TEXTS = ("a bb", "", None, "ccc", "d d d")
ROWS = [{"id": i, "s": TEXTS[v % 5], "n": v % 4} for i, v in enumerate(numbers(40))]


def script(world: World, query: str) -> str:
    """Give a script over the texts."""
    world.module(MODULE)
    return world.functions("words", "parts", "up_to") + world.table("id BIGINT, s STRING, n BIGINT", ROWS) + query


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "join", ["CROSS JOIN LATERAL TABLE(words(s)) AS w(word, size)", ", LATERAL TABLE(words(s)) AS w(word, size)"]
)
def test_cross(world: World, way: str, join: str) -> None:
    """A row comes once for each row that the function gives; not at all for none."""
    found = world.rows(script(world, f"SELECT id, word, size FROM t {join};"), way)
    assert found == ordered(
        [{"id": r["id"], "word": w, "size": len(w)} for r in ROWS for w in str(r["s"] or "").split()]
    )


@pytest.mark.parametrize("way", WAYS)
def test_left(world: World, way: str) -> None:
    """A row without any comes once, with NULLs."""
    found = world.rows(
        script(world, "SELECT id, word FROM t LEFT JOIN LATERAL TABLE(words(s)) AS w(word, size) ON TRUE;"), way
    )
    assert found == ordered([{"id": r["id"], "word": w} for r in ROWS for w in str(r["s"] or "").split() or NOTHING])


def test_whole_columns_and_names_of_the_declaration(world: World) -> None:
    """A list for each row, and the names that the declaration gave."""
    found = world.rows(script(world, "SELECT id, part FROM t, LATERAL TABLE(parts(s, ' ')) AS p;"))
    assert found == ordered(
        [{"id": r["id"], "part": p} for r in ROWS if r["s"] is not None for p in str(r["s"]).split(" ")]
    )


def test_single_column_conditions_and_chains(world: World) -> None:
    """Functions over what functions gave, with a condition on both sides."""
    query = "SELECT id, x, y FROM t JOIN LATERAL TABLE(up_to(n)) AS a(x) ON x < id, LATERAL TABLE(up_to(x)) AS b(y) WHERE y > 0;"
    expected = [
        {"id": r["id"], "x": x, "y": y}
        for r in ROWS
        for x in range(int(str(r["n"])))
        if x < int(str(r["id"]))
        for y in range(x)
        if y > 0
    ]
    assert expected
    assert world.rows(script(world, query)) == ordered(expected)


def test_alone_in_from(world: World) -> None:
    """Of constants alone it needs no table left of it."""
    assert world.rows(script(world, "SELECT x FROM TABLE(up_to(3)) AS a(x);")) == [{"x": 0}, {"x": 1}, {"x": 2}]
    assert world.rows(script(world, "SELECT x FROM LATERAL TABLE(up_to(1 + 1)) AS a(x);")) == [{"x": 0}, {"x": 1}]


def test_rows_that_are_taken_back_take_all_theirs_with_them(world: World) -> None:
    """Over an aggregation that updates, what stands at the end is that of the last values."""
    query = "SELECT c, x FROM (SELECT n, COUNT(*) AS c FROM t GROUP BY n), LATERAL TABLE(up_to(c)) AS a(x);"
    counts = [sum(r["n"] == n for r in ROWS) for n in {r["n"] for r in ROWS}]
    for way in WAYS:
        assert world.rows(script(world, query), way) == ordered([{"c": c, "x": x} for c in counts for x in range(c)])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT words(s) FROM t", "words gives rows and can't stand here"),
        ("SELECT * FROM t, LATERAL TABLE(wrods(s)) AS w", "there is no table function 'wrods'"),
        ("SELECT * FROM t, TABLE(words(s)) AS w", "can't use columns of what stands left of it"),
        ("SELECT * FROM t LEFT JOIN LATERAL TABLE(words(s)) AS w(a, b) ON a = s", "takes ON TRUE only"),
        (
            "SELECT * FROM t RIGHT JOIN LATERAL TABLE(words(s)) AS w(a, b) ON TRUE",
            "can't have LATERAL TABLE on its right",
        ),
        ("SELECT * FROM t, LATERAL TABLE(words(s)) AS w(a)", "1 names are given for 2 columns"),
        ("SELECT * FROM t, LATERAL TABLE(words(n)) AS w", "words takes STRING for 'text', not BIGINT"),
    ],
)
def test_refused(world: World, query: str, message: str) -> None:
    """What has no meaning points at its place."""
    with pytest.raises(ConfigError) as caught:
        world.jobs(script(world, query))
    assert message in caught.value.message
    assert caught.value.location is not None
