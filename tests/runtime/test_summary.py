"""What a job says about itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

_TELL = "from tailrace.runtime.summary import peak_memory; print(peak_memory())"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not take the peak of its parent along")
def test_the_peak_of_memory_is_that_of_the_process_itself() -> None:
    ballast = np.ones(600 << 20, dtype=np.uint8)
    done = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True, timeout=60)
    assert len(ballast)
    assert 1 << 20 < int(done.stdout) < 400 << 20
