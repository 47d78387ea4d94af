"""CREATE, ALTER, DROP and SHOW of functions, where modules are found, and what is said of those that are wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from function_kit import IMPORTS, World

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.sql.session import Session
from tailrace.sql.statements import Done, Query, Show

MODULE = """
@tr.udf(scalar=True)
def plus(x: int) -> int:
    return x + 1

@tr.udf(scalar=True)
def minus(x: int) -> int:
    return x - 1

def plain(x: int) -> int:
    return x

class inner:
    @tr.udf(scalar=True)
    def within(x: int) -> int:
        return x
"""


def bind(world: World, sql: str, session: Session | None = None) -> list[object]:
    """Bind a script that stands beside the module; give what it says."""
    statements = (session or Session()).bind(sql, str(world.folder / "a.sql"))
    return [
        s.message if isinstance(s, Done) else s.frame.to_series().to_list() if isinstance(s, Show) else s
        for s in statements
    ]


def test_the_life_of_a_function(world: World) -> None:
    """It is made, shown, found in any case, replaced, and dropped."""
    world.module(MODULE)
    said = bind(
        world,
        """CREATE TEMPORARY FUNCTION Plus AS 'mine.plus' LANGUAGE PYTHON;
        CREATE FUNCTION IF NOT EXISTS plus AS 'mine:minus' LANGUAGE PYTHON;
        CREATE TEMPORARY SYSTEM FUNCTION reverse AS 'mine:minus' LANGUAGE PYTHON;
        CREATE FUNCTION deep AS 'mine:inner.within' LANGUAGE PYTHON;
        SHOW USER FUNCTIONS;
        SHOW USER FUNCTIONS LIKE 'p%';
        ALTER FUNCTION plus AS 'mine:minus' LANGUAGE PYTHON;
        DROP TEMPORARY FUNCTION PLUS;
        DROP FUNCTION IF EXISTS plus;
        DROP TEMPORARY SYSTEM FUNCTION reverse;
        SHOW USER FUNCTIONS;""",
    )
    assert said == [
        "function 'plus' created",
        "function 'plus' exists already",
        "function 'reverse' created",
        "function 'deep' created",
        ["deep", "plus", "reverse"],
        ["plus"],
        "function 'plus' altered",
        "function 'plus' dropped",
        "there is no function 'plus'",
        "function 'reverse' dropped",
        ["deep"],
    ]


def test_a_system_function_stands_for_the_built_in_one(world: World) -> None:
    """And a view keeps the function that it was made with."""
    world.module("""
@tr.udf(scalar=True)
def low(x: str) -> str:
    return "low"
""")
    sql = world.table("s STRING", [{"s": "ab"}])
    sql += """CREATE VIEW before_it AS SELECT REVERSE(s) AS x FROM t;
      CREATE TEMPORARY SYSTEM FUNCTION REVERSE AS 'mine:low' LANGUAGE PYTHON;
      CREATE VIEW with_it AS SELECT reverse(s) AS x FROM t;
      DROP TEMPORARY SYSTEM FUNCTION reverse;"""
    assert world.rows(sql + "SELECT a.x AS a, b.x AS b, REVERSE(s) AS c FROM before_it AS a, with_it AS b, t;") == [
        {"a": "ba", "b": "low", "c": "ba"}
    ]


def test_in_a_pattern_too_it_stands_for_the_built_in_one(world: World) -> None:
    """A pattern has aggregates of its own, which go behind it as elsewhere."""
    world.module("""
@tr.udf(scalar=True)
def low(x: str) -> str:
    return "low"
