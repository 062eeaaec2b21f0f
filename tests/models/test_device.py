"""Which device networks are trained on."""

import numpy as np
import pytest
import torch

from data.problems import Problem
from models import device


@pytest.mark.parametrize(
    ("asked", "gpus", "expected"), [("", 0, "cpu"), ("", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda:1", 2, "cuda:1")]
)
def test_a_gpu_is_taken_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, asked: str, gpus: int, expected: str
) -> None:
    monkeypatch.setenv(device.VARIABLE, asked)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert str(device.chosen()) == expected


@pytest.mark.parametrize("asked", ["cuda:1", "cuda:x", "mps", "toaster", "cpu:"])
def test_a_device_that_is_not_there_is_a_problem(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv(device.VARIABLE, asked)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(Problem, match="is no device of this machine"):
        device.chosen()


def test_on_the_processor_memory_is_shared() -> None:
    array = np.zeros(3, np.float32)
    device.on(torch.device("cpu"), array)[1] = 2
    assert array[1] == 2
