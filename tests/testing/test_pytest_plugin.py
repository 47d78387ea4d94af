"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = """
from datetime import UTC, datetime
import tailrace as tr

clicks = tr.read("datagen", {"user": str, "n": int}, name="clicks")
failing = clicks.select(v=tr.col("user").cast("INT"))


def test_passes(drive, tailrace_clock):
    d = drive(clicks.group_by("user").agg(total=tr.col("n").sum()))
    d.push("clicks", [{"user": "ann", "n": 1}, {"user": "ann", "n": 2}])
    d.advance("10s")
    assert d.rows() == [{"user": "ann", "total": 3}]
    assert d.clock is tailrace_clock
    assert tailrace_clock.now_ms() == 1767225610000


def test_another_time(drive, tailrace_clock):
    assert drive(clicks, at=datetime(2027, 1, 1, tzinfo=UTC)).clock is tailrace_clock
    assert tailrace_clock.now_ms() == 1798761600000


def test_other_rows(drive):
    d = drive(clicks)
    d.push("clicks", [{"user": "ann", "n": 1}])
    assert d.rows() == [{"user": "ann", "n": 2}]


def test_other_changes(drive):
    d = drive(clicks)
    assert [] == d.push("clicks", [{"user": "ann", "n": 1}])


def test_failure(drive):
    drive(failing).push("clicks", [{"user": "ann"}])


def test_failure_that_was_looked_at(drive):
    d = drive(failing)
    d.push("clicks", [{"user": "ann"}])
    assert d.failure is not None
"""


def pytest_of(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, without what coverage and the outer run left in the environment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_fixtures_and_differences(tmp_path: Path) -> None:
    """Rows that are not as expected are shown as a table; a failure that nobody looked at fails the test."""
    (tmp_path / "test_it.py").write_text(TESTS)
    result = pytest_of(tmp_path)

    assert "2 failed, 4 passed, 1 error" in result.stdout
    assert "the rows are not those expected (- expected, + came out)" in result.stdout
    assert "- 'ann'  2" in result.stdout
    assert "+ 'ann'  1" in result.stdout
    assert "+ '+I'  'ann'  1" in result.stdout
    assert "ERROR at teardown of test_failure" in result.stdout
    assert re.search(r"the pipeline would have failed: .*source 'clicks', partition '0', offset 0", result.stdout)


def test_it_costs_nothing_when_it_is_not_used(tmp_path: Path) -> None:
    """No library is loaded but pytest's own, and lists of others are compared as ever."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n\n\ndef test_nothing(request):\n"
        "    assert request.config.pluginmanager.hasplugin('tailrace')\n"
        "    loaded = {m for m in sys.modules if m.startswith('tailrace')}\n"
        "    assert loaded == {'tailrace', 'tailrace.kernel_cache', 'tailrace.testing', 'tailrace.testing.pytest_plugin'}\n"
        "    assert not {'polars', 'numba', 'numpy', 'sqlglot'} & set(sys.modules)\n\n\n"
        "def test_lists():\n    assert [{'n': 1}] == [{'n': 2}]\n"
    )
    result = pytest_of(tmp_path, "-p", "no:hypothesispytest", "-p", "no:anyio")

    assert "1 failed, 1 passed" in result.stdout, result.stdout
    assert "At index 0 diff: {'n': 1} != {'n': 2}" in result.stdout


def test_without_plugins(tmp_path: Path) -> None:
    """The kit works in a pytest that loads no plugin."""
    (tmp_path / "test_it.py").write_text(
        "import tailrace as tr\nfrom tailrace.testing import Drive\n\n\ndef test_rows():\n"
        "    drive = Drive(tr.read('datagen', {'v': int}, name='t'))\n    drive.push('t', [{'v': 1}])\n"
        "    drive.expect([{'v': 1}])\n"
    )

    assert "1 passed" in pytest_of(tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1").stdout
    assert "1 passed" in pytest_of(tmp_path, "-p", "no:tailrace").stdout
