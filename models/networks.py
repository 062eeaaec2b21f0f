"""Training networks, and running them without torch.

``train`` is the loop that all neural models share: the rows are tensors in memory and a batch is a slice of a shuffled
index, which is many times faster than a ``DataLoader`` over a Python ``__getitem__`` (``tests/benchmarks/epoch.py``
measures it). What was trained is kept as named arrays and served by ``forward``, in numpy; torch is imported inside
the functions that train, and layers for it lie in ``models.towers``, so that serving never imports it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Floats
from models.device import chosen
from models.keeping import Progressed, begin
from models.model import Epoch, Fitted, Parameters, Progress
from models.stages import ratings_of
from models.threads import leave_one_core

if TYPE_CHECKING:
    from torch import Tensor, nn

Layers = Sequence[tuple[Floats, Floats]]
"""Weights, shape (…, inputs, outputs), and biases, shape (…, 1, outputs), from the first layer to the last. Leading
axes, where there are any, are those of several networks that run side by side."""

LEAST_BATCHES = 100
"""An epoch has at least so many batches: little data makes batches smaller, not training shorter."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained."""

    epochs: int
    batch: int
    """Rows in a batch, at most; see ``LEAST_BATCHES``."""
    rate: float
    """The learning rate."""
    momentum: float | None = None
    """Of stochastic gradient descent; ``None`` for Adam."""
    falling: bool = False
    """Whether the rate falls along half a cosine from its value to 0 (Loshchilov and Hutter, SGDR, 2017)."""
    patience: int = 0
    """After how many epochs without a better held-out loss training ends; 0 for never."""
    least_batches: int = LEAST_BATCHES


