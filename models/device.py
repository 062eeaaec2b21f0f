"""Where networks are trained: on a GPU where there is one, else on the processor."""

import os
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from data.problems import Problem

if TYPE_CHECKING:
    from torch import Tensor, device

VARIABLE = "MOVIETUI_DEVICE"
"""The environment variable that chooses another device: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``."""


def chosen() -> "device":
    """Return the device: what ``MOVIETUI_DEVICE`` names, else ``cuda`` where there is one, else ``cpu``.

    ``mps`` only if asked for: our networks are so small that the processor is the faster there. Raises ``Problem`` for
    a device that this machine lacks.
    """
    import torch

    asked = os.environ.get(VARIABLE, "").strip()
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if not asked:
        return torch.device("cuda" if there["cuda"] else "cpu")
    kind, _, number = asked.partition(":")
    if not (number.isdecimal() or asked == kind) or int(number or 0) >= there.get(kind, 0):
        raise Problem(f"{VARIABLE}={asked} is no device of this machine; unset it, or use cpu.")
    return torch.device(asked)


def on(where: "device", array: NDArray[Any]) -> "Tensor":
    """Return an array as a tensor on a device; on the processor they share their memory."""
    import torch

    return torch.from_numpy(array).to(where)
