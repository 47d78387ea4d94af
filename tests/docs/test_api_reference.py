"""The reference of the Python API has every public name, and its examples do what they say."""

from __future__ import annotations

import doctest
import inspect
import logging
from collections.abc import Iterator

import api_names
import api_reference
import pytest
import structlog

NAMED = pytest.mark.parametrize("page", api_names.PAGES, ids=lambda page: page.file)
FLAGS = doctest.DONT_ACCEPT_TRUE_FOR_1


@NAMED
def test_every_name_has_words_and_an_example(page: api_names.Page) -> None:
    """A docstring, and an example: in it, or in `scripts/api_examples`."""
    own = api_reference.examples(page)
    found = dict(api_names.entries(page))

    assert found
    assert [name for name, it in found.items() if not inspect.getdoc(it)] == []
    assert [name for name, it in found.items() if not own.get(name) and not api_reference.example_of(it)] == []
    assert set(own) - {api_reference.SETUP} <= set(found)


@pytest.fixture
def _no_logs() -> Iterator[None]:
    """Keep lines of the log out of what examples give, wherever tests before have led them."""
    before, was = structlog.get_config(), structlog.is_configured()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    if was:
        structlog.configure(**before)


@NAMED
@pytest.mark.usefixtures("_no_logs")
def test_examples(page: api_names.Page) -> None:
    """Each example beside the generator gives what stands there; those of docstrings run with their modules."""
    own = api_reference.examples(page)
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    for name, text in own.items():
        if name != api_reference.SETUP:
            whole = f"{own.get(api_reference.SETUP, '')}\n{text}\n"
            test = doctest.DocTestParser().get_doctest(whole, {}, name, f"{page.file}.txt", 0)
            assert test.examples
            told: list[str] = []
            result = runner.run(test, out=told.append)
            assert result.failed == 0, "".join(told)
