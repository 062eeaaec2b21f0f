"""Training that was cut off goes on from its last epoch, to the same result to the last bit.

Whoever trains something long does so inside ``keeping``; ``models.networks.train`` writes its state into the keeper
after each epoch and takes it up again when the same training is begun anew. A state is one safetensors file, put in its
place as a whole; one that is damaged is no state at all.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.model import Epoch

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

FORGOTTEN = 7 * 86_400
"""Seconds after which a state that nobody took up again is deleted."""


@dataclass
class Progressed:
    """How far a training is, beside the tensors of its network and optimizer."""

    curve: list[Epoch] = field(default_factory=list)
    best: "tuple[float, int, dict[str, Tensor]] | None" = None
    """The lowest held-out loss, its epoch and the weights then."""


class State:
    """The state of one training on disk."""

    def __init__(self, file: Path, resumed: Callable[[Epoch], None]) -> None:
        self._file, self._resumed = file, resumed

    def resume(self, network: "nn.Module", optimizer: "Optimizer") -> Progressed:
        """Bring a network, its optimizer and torch's random numbers to where they were; nowhere without a state."""
        import torch
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._file, "pt") as state:
                told = json.loads(state.metadata()["progress"])
                tensors: dict[str, Tensor] = {name: state.get_tensor(name) for name in state.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            return Progressed()
        weights, best = _part(tensors, "network."), _part(tensors, "best.")
        now = network.state_dict()
        if {name: value.shape for name, value in weights.items()} != {name: now[name].shape for name in now}:
            return Progressed()  # of a network as it was in another version
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimizer.").items():
            place, what = name.split(".", 1)
            slots.setdefault(int(place), {})[what] = value
        network.load_state_dict(weights)
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if "random of the gpu" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random of the gpu"])
        curve = [Epoch(**epoch) for epoch in told["curve"]]
        if curve[-1].number < curve[-1].of:
            self._resumed(curve[-1])
        return Progressed(curve, (*told["best"], best) if best else None)

    def keep(self, network: "nn.Module", optimizer: "Optimizer", progressed: Progressed) -> None:
        """Write the state. Where that cannot be done training goes on without."""
        import torch
        from safetensors.torch import save

        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        for place, slot in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{place}.{name}": value for name, value in slot.items() if value is not None}
        if progressed.best:
            tensors |= {f"best.{name}": value for name, value in progressed.best[2].items()}
        tensors["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["random of the gpu"] = torch.cuda.get_rng_state()
        told = {
            "curve": [asdict(epoch) for epoch in progressed.curve],
            "best": progressed.best[:2] if progressed.best else None,
        }
        content = save({name: value.contiguous() for name, value in tensors.items()}, {"progress": json.dumps(told)})
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=f"{self._file.name}.", dir=self._file.parent)
            try:
                with open(handle, "wb") as stream:
                    stream.write(content)
                os.replace(draft, self._file)
            except BaseException:
                os.unlink(draft)
                raise


class Keeper:
    """Keeps the states of one command's trainings, which may be several: they are told apart by their order."""

    def __init__(
        self, folder: Path, of: Mapping[str, Any], resumed: Callable[[Epoch], None] = lambda epoch: None
    ) -> None:
        """``of``: all that the result depends on; a state of anything else is never taken up.

        ``resumed`` is called with the last epoch of each training that was cut off and goes on.
        """
        described = json.dumps([of, version("torch")], sort_keys=True)
        self._folder, self._key = folder, hashlib.sha256(described.encode()).hexdigest()[:32]
        self._resumed, self._begun = resumed, 0

    def begin(self) -> State:
        """Return the state of the next training."""
        self._begun += 1
        return State(self._folder / f"{self._key}-{self._begun}.safetensors", self._resumed)

    def forget(self) -> None:
        """Delete the states, because all is done, and those of other commands that nobody went on with."""
        for file in self._folder.glob("*.safetensors*"):
            with suppress(OSError):
                if file.name.startswith(self._key) or time.time() - file.stat().st_mtime > FORGOTTEN:
                    file.unlink()


_current: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def keeping(keeper: Keeper) -> Iterator[None]:
    """Keep all trainings inside; their states are deleted when the end is reached, and stay when it is not."""
    token = _current.set(keeper)
    try:
        yield
    finally:
        _current.reset(token)
    keeper.forget()


def begin() -> State | None:
    """Return the state of a training that begins here, or ``None`` where nobody keeps any."""
    keeper = _current.get()
    return keeper.begin() if keeper else None


def _part(tensors: "Mapping[str, Tensor]", prefix: str) -> "dict[str, Tensor]":
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
