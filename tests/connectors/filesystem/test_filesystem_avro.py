"""Avro's container files: those of fastavro are read, and fastavro reads what is written."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pytest
import script_kit as kit
from avro_kit import logical, record

from tailrace.connectors.filesystem.avros import AvroFile
from tailrace.connectors.filesystem.parts import RowPart
from tailrace.errors import ConfigError, TailraceError, TerminalError
from tailrace.formats.avro import AVRO
from tailrace.formats.avro.container import ContainerEncoder
from tailrace.schema import BIGINT, STRING, Field, Schema

SCHEMA = record(
    ("id", "long"),
    ("name", ["null", "string"]),
    ("amount", logical("bytes", "decimal", precision=12, scale=2)),
    ("tags", {"type": "array", "items": "string"}),
)
ROWS = [
    {
        "id": n,
        "name": None if n % 3 == 0 else f"n{n}",
        "amount": Decimal(n * 7 - 100).scaleb(-2),
        "tags": ["x"] * (n % 4),
    }
    for n in range(2000)
]
COLUMNS = "id BIGINT NOT NULL, name STRING, amount DECIMAL(12, 2) NOT NULL, tags ARRAY<STRING NOT NULL> NOT NULL"
ASKED = Schema((Field("id", BIGINT), Field("name", STRING)))


def made(path: Path, codec: str = "null", rows: list[Any] = ROWS) -> Path:
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(SCHEMA), rows, codec=codec, sync_interval=4000)
    return path


def table(path: Path, **more: str) -> str:
    return kit.options(connector="filesystem", path=str(path), format="avro", **more)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "bzip2", "xz"])
def test_both_sides(tmp_path: Path, codec: str) -> None:
    """All rows of a file of fastavro are read; those that are written with each codec, it reads."""
    source, target = made(tmp_path / "in.avro", codec), tmp_path / "out"
    kit.run(
        f"""CREATE TABLE s ({COLUMNS}) WITH ({table(source)});
        CREATE TABLE t ({COLUMNS}) WITH ({table(target, avro__codec=codec)});
        INSERT INTO t SELECT * FROM s;"""
    )
    files = sorted(target.glob("*.avro"))
    found = []
    for path in files:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            assert reader.codec == codec
            found += list(reader)
    assert sorted(found, key=lambda r: r["id"]) == ROWS
    rows, _ = kit.run(f"CREATE TABLE t ({COLUMNS}) WITH ({table(target)}); SELECT * FROM t;")
    assert rows.sort("id").to_dicts() == ROWS


def test_from_any_row(tmp_path: Path) -> None:
    """From whichever row a file is gone on with, the rest is the same."""
    path = made(tmp_path / "in.avro", "deflate")
    rng = random.Random(5)  # noqa: S311  not for secrets
    for offset in (0, 1, 1999, 2000, *(rng.randrange(2000) for _ in range(10))):
        file = AvroFile(path, ASKED, offset)
        found: list[int] = []
        while (read := file.read(rng.randint(1, 300))) is not None:
            found += read[0]["id"].to_list()
        assert found == list(range(offset, 2000))
        assert file.ended
        assert file.offset == 2000


def test_other_columns(tmp_path: Path) -> None:
    """Columns are found by name and promoted; one that is not there is NULL, one of another type an error."""
    path = made(tmp_path / "in.avro", rows=ROWS[:3])
    rows, _ = kit.run(f"CREATE TABLE t (more INT, name STRING, id DOUBLE) WITH ({table(path)}); SELECT * FROM t;")
    assert rows.rows() == [(None, None, 0.0), (None, "n1", 1.0), (None, "n2", 2.0)]
    with pytest.raises(TerminalError, match="field 'name' is string"):
        kit.run(f"CREATE TABLE t (name INT) WITH ({table(path)}); SELECT * FROM t;")


def test_bad_rows(tmp_path: Path) -> None:
    """A value that its column can't hold costs its row alone."""
    path = made(tmp_path / "in.avro", rows=ROWS[:300])
    rows, summary = kit.run(
        f"""CREATE TABLE t (amount DECIMAL(3, 2)) WITH ({table(path, tailrace__on_error="drop")});
        SELECT amount FROM t;"""
    )
    fitting = [r["amount"] for r in ROWS[:300] if abs(Decimal(str(r["amount"]))) < 10]
    assert rows["amount"].to_list() == fitting
    assert sum(summary.sources[0].dropped.values()) == 300 - len(fitting)


def test_damaged_files(tmp_path: Path) -> None:
    """A file that is cut is said to be damaged; one with changed bytes ends, with rows, rejects or an error."""
    whole = made(tmp_path / "in.avro", rows=ROWS[:200]).read_bytes()
    rng = random.Random(3)  # noqa: S311  not for secrets
    for cut in (0, 3, 50, 200, len(whole) // 2, len(whole) - 1):
        path = tmp_path / "cut.avro"
        path.write_bytes(whole[:cut])
        if cut:
            with pytest.raises(TailraceError, match=r"Avro file|no Avro"):
                kit.run(f"CREATE TABLE t (id BIGINT, name STRING) WITH ({table(path)}); SELECT * FROM t;")
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            file = AvroFile(path, ASKED, 0)
            while (read := file.read(1000)) is not None:
                assert read[0].height <= 1000
        except TerminalError:
            continue


def test_options(tmp_path: Path) -> None:
    for more, said in (
        ("'tailrace.compression' = 'gzip'", "compressed within"),
        ("'avro.codec' = 'lz4'", "expected one of"),
        ("'avro.encoding' = 'json'", "container files of Avro are binary"),
    ):
        with pytest.raises(ConfigError, match=said):
            kit.run(f"CREATE TABLE t (a INT) WITH ({table(tmp_path / 'x')}, {more}); INSERT INTO t VALUES (1);")
    (tmp_path / "text.avro").write_text("hello")
    with pytest.raises(TerminalError, match="is no Avro file"):
        kit.run(f"CREATE TABLE t (a INT) WITH ({table(tmp_path / 'text.avro')}); SELECT * FROM t;")


def test_a_part_that_is_gone_on_with(tmp_path: Path) -> None:
    """After a crash a file is cut to what was durable and gone on with: it is one whole file for fastavro."""
    schema = Schema((Field("id", BIGINT),))
    values = AVRO.options.parse({})

    def part(valid: int | None) -> RowPart:
        return RowPart(tmp_path, "part.avro", 0.0, ContainerEncoder(schema, values), "none", valid)

    first = part(None)
    first.write(pl.DataFrame({"id": [1, 2]}))
    valid = first.sync()
    first.write(pl.DataFrame({"id": [3]}))
    first.abandon()
    second = part(valid)
    second.write(pl.DataFrame({"id": [4]}))
    second.finish()

    with second.path.open("rb") as file:
        assert [r["id"] for r in fastavro.reader(file)] == [1, 2, 4]
