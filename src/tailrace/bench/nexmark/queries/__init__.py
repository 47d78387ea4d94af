"""
The queries, one script each: q0 to q23, and cep0 to cep3 with patterns.

A script declares its table and inserts into it; the events and the views over them are in `events.sql`. Left open are the
options of tables: `${SOURCE}` of the events, `${SINK}` of the results, `${FILES}` of q10's files, and `${SIDE}` of the
table that q13 looks values up in.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from tailrace.plan.nodes import Sink
from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert

NAMES = (*(f"q{n}" for n in range(24)), *(f"cep{n}" for n in range(4)))
EVENTS = "events"


def text(name: str) -> str:
    """
    Give the script of a query, or of the events.

    >>> text("q2").splitlines()[-1]
    'SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;'
    """
    return files(__package__).joinpath(f"{name}.sql").read_text()


def bind(name: str, parameters: Mapping[str, str]) -> tuple[Session, tuple[Sink, ...]]:
    """
    Bind a query; give its session, with tables and settings, and its plan.

    Raises:
        UnsupportedError: it can't be run yet.
    """
    session = Session(parameters)
    statements = [s for part in (EVENTS, name) for s in session.bind(text(part), f"{part}.sql")]
    sinks = tuple(sink for s in statements if isinstance(s, Insert) for sink in s.sinks)
    return session, optimize(sinks)
