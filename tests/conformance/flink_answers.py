"""What real Flink answers to a case."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from cases import SETTINGS, Answer, Case, Row, statements
from changelogs import final
from flink_gateway import Gateway, RefusedError
from flink_values import rows_of

_ROWS = re.compile(r"(SELECT|WITH|VALUES|\()", re.IGNORECASE)
_ZONE = re.compile(r"SET\s+'table\.local-time-zone'\s*=\s*'([^']+)'", re.IGNORECASE)


class UnstableError(Exception):
    """Two runs gave different rows, so that the case shows nothing."""


def answer(case: Case, url: str, seconds: float = 120, times: int = 1) -> Answer:
    """
    Run a case in sessions of its own, more than once where the order in which tables are read may show.

    Raises:
        UnavailableError: the cluster can't be reached, or the case does not end in time.
        UnstableError: two runs end with different rows.
    """
    first = _answer(case, url, seconds)
    for _ in range(times - 1):
        again = _answer(case, url, seconds)
        if final(again.rows) != final(first.rows) or bool(again.refused) != bool(first.refused):
            raise UnstableError("two runs end with different rows: the rows of its tables meet in any order")
    return first


def _answer(case: Case, url: str, seconds: float) -> Answer:
    written = Path(tempfile.mkdtemp(prefix="conformance-"))
    written.chmod(0o777)  # the cluster may be another user's
    script = case.script.replace("${DATA}", str(case.folder)).replace("${OUT}", str(written))
    with Gateway(url, SETTINGS, seconds) as gateway:
        oracle = f"Flink {gateway.version}"
        try:
            return Answer(oracle, _rows(gateway, script, case.sinks))
        except RefusedError as error:
            return Answer(oracle, refused=str(error).replace(str(case.folder), "${DATA}"))
        finally:
            shutil.rmtree(written, ignore_errors=True)


def _rows(gateway: Gateway, script: str, sinks: list[str]) -> list[Row]:
    """Give the rows of the SELECTs of a script, and those that it has written into tables."""
    zone = (_ZONE.findall(script) or [SETTINGS["table.local-time-zone"]])[-1]
    out: list[Row] = []
    for statement in statements(script):
        result = gateway.run(statement)
        if _ROWS.match(statement_text(statement)):
            out += rows_of(result, zone=zone)
    for sink in sinks:
        out += rows_of(gateway.run(f"SELECT * FROM `{sink}`"), sink, zone)
    return out


def statement_text(statement: str) -> str:
    r"""
    Give a statement from its first word on.

    >>> statement_text("-- a comment\n SELECT 1")
    'SELECT 1'
    """
    return re.sub(r"\A(\s|--[^\n]*(\n|\Z)|/\*.*?\*/)*", "", statement, flags=re.DOTALL)
