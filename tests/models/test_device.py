"""Which device networks are trained on."""

import numpy as np
import pytest
import torch

from movietui.data.problems import Problem
from movietui.models.training import device


@pytest.mark.parametrize(
    ("requested", "gpus", "expected"), [("", 0, "cpu"), ("", 2, "cuda"), ("cpu", 2, "cpu"), ("cuda:1", 2, "cuda:1")]
)
def test_a_gpu_is_used_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, requested: str, gpus: int, expected: str
) -> None:
    monkeypatch.setenv(device.VARIABLE, requested)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert str(device.choose_device()) == expected


@pytest.mark.parametrize("requested", ["cuda:1", "cuda:x", "mps", "toaster", "cpu:"])
def test_a_device_that_the_machine_lacks_is_a_problem(monkeypatch: pytest.MonkeyPatch, requested: str) -> None:
    monkeypatch.setenv(device.VARIABLE, requested)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(Problem, match="is not a device of this machine"):
        device.choose_device()


def test_on_the_processor_memory_is_shared() -> None:
    array = np.zeros(3, np.float32)
    device.to_device(torch.device("cpu"), array)[1] = 2
    assert array[1] == 2
