"""The metrics of the process itself, under the names of OpenTelemetry's conventions; and those that Prometheus has for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tailrace.observe.metrics import Kind, Metric
from tailrace.observe.samples import Sample

_COUNTER, _UP_DOWN = Kind.COUNTER, Kind.UP_DOWN
_DIRECTION = ("network.io.direction",)

PROCESS = {
    m.name: m
    for m in (
        Metric(
            "process.cpu.time",
            _COUNTER,
            ("cpu.mode",),
            "CPU time that the process has used; `cpu.mode` is `user` or `system`, to Prometheus both together.",
            "seconds",
            prometheus="process_cpu_seconds_total",
        ),
        Metric(
            "process.memory.usage",
            _UP_DOWN,
            (),
            "Memory that the process holds (resident).",
            "bytes",
            prometheus="process_resident_memory_bytes",
        ),
        Metric(
            "process.memory.virtual",
            _UP_DOWN,
            (),
            "Addresses that the process has asked for.",
            "bytes",
            prometheus="process_virtual_memory_bytes",
        ),
        Metric(
            "process.unix.file_descriptor.count",
            _UP_DOWN,
            (),
            "Files, connections and the like that are open.",
            "{file_descriptor}",
            prometheus="process_open_fds",
        ),
        Metric(
            "process.thread.count",
            _UP_DOWN,
            (),
            "Threads of the process.",
            "{thread}",
            prometheus="process_threads",
        ),
        Metric(
            "process.disk.io",
            _COUNTER,
            ("disk.io.direction",),
            "Bytes that the process has had read from disks or written to them.",
            "bytes",
            prometheus="process_disk_io_bytes_total",
        ),
        Metric(
            "system.network.io",
            _COUNTER,
            _DIRECTION,
            "Bytes over the network interfaces that the process sees, but for the loopback: all of its machine or container,"
            " as the system does not count them by process.",
            "bytes",
            prometheus="system_network_io_bytes_total",
        ),
    )
}
"""All metrics of the process, by name."""

BY_LIBRARY = frozenset(
    {"process.cpu.time", "process.memory.usage", "process.memory.virtual", "process.unix.file_descriptor.count"}
)
"""Those that Prometheus' own library gives."""

_SELF = Path("/proc/self")
_RECEIVED, _SENT = 0, 8
"""Places of bytes among the numbers of an interface."""


def process_samples(folder: Path = _SELF) -> Iterator[Sample]:
    """
    Give the values of now; where there is no `/proc`, CPU time alone.

    >>> {s.metric.name for s in process_samples(Path("/nowhere"))}
    {'process.cpu.time'}
    """
    times = os.times()
    yield _sample("process.cpu.time", times.user, "user")
    yield _sample("process.cpu.time", times.system, "system")
    if not folder.exists():
        return
    status = _numbers(folder / "status")
    yield _sample("process.memory.usage", status["VmRSS"] * 1024)
    yield _sample("process.memory.virtual", status["VmSize"] * 1024)
    yield _sample("process.thread.count", status["Threads"])
    yield _sample("process.unix.file_descriptor.count", len(list((folder / "fd").iterdir())))
    yield from _disk(folder / "io")
    yield from _network(folder / "net" / "dev")


def _sample(name: str, value: float, *labels: str) -> Sample:
    return Sample(PROCESS[name], labels, value)


def _numbers(path: Path) -> dict[str, int]:
    """Read lines of names and numbers."""
    lines = (line.partition(":") for line in path.read_text(encoding="ascii", errors="replace").splitlines())
    words = ((name, text.split()) for name, _, text in lines)
    return {name: int(found[0]) for name, found in words if found and found[0].isdecimal()}


def _disk(path: Path) -> Iterator[Sample]:
    try:
        moved = _numbers(path)
    except PermissionError:  # some containers keep this file closed
        return
    yield _sample("process.disk.io", moved["read_bytes"], "read")
    yield _sample("process.disk.io", moved["write_bytes"], "write")


def _network(path: Path) -> Iterator[Sample]:
    lines = (line.partition(":") for line in path.read_text(encoding="ascii").splitlines()[2:])
    moved = [text.split() for name, _, text in lines if name.strip() != "lo"]
    yield _sample("system.network.io", sum(int(m[_RECEIVED]) for m in moved), "receive")
    yield _sample("system.network.io", sum(int(m[_SENT]) for m in moved), "transmit")