Step = Callable[["Tensor"], tuple["Tensor", "Tensor"]]
"""From the rows of a batch, an int64 tensor, to two scalars: what is minimised, and the mean squared error of the batch
in stars squared, which the curve shows."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw all of torch's random numbers inside from a seed, and leave those outside as they were."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def train(
    network: "nn.Module",
    step: Step,
    rows: int,
    plan: Plan,
    progress: Progress,
    validation: Callable[[], float] | None = None,
    held_out: Callable[[], float] | None = None,
) -> Fitted:
    """Train a network in place, inside ``seeded``, and leave it in evaluation mode, on the chosen device.

    ``step`` is called in training mode with batches of the numbers below ``rows``, on the device; ``validation`` and
    ``held_out`` are called in evaluation mode after each epoch and return a mean squared error in stars squared.
    ``validation`` is only watched. By ``held_out``, measured on rows of train that ``step`` does not use, the best
    epoch is known: its weights are kept, training ends early when the plan has patience, and ``Fitted.best_epoch`` of
    what is returned is its number, so that the caller may train again on all rows with a plan of so many epochs.

    Inside ``models.keeping.keeping`` a training that was cut off goes on after its last epoch; ``progress`` hears of
    the earlier epochs again. All that is random in ``step`` must then come from torch.
    """
    import torch

    leave_one_core()
    where = chosen()
    network.to(where)
    batch = max(1, min(plan.batch, rows // plan.least_batches))
    # With fewer ratings there are as many steps, of smaller batches: the rate stays, or they would not get as far. On
    # 4,000 planted ratings in batches of 80 for 1024, a rate that falls with the root of the batch, as is usual with
    # Adam, takes the held-out rmse of sgd-mf from 0.54 to 0.88 and that of residual-mf from 0.52 to 0.80.
    if plan.momentum is None:
        optimizer: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), plan.rate, fused=True)
    else:
        optimizer = torch.optim.SGD(network.parameters(), plan.rate, plan.momentum, fused=True)
    batches = -(-rows // batch)
    steps = max(1, plan.epochs * batches)
    state = begin()
    so_far = state.resume(network, optimizer) if state else Progressed()
    curve = so_far.curve
    for epoch in curve:
        progress(epoch)
    done = len(curve) * batches
    for number in range(len(curve) + 1, plan.epochs + 1):
        if plan.patience and so_far.best and number - 1 - so_far.best[1] >= plan.patience:
            break
        network.train()
        order = torch.randperm(rows).to(where)
        error = torch.zeros((), device=where)
        seen = ratings_of(number, plan.epochs, rows)
        for start in range(0, rows, batch):
            index = order[start : start + batch]
            seen.add(len(index))
            weight = len(index) / rows
            if len(index) == 1:
                index = index.repeat(2)  # batch normalisation needs two
            if plan.falling:
                for group in optimizer.param_groups:
                    group["lr"] = plan.rate * (1 + np.cos(np.pi * done / steps)) / 2
            optimizer.zero_grad(set_to_none=True)
            loss, squared = step(index)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            error += weight * squared.detach()
            done += 1
        network.eval()
        with torch.no_grad():
            watched = validation() if validation is not None else None
            judged = held_out() if held_out is not None else None
        curve.append(Epoch(number, plan.epochs, float(error), watched))
        if judged is not None and (so_far.best is None or judged < so_far.best[0]):
            so_far.best = judged, number, {name: value.clone() for name, value in network.state_dict().items()}
        if state:
            state.keep(network, optimizer, so_far)
        progress(curve[-1])
    network.eval()
    if so_far.best is None:
        return Fitted.of(curve)
    network.load_state_dict(so_far.best[2])
    return Fitted(tuple(curve), so_far.best[1])


def named(layers: Layers, prefix: str) -> Parameters:
    """Return layers as named arrays; ``layers_of`` is the way back."""
    found: Parameters = {}
    for place, (weight, bias) in enumerate(layers):
        found[f"{prefix}.{place}.weight"], found[f"{prefix}.{place}.bias"] = weight, bias
    return found


def layers_of(parameters: Parameters, prefix: str) -> Layers:
    """Return the layers that ``named`` named."""
    layers: list[tuple[Floats, Floats]] = []
    while f"{prefix}.{len(layers)}.weight" in parameters:
        name = f"{prefix}.{len(layers)}"
        layers.append((parameters[f"{name}.weight"], parameters[f"{name}.bias"]))
    return layers


def fold_norm(
    weight: NDArray[Any], bias: NDArray[Any], norm: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
) -> tuple[Floats, Floats]:
    """Return a dense layer that does what it and the batch normalisation behind it do together.

    ``norm``: scale, shift, running mean and running variance (its small constant added), each as the bias's shape.
    Once trained the normalisation is a line, ``scale (x - mean) / sqrt(variance) + shift`` (Ioffe and Szegedy 2015).
    """
    scale, shift, mean, variance = norm
    slope = scale / np.sqrt(variance)
    return (weight * slope).astype(np.float32), ((bias - mean) * slope + shift).astype(np.float32)


def forward(layers: Layers, inputs: NDArray[Any]) -> NDArray[Any]:
    """Run dense layers with ReLU between them, none behind the last.

    ``inputs``: shape (…, rows, inputs); returns (…, rows, outputs).
    """
    for weight, bias in layers[:-1]:
        inputs = np.maximum(inputs @ weight + bias, 0.0)
    weight, bias = layers[-1]
    return np.asarray(inputs @ weight + bias)


def forward_with_slope(layers: Layers, inputs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Run layers with a single output, and say how it changes with each input.

    Returns the output, shape (…, rows), and its derivatives, shape (…, rows, inputs).
    """
    active = []
    for weight, bias in layers[:-1]:
        inputs = np.maximum(inputs @ weight + bias, 0.0)
        active.append(inputs > 0)
    weight, bias = layers[-1]
    output = (inputs @ weight + bias)[..., 0]
    slope = np.broadcast_to(np.swapaxes(weight, -1, -2), inputs.shape)
    for (weight, _), on in zip(reversed(layers[:-1]), reversed(active), strict=True):
        slope = (slope * on) @ np.swapaxes(weight, -1, -2)
    return output, slope
