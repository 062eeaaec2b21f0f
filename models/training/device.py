"""The device that networks are trained on: a GPU if the machine has one, otherwise the CPU."""

import os
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from movietui.data.language import tr
from movietui.data.problems import Problem

if TYPE_CHECKING:
    import torch

VARIABLE = "MOVIETUI_DEVICE"
"""The environment variable that chooses another device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""


def choose_device() -> "torch.device":
    """Return the device that ``MOVIETUI_DEVICE`` names; by default, ``cuda`` if available, otherwise ``cpu``.

    ``mps`` is used only if requested, because our networks are so small that the CPU is faster. Raises ``Problem`` for
    a device that this machine lacks.
    """
    import torch

    requested = os.environ.get(VARIABLE, "").strip()
    available = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if not requested:
        return torch.device("cuda" if available["cuda"] else "cpu")
    kind, _, number = requested.partition(":")
    if not (number.isdecimal() or requested == kind) or int(number or 0) >= available.get(kind, 0):
        raise Problem(
            tr(
                "{variable}={device} is not a device of this machine; unset it, or use cpu.",
                variable=VARIABLE,
                device=requested,
            )
        )
    return torch.device(requested)


def to_device(device: "torch.device", array: NDArray[Any]) -> "torch.Tensor":
    """Return an array as a tensor on a device. On the CPU, both share memory."""
    import torch

    return torch.from_numpy(array).to(device)
