"""Where the engine's time goes."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from shop import open_shop, payment

from tailrace.engine.kernels import windows as kernels
from tailrace.errors import ConfigError
from tailrace.observe.profiling import Profiler, kernel_at

LENGTH = 20_000_000


def test_a_kernel_is_known_by_its_caller() -> None:
    """While it runs, though it has no frame of its own; a caller at something else is in none."""
    marks, before = np.zeros(LENGTH, dtype=np.int64), np.zeros(LENGTH, dtype=np.int64)
    kernels.running_watermark(marks[:1], 0, before[:1])  # compiled before it is looked at
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            kernels.running_watermark(marks, 0, before)

    thread = threading.Thread(target=work)
    thread.start()
    found = set()
    end = time.monotonic() + 30
    while "engine.kernels.windows.running_watermark" not in found and time.monotonic() < end:
        frame = sys._current_frames().get(thread.ident or 0)
        if frame is not None:
            found.add(kernel_at(frame))
        time.sleep(0.002)
    over.set()
    thread.join()
    assert "engine.kernels.windows.running_watermark" in found
    assert kernel_at(sys._getframe()) is None


def test_a_profile_of_a_running_job(tmp_path: Path) -> None:
    """Its shares are those of all looks; an engine that waits is seen to wait, and the job goes on after it."""
    with open_shop(tmp_path) as shop:
        inspection = shop.script.inspection
        assert inspection is not None
        shop.pay(*(payment(f"c{i}", 5, i % 60) for i in range(2000)))
        profile = Profiler(inspection).look(1.0)
        assert profile.samples > 20
        assert sum(p.share for p in profile.parts) == pytest.approx(1)
        assert "(waiting)" in {p.operator for p in profile.parts}
        assert profile.calls is not None
        assert profile.calls.share == pytest.approx(1)
        assert all(c.share <= profile.calls.share + 1e-9 for c in profile.calls.calls)
        with pytest.raises(ConfigError, match="1 to 20 seconds"):
            Profiler(inspection).look(21)
        assert inspection.windows()[0]
