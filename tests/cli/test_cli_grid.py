"""Tables on the terminal."""

from __future__ import annotations

import pytest

from tailrace.cli.grid import print_grid


@pytest.mark.parametrize("width", ["60", "80"])
def test_nothing_is_cut_off(width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What has no room goes on in the next line, but for what shall stay in one."""
    monkeypatch.setenv("COLUMNS", width)
    name, moment, count = "before-upgrade-of-the-model-2026-11", "2026-11-27 10:00:00", "1234567"
    print_grid(
        ["name", "taken", "rows", "bytes"], [[name, moment, count, count]], whole=["taken"], numbers=["rows", "bytes"]
    )
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "taken", "rows", "bytes"]
    assert "".join(line[: head.index("taken")].strip() for line in lines) == name
    assert lines[0].endswith(f"{moment}  {count}  {count}")
