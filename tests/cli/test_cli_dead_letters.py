"""`tailrace dead-letters`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shop import HOSTILE, TEXT, open_shop, payment, until

from tailrace.cli.commands import invoke
from tailrace.errors import ConfigError, TerminalError
from tailrace.web.address import Address
from tailrace.web.server import Server


def test_list_show_and_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A letter is found by its text, shown without what is hidden and without what steers a terminal, and replayed."""
    file = tmp_path / "shop.sql"
    file.write_text(TEXT.format(folder=tmp_path, redact="pin"))
    with (
        open_shop(tmp_path) as shop,
        Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as server,
        Server(Address("127.0.0.1", 0), lambda: [shop.script]) as watched,
    ):
        shop.pay(payment("c1", 5, 10), payment("evil", HOSTILE, 40))

        def found() -> list[str]:
            invoke(["dead-letters", "list", str(file), "--search", "amount", "--json"])
            return [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

        [line] = until(found)
        letter = json.loads(line)
        assert (letter["source"], letter["stage"]) == ("payments", "decode")
        shown = []
        for width in ("80", "500"):
            monkeypatch.setenv("COLUMNS", width)
            invoke(["dead-letters", "list", str(file)])
            shown.append(capsys.readouterr().out)
        assert all(letter["id"] in out for out in shown)
        # nothing is cut off where the terminal is narrow
        narrow, wide = (sorted("".join(out.split())) for out in shown)
        assert narrow == wide
        invoke(["dead-letters", "show", letter["id"], str(file)])
        out = capsys.readouterr().out
        assert "source: payments" in out
        assert "<script>alert(1)</script>\\u001b[31m\\u202e" in out
        assert "\x1b" not in out
        assert "4711" not in out
        invoke(["dead-letters", "replay", letter["id"], "--at", server.url.removeprefix("http://")])
        assert "0 of 1 rows were taken" in capsys.readouterr().out
        with pytest.raises(TerminalError, match="--allow-actions"):
            invoke(["dead-letters", "replay", letter["id"], "--at", watched.url.removeprefix("http://")])
    with pytest.raises(ConfigError, match="there is no dead letter '0'"):
        invoke(["dead-letters", "show", "0", str(file)])


def test_a_script_without_them(tmp_path: Path) -> None:
    file = tmp_path / "job.sql"
    file.write_text("SELECT 1;")
    with pytest.raises(ConfigError, match="has no table for dead letters"):
        invoke(["dead-letters", "list", str(file)])
