"""Calls that run in parallel."""

import multiprocessing

from movietui.models.training.threads import meanwhile, side_by_side


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
