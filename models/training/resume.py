"""Resume interrupted training after the last complete epoch, sweep or part that was saved.

The result is bit-for-bit the same as without the interruption. Inside ``resumable``, ``movietui.models.networks.train``
saves its state after each epoch, the sampler in ``movietui.models.training.bayes`` after some of its sweeps, and
``fit_part`` the parameters of a fitted part of a larger model. All of them load the state when the same training begins
again. A state is one safetensors file, written atomically; a damaged one is ignored.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from movietui.data.dataset import Dataset
from movietui.data.storage import atomic_files, disk, strict_json
from movietui.data.versions import version_of
from movietui.models.base import AnyModel, Epoch, Progress
from movietui.models.checkpoints import is_finite, restore

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

EXPIRY_SECONDS = 7 * 86_400
"""A state that is older than this is deleted when another training completes."""
SAVED_SECONDS = 2.0
"""A part that was fitted in less time than this is not saved: fitting it again takes little longer than loading it."""
LIBRARIES = ("movietui", "numpy", "torch")
"""The packages whose versions a result depends on."""


@dataclass
class TrainingProgress:
    """How far the training of a network has come, without the current weights and the optimizer's state."""

    curve: list[Epoch] = field(default_factory=list)
    best: "tuple[float, int, dict[str, Tensor]] | None" = None
    """The lowest held-out loss, its epoch, and the weights after that epoch."""


