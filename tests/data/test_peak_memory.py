"""The peak memory of a process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from movietui.data import peak_memory

PEAK = "from movietui.data.peak_memory import peak_bytes; print(peak_bytes())"


@pytest.mark.skipif(not peak_memory.STATUS.exists(), reason="only Linux states the peak of a process alone")
def test_the_memory_of_the_process_that_started_this_one_does_not_count() -> None:
    filled = np.ones(60_000_000)  # 480 MB
    started = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    assert 10**6 < int(started.stdout) < filled.nbytes


def test_memory_that_was_freed_counts() -> None:
    before = peak_memory.peak_bytes()
    filled = np.ones(before // 8 + 10_000_000)
    size = filled.nbytes
    del filled
    assert peak_memory.peak_bytes() > size


def test_without_the_status_file_the_peak_is_that_of_getrusage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (tmp_path / "missing", tmp_path / "status"):
        (tmp_path / "status").write_text("Name: python\n")
        monkeypatch.setattr(peak_memory, "STATUS", status)
        assert 10**7 < peak_memory.peak_bytes() < 10**12
