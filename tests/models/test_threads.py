"""Calls that run in parallel."""

import multiprocessing
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from movietui.models.base import ignore_epoch
from movietui.models.bayes import BayesSettings
from movietui.models.training import bayes
from movietui.models.training.threads import for_each, meanwhile, side_by_side
from tests.models.builders import tastes


def test_both_results_are_returned() -> None:
    assert side_by_side(lambda: 1, lambda: 2) == (1, 2)
    assert meanwhile(lambda: 3).result() == 3


def _in_child() -> None:
    assert side_by_side(lambda: 1, lambda: 2) == (1, 2)


def test_a_forked_process_has_a_second_thread_too() -> None:
    side_by_side(lambda: 1, lambda: 2)
    child = multiprocessing.get_context("fork").Process(target=_in_child)
    child.start()
    child.join(60)
    hung = child.is_alive()
    child.kill()
    child.join()
    assert not hung
    assert child.exitcode == 0


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_each_item_is_worked_on_once_in_a_single_thread(threads: int) -> None:
    done: list[tuple[int, int]] = []
    for_each(lambda item: done.append((item, torch.get_num_threads())), range(20))
    assert sorted(done) == [(item, 1) for item in range(20)]
    assert torch.get_num_threads() == threads


def test_an_error_ends_the_work_on_all_items(threads: int) -> None:
    def fail(item: int) -> None:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        for_each(fail, range(20))
    assert torch.get_num_threads() == threads


def test_a_draw_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayes, "BLOCK", 8)
    train = tastes()[0]
    settings = BayesSettings(factors=bayes.NARROW, sweeps=2)
    before, fits = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        fits.append(bayes.fit(train, None, settings, 0, ignore_epoch)[0])
    torch.set_num_threads(before)
    for name, values in fits[0].items():
        np.testing.assert_allclose(fits[1][name], values, rtol=1e-3, atol=1e-4, err_msg=name)
