"""How many cores a fit may use."""

import os


def leave_one_core() -> None:
    """Let torch use all cores but one, so that the screen keeps drawing while a model is fitted."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(max(1, cores - 1))
