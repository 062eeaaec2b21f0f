"""A fit that does not fit in memory is refused before it begins."""

import os
from pathlib import Path

import pytest

from movietui.data.problems import Problem
from movietui.models.autorec import AutoRec, AutoRecSettings
from movietui.models.blend import Blend, BlendSettings
from movietui.models.ease import Ease, EaseSettings
from movietui.models.mf import BiasedMF
from movietui.models.sasrec import SasRec, SasRecSettings
from movietui.models.training import memory
from movietui.models.vae import Vae, VaeSettings
from tests.models.builders import tastes

TRAIN = tastes()[0]


@pytest.fixture
def free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the files that say how much memory is free: 8 kB of it."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "LIMITS", (tmp_path / "max", tmp_path / "limit"))
    (tmp_path / "meminfo").write_text("MemTotal:       99 kB\nMemFree:        3 kB\nMemAvailable:       8 kB\n")
    return tmp_path


def test_available_memory(free: Path) -> None:
    assert memory.available() == 8 * 1024
    (free / "limit").write_text("7000\n")
    assert memory.available() == 7000
    (free / "max").write_text("max\n")
    assert memory.available() == 7000
    (free / "limit").unlink()
    (free / "meminfo").write_text("MemTotal:       99 kB\n")
    assert memory.available() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_a_fit_that_does_not_fit_in_memory_says_so_before_it_begins(
    free: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, movies = len(TRAIN.users), len(TRAIN.movies)
    (free / "max").write_text("7000000000\n")
    (free / "meminfo").write_text("MemAvailable: 8000000 kB\n")
    monkeypatch.setattr(AutoRec, "memory_needed", lambda *_: 140_777_000_000)
    monkeypatch.setattr(AutoRec, "_learn", lambda *_: pytest.fail("the fit has begun"))
    with pytest.raises(Problem) as refusal:
        AutoRec().fit(TRAIN)
    assert str(refusal.value) == (
        f"autorec needs about 140.8 GB of memory for {users} users and {movies} movies, but only 7.0 GB is free; "
        "train another model, such as mf."
    )


def test_the_memory_that_models_need() -> None:
    cells = 4 * len(TRAIN.users) * len(TRAIN.movies)
    assert AutoRec(AutoRecSettings(by_user=True)).memory_needed(TRAIN) == 2 * cells
    assert AutoRec(AutoRecSettings(by_user=False)).memory_needed(TRAIN) == 4 * cells
    assert Ease(EaseSettings(movies=10)).memory_needed(TRAIN) == 1200
    assert Ease().memory_needed(TRAIN) == 3 * 4 * len(TRAIN.movies) ** 2
    assert Vae(VaeSettings(hidden=5, code=3, batch=2, movies=10)).memory_needed(TRAIN) == 4 * 4 * 10 * (5 + 3 + 2)
    assert Blend(BlendSettings(vae=False)).memory_needed(TRAIN) == Ease().memory_needed(TRAIN)
    assert Blend().memory_needed(TRAIN) == Vae().memory_needed(TRAIN)
    assert BiasedMF().memory_needed(TRAIN) == 0
    attention = 3 * 8 * 16 * len(TRAIN.ratings) * 1000
    largest = SasRecSettings(length=1000, blocks=8, heads=16, batch=65_536, factors=8, movies=20)
    assert SasRec(largest).memory_needed(TRAIN) == 4 * (4 * 20 * 8 + attention)