""")
    sql = world.table("s STRING, p AS PROCTIME()", [{"s": "a"}, {"s": "b"}])
    sql += """CREATE TEMPORARY SYSTEM FUNCTION `sum` AS 'mine:low' LANGUAGE PYTHON;
      SELECT * FROM t MATCH_RECOGNIZE (ORDER BY p MEASURES SUM(A.s) AS x PATTERN (A B) DEFINE A AS A.s = 'a');"""
    assert world.rows(sql) == [{"x": "low"}]


def test_modules_beside_the_script_and_on_the_path(world: World) -> None:
    """A module beside the script goes before others; a package, and what a module imports, are found too."""
    (world.folder / "pack").mkdir()
    (world.folder / "pack" / "__init__.py").write_text("")
    (world.folder / "pack" / "mod.py").write_text(IMPORTS + MODULE)
    (world.folder / "helper.py").write_text("OFFSET = 100\n")
    world.module("from helper import OFFSET\n@tr.udf(scalar=True)\ndef far(x: int) -> int:\n    return x + OFFSET\n")
    sql = "CREATE FUNCTION a AS 'pack.mod:plus' LANGUAGE PYTHON; CREATE FUNCTION b AS 'pack.mod.minus' LANGUAGE PYTHON;"
    sql += world.functions("far") + world.table("n BIGINT", [{"n": 5}])
    assert world.rows(sql + "SELECT a(n) AS a, b(n) AS b, far(n) AS c FROM t;") == [{"a": 6, "b": 4, "c": 105}]


def test_a_module_that_was_mended_is_read_again(world: World) -> None:
    """At the prompt, the function is made anew."""
    table = world.table("n BIGINT", [{"n": 5}])
    for value in (1, 22):
        world.module(f"@tr.udf(scalar=True)\ndef f(x: int) -> int:\n    return {value}\n")
        assert world.rows(world.functions("f") + table + "SELECT f(n) AS x FROM t;") == [{"x": value}]


def test_a_name_of_another_module_is_not_hidden(world: World) -> None:
    """A file called as a library would break whoever uses that library, now or later."""
    for name in ("polars", "json", "this"):
        world.module(MODULE, name)
        with pytest.raises(ConfigError, match=f"another module '{name}' already"):
            bind(world, f"CREATE FUNCTION f AS '{name}:plus' LANGUAGE PYTHON;")
    assert "this" not in sys.modules


def test_scripts_in_several_folders_have_modules_of_one_name(world: World) -> None:
    """Each script has that which is beside it."""
    session = Session()
    for value in (1, 2):
        folder = World(world.folder / str(value))
        folder.folder.mkdir()
        folder.module(f"@tr.udf(scalar=True)\ndef f(x: int) -> int:\n    return {value}\n")
        table = folder.table("n BIGINT", [{"n": 5}])
        assert folder.rows(folder.functions("f") + table + "SELECT f(n) AS x FROM t;") == [{"x": value}]
        bind(folder, f"CREATE FUNCTION f{value} AS 'mine:f' LANGUAGE PYTHON;", session)
    assert bind(world, "SHOW USER FUNCTIONS;", session) == [["f1", "f2"]]


WRONG = [
    ("'mien:plus'", "there is no module 'mien'", "did you mean 'mine'?"),
    ("'nothing.like.this:f'", "there is no module 'nothing.like.this'", "it is looked for beside the script"),
    ("'mine:plsu'", "there is no 'plsu' in 'mine'", "did you mean 'plus'?"),
    ("'mine:zzz'", "there is no 'zzz' in 'mine'", "it declares minus, plus"),
    ("'mine:plain'", "'mine:plain' is not declared as a function for SQL", "@tr.udf"),
    ("'plus'", "'plus' names no function", "write 'module:function'"),
    ("'mine:a b'", "'mine:a b' names no function", "write 'module:function'"),
    ("'../mine:plus'", "'../mine:plus' names no function", "write 'module:function'"),
]


@pytest.mark.parametrize(("code", "message", "hint"), WRONG)
def test_what_is_not_found(world: World, code: str, message: str, hint: str) -> None:
    """Points at the text, and says what was likely meant."""
    world.module(MODULE)
    with pytest.raises(ConfigError) as caught:
        bind(world, f"CREATE FUNCTION f AS {code} LANGUAGE PYTHON;")
    assert caught.value.message == message
    assert hint in caught.value.hint
    assert caught.value.location is not None
    assert caught.value.location.column == 22


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def f(:\n", "SyntaxError"),
        ("import nothing_like_this\n", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
)
def test_a_module_that_fails(world: World, text: str, message: str) -> None:
    """The file and line in it are named."""
    world.module(text)
    line = len(IMPORTS.splitlines()) + 1
    with pytest.raises(ConfigError) as caught:
        bind(world, "CREATE FUNCTION f AS 'mine:f' LANGUAGE PYTHON;")
    assert f"the module 'mine' can't be loaded: {world.folder}/mine.py:{line}: {message}" in caught.value.message


DECLARATIONS = [
    ("@tr.udf\ndef f(x: pl.Series) -> pl.Series: ...", "the type of the result of f is not known"),
    ("@tr.udf\ndef f(x: int) -> int: ...", "the hint of the parameter 'x' is a single value"),
    ("@tr.udf(scalar=True)\ndef f(x: complex) -> int: ...", "the hint complex of the parameter 'x' has no type in SQL"),
    ("@tr.udf(scalar=True)\ndef f(x: int): ...", "the type of the result of f is not known"),
    ("@tr.udf(scalar=True)\ndef f(x: Unknown) -> int: ...", "the hints can't be read: name 'Unknown' is not defined"),
    (
        "@tr.udf(result_type='INT', input_types=['INT', 'INT'])\ndef f(x): ...",
        "input_types has 2 types for 1 parameters",
    ),
    ("@tr.udf(result_type='INT')\ndef f(*, x): ...", "the parameter 'x' can be given by name only"),
    ("@tr.udf(result_type='DECIMAL(99)')\ndef f(x): ...", "'DECIMAL(99)' of the function f is no type: the precision"),
    ("@tr.udf(result_type='BIGNIT')\ndef f(x): ...", "'BIGNIT' of the function f is no type"),
    ("@tr.udf(result_type='INT INT')\ndef f(x): ...", "'INT INT' of the function f is no type"),
    ("@tr.udf(result_type='INT', timeout='soon')\ndef f(x): ...", "timeout='soon'"),
    ("@tr.udf(result_type='INT', timeout=0)\ndef f(x): ...", "timeout=0 must be more than zero"),
    (
        "@tr.udf(result_type='INT', scalar=True, arrow=True)\ndef f(x): ...",
        "arrow=True is for functions that take whole columns",
    ),
    ("@tr.udf(result_type='INT', concurrency=0)\nasync def f(x): ...", "concurrency is a number from 1"),
    (
        "@tr.udaf(result_type='INT')\nclass f:\n    def create(self): ...",
        "the aggregate f has no method accumulate and no result",
    ),
    ("@tr.udaf(result_type='INT')\ndef f(x): ...", "an aggregate is a class"),
    ("@tr.udf(result_type='INT')\nclass f: ...", "UserFunction is made of a function"),
]


@pytest.mark.parametrize(("text", "message"), DECLARATIONS)
def test_a_wrong_declaration(world: World, text: str, message: str) -> None:
    """Points at the line of the declaration."""
    world.module(text + "\n")
    with pytest.raises(ConfigError) as caught:
        bind(world, "CREATE FUNCTION f AS 'mine:f' LANGUAGE PYTHON;")
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.file == f"{world.folder}/mine.py"
    assert caught.value.location.text.startswith(("def f", "async def f", "class f"))


CALLS = [
    ("CREATE FUNCTION plus AS 'mine:plus' LANGUAGE PYTHON", "there is a function 'plus' already"),
    ("CREATE FUNCTION reverse AS 'mine:plus' LANGUAGE PYTHON", "there is a built-in function 'reverse'"),
    ("DROP FUNCTION plsu", "there is no function 'plsu'"),
    ("ALTER FUNCTION plsu AS 'mine:plus' LANGUAGE PYTHON", "there is no function 'plsu'"),
    ("SELECT plus()", "plus takes other arguments than 0"),
    ("SELECT plus(1, 2)", "plus takes other arguments than 2"),
    ("SELECT plus('a')", "plus takes BIGINT for 'x', not CHAR(1)"),
    ("SELECT plus(DISTINCT 1)", "DISTINCT is for aggregates, not for plus"),
    ("SELECT plus(x) OVER (ORDER BY x) FROM (SELECT 1 AS x)", "plus can't stand before OVER"),
    ("SELECT * FROM TABLE(plus(1))", "plus gives one value, not rows"),
    (
        "CREATE TABLE w (a TIMESTAMP(3), n BIGINT, WATERMARK FOR a AS TO_TIMESTAMP(CAST(plus(n) AS STRING))) WITH ('connector' = 'datagen')",
        "a function of the user can't compute the watermark",
    ),
]


@pytest.mark.parametrize(("sql", "message"), CALLS)
def test_a_wrong_call_or_statement(world: World, sql: str, message: str) -> None:
    """Refused, with the place."""
    world.module(MODULE)
    session = Session()
    bind(world, world.functions("plus"), session)
    with pytest.raises(ConfigError) as caught:
        bind(world, sql, session)
    assert message in caught.value.message
    assert caught.value.location is not None


def test_other_languages(world: World) -> None:
    """Without LANGUAGE it is JAVA, as in Flink."""
    for language in ("", " LANGUAGE JAVA", " LANGUAGE SCALA"):
        with pytest.raises(UnsupportedError, match="can't be called here"):
            bind(world, f"CREATE FUNCTION f AS 'com.example.F'{language};")


def test_the_command_line_knows_functions_beside_the_script(world: World) -> None:
    """`check`, `explain` and `run`, from another folder; what a function prints is not among the rows."""
    world.module(MODULE + "\n@tr.udf(scalar=True)\ndef loud(x: int) -> int:\n    print('loud')\n    return x\n")
    script = world.folder / "a.sql"
    script.write_text(world.functions("plus", "loud") + "SELECT plus(loud(1)) AS x;\n")
    results = {}
    for command in ("check", "explain", "run"):
        run = [sys.executable, "-m", "tailrace", command, str(script)]
        results[command] = subprocess.run(run, capture_output=True, text=True, check=True, timeout=120, cwd="/")
    assert "plus(loud(1))" in results["explain"].stdout
    assert results["run"].stdout.split() == ["x", "-", "2"]
    assert "loud" not in results["run"].stdout
    assert "loud" in results["run"].stderr


def test_the_catalog_before_a_name(world: World) -> None:
    """A function of the catalog is found by its whole name; built-in functions and those of the system are in none."""
    world.module(MODULE)
    made = """CREATE FUNCTION plus AS 'mine:plus' LANGUAGE PYTHON;
      CREATE TEMPORARY SYSTEM FUNCTION down AS 'mine:minus' LANGUAGE PYTHON;
      CREATE TABLE t (x BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
      SELECT {}(x) FROM t;"""
    for name in ("default_database.plus", "default_catalog.default_database.PLUS", "`default_database`.`plus`"):
        (*_, query) = bind(world, made.format(name))
        assert isinstance(query, Query)
    for name in ("default_database.chr", "default_database.down", "default_catalog.default_database.lessen"):
        with pytest.raises(ConfigError, match="in the catalog") as caught:
            bind(world, made.format(name))
        assert str(caught.value.location).endswith(":4:14")
    with pytest.raises(UnsupportedError, match="another catalog or database"):
        bind(world, made.format("shop.plus"))