class State:
    """The state on disk of the training of one network, of one run of a Gibbs sampler, or of one fitted part."""

    def __init__(self, file: Path, resumed: Callable[[Epoch], None]) -> None:
        self._file, self._resumed = file, resumed

    def read(self) -> "tuple[Mapping[str, Any], list[Epoch], dict[str, Tensor]] | None":
        """Return the saved facts, the curve so far, and the tensors; ``None`` without a valid state."""
        from safetensors import SafetensorError, safe_open

        try:
            disk.open_to_read(self._file).close()  # reading a pipe or a device would block
            with safe_open(self._file, "pt") as state:
                header = state.metadata()
                tensors: dict[str, Tensor] = {name: state.get_tensor(name) for name in state.keys()}  # noqa: SIM118
            if header["digest"] != _digest(header["progress"], tensors):
                return None
            progress = strict_json.loads(header["progress"])
            curve = [Epoch(**epoch) for epoch in progress["curve"]]
            return (progress, curve, tensors) if curve else None
        except (OSError, SafetensorError, ValueError, LookupError, TypeError):
            return None

    def write(self, facts: Mapping[str, Any], curve: Sequence[Epoch], tensors: "Mapping[str, Tensor]") -> None:
        """Write the state. If this fails, training continues."""
        from safetensors.torch import save

        progress = json.dumps({**facts, "curve": [asdict(epoch) for epoch in curve]})
        header = {"progress": progress, "digest": _digest(progress, tensors)}
        content = save({name: value.contiguous() for name, value in tensors.items()}, header)
        with suppress(OSError):
            disk.make_folder(self._file.parent)
            # Do not wait for the disk: that would cost time after each epoch, while a state lost in a power cut costs
            # only one epoch.
            atomic_files.replace_file(self._file, content, durable=False)

    @property
    def exists(self) -> bool:
        """Whether the state was written; it may be damaged."""
        return self._file.exists()

    def say_resumed(self, last: Epoch) -> None:
        """Report that training resumes after an epoch, unless that was the last one."""
        if last.number < last.of:
            self._resumed(last)

    def resume(self, network: "nn.Module", optimizer: "Optimizer") -> TrainingProgress:
        """Restore a network, its optimizer and torch's random state, and return the progress.

        Without a valid state, change nothing and return the progress of a training that has not begun.
        """
        import torch

        if (saved := self.read()) is None:
            return TrainingProgress()
        facts, curve, tensors = saved
        weights, best = _part(tensors, "network."), _part(tensors, "best.")
        current = network.state_dict()
        if {name: value.shape for name, value in weights.items()} != {name: current[name].shape for name in current}:
            return TrainingProgress()  # the state is that of another version's network
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimizer.").items():
            index, slot_name = name.split(".", 1)
            slots.setdefault(int(index), {})[slot_name] = value
        network.load_state_dict(weights)
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if "random of the gpu" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random of the gpu"])
        self.say_resumed(curve[-1])
        return TrainingProgress(curve, (*facts["best"], best) if best else None)

    def save(self, network: "nn.Module", optimizer: "Optimizer", reached: TrainingProgress) -> None:
        """Write the state of a network."""
        import torch

        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        for index, slot in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in slot.items() if value is not None}
        if reached.best:
            tensors |= {f"best.{name}": value for name, value in reached.best[2].items()}
        tensors["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["random of the gpu"] = torch.cuda.get_rng_state()
        self.write({"best": reached.best[:2] if reached.best else None}, reached.curve, tensors)


class States:
    """The states of all trainings of one command; their order tells them apart."""

    def __init__(
        self,
        folder: Path,
        result_depends_on: Mapping[str, object],
        resumed: Callable[[Epoch], None] = lambda epoch: None,
    ) -> None:
        """``result_depends_on``: everything that the result depends on; a state with other values is never resumed.

        ``resumed`` is called for each training that resumes, with the last epoch before the interruption.
        """
        description = json.dumps([result_depends_on, [*map(version_of, LIBRARIES)]], sort_keys=True)
        self._folder, self._key = folder, hashlib.sha256(description.encode()).hexdigest()[:32]
        self._resumed, self._count = resumed, 0

    @property
    def exist(self) -> bool:
        """Whether an interrupted command has left a state from which this one may resume."""
        return any(self._folder.glob(f"{self._key}-*.safetensors"))

    def next_state(self) -> State:
        """Return the state of the next training."""
        self._count += 1
        return State(self._folder / f"{self._key}-{self._count}.safetensors", self._resumed)

    def inside(self) -> "States":
        """Return the states of the trainings within the one whose state ``next_state`` returned last."""
        inner = copy(self)
        inner._key, inner._count = f"{self._key}-{self._count}", 0
        return inner

    def forget(self) -> None:
        """Delete the states of this command, also if they were not written completely, and expired states of other
        commands."""
        for file in self._folder.glob("*.safetensors*"):
            with suppress(OSError):
                if f"{self._key}-" in file.name or time.time() - file.stat().st_mtime > EXPIRY_SECONDS:
                    file.unlink()


_current: ContextVar[States | None] = ContextVar("states", default=None)


@contextmanager
def resumable(states: States) -> Iterator[None]:
    """Save the states of all trainings in the block; delete these states if the block completes."""
    with _saved_in(states):
        yield
    states.forget()


@contextmanager
def _saved_in(states: States) -> Iterator[None]:
    token = _current.set(states)
    try:
        yield
    finally:
        _current.reset(token)


def next_state() -> State | None:
    """Return the state of a training that begins here, or ``None`` outside ``resumable``."""
    states = _current.get()
    return states.next_state() if states else None


def fit_part(part: AnyModel, train: Dataset, progress: Progress) -> None:
    """Fit a part of a larger model, or load its parameters if it was fitted before the training was interrupted.

    Inside ``resumable``, the parameters are saved, unless the fit takes less than ``SAVED_SECONDS``. They replace the
    states that were saved during the fit. ``progress`` is not called for a part that is loaded.
    """
    import torch

    states = _current.get()
    if states is None:
        part.fit(train, progress=progress)
        return
    state, during_fit = states.next_state(), states.inside()
    if saved := state.read():
        parameters = {name: tensor.numpy() for name, tensor in saved[2].items()}
        if all(map(is_finite, parameters.values())) and restore(part, parameters, train.scale, len(train.movies)):
            return
    began = time.monotonic()
    with _saved_in(during_fit):
        fitted = part.fit(train, progress=progress)
    if time.monotonic() - began >= SAVED_SECONDS:
        tensors = {name: torch.from_numpy(np.asarray(values, order="C")) for name, values in part.parameters.items()}
        state.write({}, fitted.curve, tensors)
        if state.exists:
            during_fit.forget()


def _digest(progress: str, tensors: "Mapping[str, Tensor]") -> str:
    """Return the sha256 of a state, because a single wrong bit would change the result."""
    import torch

    digest = hashlib.sha256(progress.encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _part(tensors: "Mapping[str, Tensor]", prefix: str) -> "dict[str, Tensor]":
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
