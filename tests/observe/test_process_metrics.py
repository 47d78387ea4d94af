"""The metrics of the process: what the system says, under one name for each way out."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from test_metrics import values

from tailrace.observe.exposition import Exposition
from tailrace.observe.metrics import Kind
from tailrace.observe.process import BY_LIBRARY, PROCESS, process_samples

STATUS = "Name:\tpython\nVmSize:\t  200 kB\nVmRSS:\t  100 kB\nThreads:\t3\n"
IO = "rchar: 9\nread_bytes: 4096\nwrite_bytes: 512\n"
DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0
  eth0: 70 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0
  eth1: 7 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0
"""


def folder_of(path: Path) -> Path:
    """Make what the system says of a process."""
    (path / "fd").mkdir()
    (path / "net").mkdir()
    (path / "fd" / "0").touch()
    for name, text in (("status", STATUS), ("io", IO), ("net/dev", DEV)):
        (path / name).write_text(text)
    return path


def test_what_the_system_says(tmp_path: Path) -> None:
    """Kilobytes are bytes; interfaces are added up, without the loopback."""
    found = {(s.metric.name, s.labels): s.value for s in process_samples(folder_of(tmp_path))}
    assert found.pop(("process.cpu.time", ("user",))) == os.times().user
    assert found.pop(("process.cpu.time", ("system",)))
    assert found == {
        ("process.memory.usage", ()): 102_400,
        ("process.memory.virtual", ()): 204_800,
        ("process.thread.count", ()): 3,
        ("process.unix.file_descriptor.count", ()): 1,
        ("process.disk.io", ("read",)): 4096,
        ("process.disk.io", ("write",)): 512,
        ("system.network.io", ("receive",)): 77,
        ("system.network.io", ("transmit",)): 33,
    }


def test_a_thread_more_is_seen() -> None:
    """The values are those of this process, now."""

    def threads() -> float:
        (found,) = (s.value for s in process_samples() if s.metric.name == "process.thread.count")
        assert isinstance(found, float | int)
        return found

    over = threading.Event()
    before = threads()
    more = [threading.Thread(target=over.wait) for _ in range(5)]
    for thread in more:
        thread.start()
    try:
        assert threads() >= before + 4  # others may have ended meanwhile
    finally:
        over.set()
        for thread in more:
            thread.join()


def test_prometheus_has_each_once() -> None:
    """By the name that the list says; most are given by its own library."""
    found = values(Exposition(list).write("")[0].decode())
    assert {m.full_name for m in PROCESS.values()} <= {name for name, _ in found}
    assert found["process_threads", ()] >= 1
    assert found["system_network_io_bytes_total", (("network_io_direction", "receive"),)] >= 0
    assert set(PROCESS) > BY_LIBRARY


def test_names_are_those_of_the_conventions() -> None:
    """Counters end in `_total` for Prometheus alone, and units stand in no name of OpenTelemetry."""
    for metric in PROCESS.values():
        assert metric.full_name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert not metric.name.endswith(("_total", "_bytes", "_seconds"))
        assert metric.help.endswith(".")
