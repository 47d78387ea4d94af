"""Reference pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import api_functions
import api_names
import doc_pages as docs
import generate_docs
import pytest
import typer

from tailrace.cli.commands import app
from tailrace.connectors import registry
from tailrace.sql.dialect import parse
from tailrace.sql.source import Source

SQL = [
    pytest.param(block.text, id=f"{page.relative_to(docs.ROOT)}:{block.line}")
    for page in docs.pages()
    for block in docs.blocks(page)
    if block.language == "sql" and block.ask != "fragment"
]


@pytest.mark.parametrize("text", SQL)
def test_sql_parses(text: str) -> None:
    """Each SQL block is made of statements that the parser takes."""
    assert parse(Source(text, "<page>", {"NAME": "x"}, {"TAILRACE_KAFKA": "localhost:9092"}))


def test_readme_shows_the_example() -> None:
    """The example of the README is the file that its commands run."""
    example = (docs.ROOT / "examples" / "fraud.sql").read_text().strip()

    assert any(block.text.strip() == example for block in docs.blocks(docs.ROOT / "README.md"))


@pytest.mark.parametrize(
    "name",
    [
        "functions.md",
        "sql/types.md",
        "sql/table-options.md",
        "sql/settings.md",
        "sql/support.md",
        "connectors/index.md",
    ],
)
def test_generated_page(name: str) -> None:
    """A page that comes from the code is what the code gives (`scripts/docs` writes it)."""
    assert (docs.DOCS / name).read_text() == generate_docs.generated()[name]


def test_differences_are_told() -> None:
    """Each conformance case whose rows are not those of Flink is named on the page of differences."""
    text = (docs.DOCS / "sql" / "differences.md").read_text()

    assert [c.name for c in generate_docs.conformance() if c.differs and f"`{c.name}`" not in text] == []


@pytest.mark.parametrize("name", registry.names())
def test_connector_page(name: str) -> None:
    """A connector has a page, which names each of its options and metadata columns."""
    page = docs.DOCS / "connectors" / f"{name}.md"
    connector = registry.get(name)
    text = page.read_text()

    assert not [o.key for o in connector.options.options if f"`{o.key}`" not in text]
    assert not [m.key for m in connector.metadata if f"`{m.key}`" not in text]


def test_error_codes() -> None:
    """The codes that the code gives are those that the page explains."""
    code = re.compile(r"\bTR\d{3}\b")
    sources = (docs.ROOT / "src").rglob("*.py")
    given = {c for path in sources for c in code.findall(path.read_text())}

    assert given == set(re.findall(r"^\| `(TR\d{3})` ", (docs.DOCS / "error-codes.md").read_text(), re.MULTILINE))


def test_every_command_and_option_has_its_words() -> None:
    """The page of the command line names each command and each of its options."""
    text = (docs.DOCS / "cli.md").read_text()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {o for c in commands.values() for p in c.params for o in p.opts if o.startswith("--")}

    assert "run" in commands
    assert not [name for name in commands if f"`tailrace {name}" not in text]
    assert not [o for o in options if f"`{o}" not in text]


def test_every_page_is_in_the_navigation() -> None:
    """No page is lost."""
    listed = (docs.ROOT / "mkdocs.yml").read_text()
    names = [str(Path(p).relative_to(docs.DOCS)) for p in docs.DOCS.rglob("*.md")]

    assert not [n for n in names if n not in listed]


def test_tests_that_pages_name_exist() -> None:
    """A test that a page names as a proof is there."""
    named = {
        found
        for page in docs.pages()
        for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 40
    missing = [
        f"{file}::{name}" for file, name in sorted(named) if f"def {name}(" not in (docs.ROOT / file).read_text()
    ]
    assert missing == []


def test_every_name_has_a_page() -> None:
    """A new name of `tailrace` is put on a page of `scripts/api_names.py`."""
    described = {name for page in api_names.PAGES for name in page.names}

    assert api_names.exported() - {"functions"} <= described


def test_every_function_has_an_example() -> None:
    """A new function of the catalogue gets a line in `scripts/api_examples/functions.txt`."""
    assert api_functions.names() <= set(api_functions.calls())


def test_reference_of_the_api() -> None:
    """`scripts/docs` writes them; the values of functions are computed anew."""
    for name, text in generate_docs.reference().items():
        assert (docs.DOCS / name).read_text() == text, f"run scripts/docs: {name} is another"
