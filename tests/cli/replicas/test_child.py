"""The process of one replica: it never outlives its member."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from replicas_kit import is_child, until

STARTS = """
import sys, time
from tailrace.cli.replicas.child import Child
child = Child("1/1", ["run", sys.argv[1]], sys.stderr, as_json=False)
print(child.pid, flush=True)
time.sleep(600)
"""
ENDLESS = """CREATE TABLE ticks (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT id FROM ticks;
"""


def test_a_child_ends_with_its_member(tmp_path: Path) -> None:
    """The member is killed, so that it can tell its child nothing: the child is gone too."""
    (tmp_path / "job.sql").write_text(ENDLESS)
    member = subprocess.Popen(
        [sys.executable, "-c", STARTS, "job.sql"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert member.stdout is not None
    pid = int(member.stdout.readline())
    member.stdout.close()
    until((tmp_path / ".tailrace" / "job" / "job.json").exists)
    assert is_child(pid)
    member.send_signal(signal.SIGKILL)
    assert member.wait(60) == -signal.SIGKILL
    until(lambda: not is_child(pid))
