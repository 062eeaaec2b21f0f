"""Trains networks with torch, and runs them in numpy.

``train`` is the loop of all neural models. The rows are tensors in memory and a batch is a slice of a shuffled index,
which is many times faster than a ``DataLoader`` over a Python ``__getitem__`` (see ``tests/benchmarks/epoch.py``). The
trained network is stored as named arrays, and ``forward`` serves it in numpy. Serving never imports torch, because only
the functions that train import torch, and torch's layers are in ``movietui.models.training.towers``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Floats, Ratings
from movietui.models.base import AnyModel, Epoch, Fitted, Parameters, Progress
from movietui.models.metrics import mse
from movietui.models.training.device import choose_device
from movietui.models.training.resume import TrainingProgress, next_state
from movietui.models.training.stages import rows_meter

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Layers = Sequence[tuple[Floats, Floats]]
"""Weights, shape (…, inputs, outputs), and biases, shape (…, 1, outputs), from the first layer to the last. Leading
axes are for several networks side by side."""

VALIDATION_USERS = 300
"""The most users whose validation ratings are measured after an epoch, by models that fold users in: folding in all of
them would take longer than the epoch."""
MIN_BATCHES = 100
"""The fewest batches in an epoch. A small dataset makes the batches smaller, not the training shorter."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained."""

    epochs: int
    batch: int
    """The largest batch size. Batches are smaller if an epoch would otherwise have fewer than ``min_batches``."""
    rate: float
    """The learning rate."""
    momentum: float | None = None
    """The momentum of stochastic gradient descent; ``None`` for Adam."""
    falling: bool = False
    """Whether the learning rate follows half a cosine down to 0 (Loshchilov and Hutter, SGDR, 2017)."""
    patience: int = 0
    """Training stops after this many epochs without a lower held-out loss; 0 for never."""
    min_batches: int = MIN_BATCHES
    unit: str = "ratings"
    """What the rows are, as the progress names them."""

    def batch_of(self, rows: int) -> int:
        """Return the batch size for this many rows.

        With few ratings, the batches are smaller, so that an epoch has enough steps. The learning rate stays the same,
        because training with a lower one would end before it converges. On 4,000 generated ratings, in batches of 80
        instead of 1024, lowering the rate with the square root of the batch size, as is usual with Adam, raises the
        held-out rmse of sgd-mf from 0.54 to 0.88 and that of residual-mf from 0.52 to 0.80.
        """
        return max(1, min(self.batch, rows // self.min_batches))


Step = Callable[["Tensor"], tuple["Tensor", "Tensor"]]
"""Takes a batch, an int64 tensor whose first axis is the batch, and returns two scalars: the loss to minimise, and the
mean squared error of the batch in stars squared, which the curve shows."""

Batches = Callable[[int, int], Iterable["Tensor"]]
"""Takes the number of an epoch, from 1, and the batch size, and yields the batches of the epoch for ``Step``, as many
as it takes to see all rows once. Apart from these arguments, only torch's random state may change the batches."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all of torch's random numbers inside the block, and restore torch's random state after it."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def some_validation(validation: Ratings, users: int, seed: int) -> Ratings:
    """Return the validation ratings of at most ``VALIDATION_USERS`` of ``users`` users, drawn with the seed."""
    drawn = np.random.RandomState(seed).permutation(users)[:VALIDATION_USERS]
    return validation.take(np.flatnonzero(np.isin(validation.user, drawn)))


def validation_loss(model: AnyModel, validation: Ratings | None, users: int, seed: int) -> Callable[[], float] | None:
    """Return a function that measures what a model predicts of ``some_validation``: the mean squared error in stars
    squared. Return ``None`` without validation ratings."""
    if validation is None:
        return None
    some = some_validation(validation, users, seed)
    return lambda: mse(model.predict(some.user, some.movie), some.stars)


def train(
    network: "nn.Module",
    step: Step,
    rows: int,
    plan: Plan,
    progress: Progress,
    validation: Callable[[], float] | None = None,
    held_out: Callable[[], float] | None = None,
    batches: Batches | None = None,
    train_loss: Callable[[], float] | None = None,
) -> Fitted:
    """Train a network in place, and leave it in evaluation mode on the chosen device. Call this inside ``seeded``.

    ``step`` is called in training mode with each of the ``batches`` of an epoch. By default, these are the row numbers
    below ``rows``, shuffled, on the device. ``validation`` and ``held_out`` are called in evaluation mode after each
    epoch and return a mean squared error in stars squared. ``validation`` is only reported. So is ``train_loss``, which
    is called first, and replaces the mean of the errors that ``step`` returns.

    ``held_out``, measured on rows of train that ``step`` does not use, determines the best epoch. The network ends with
    the weights of that epoch, training ends early if the plan has patience, and the returned ``Fitted.best_epoch`` is
    the number of that epoch.

    Inside ``movietui.models.training.resume.resumable``, interrupted training resumes after its last complete epoch.
    ``progress`` is then called again for the earlier epochs. All randomness in ``step`` must come from torch.
    """
    import torch

    device = choose_device()
    network.to(device)
    batch = plan.batch_of(rows)
    if plan.momentum is None:
        optimizer: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), plan.rate, fused=True)
    else:
        optimizer = torch.optim.SGD(network.parameters(), plan.rate, plan.momentum, fused=True)
    in_epoch = -(-rows // batch)
    steps = max(1, plan.epochs * in_epoch)
    state = next_state()
    reached = state.resume(network, optimizer) if state else TrainingProgress()
    curve = reached.curve
    for epoch in curve:
        progress(epoch)
    for number in range(len(curve) + 1, plan.epochs + 1):
        if plan.patience and reached.best and number - 1 - reached.best[1] >= plan.patience:
            break
        network.train()
        error = torch.zeros((), device=device)
        meter = rows_meter(number, plan.epochs, rows, plan.unit)
        done = (number - 1) * in_epoch
        for index in batches(number, batch) if batches else _shuffled(rows, batch, device):
            meter.add(len(index))
            weight = len(index) / rows
            if len(index) == 1:
                index = torch.cat([index, index])  # batch normalisation needs two rows
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
            train_error = train_loss() if train_loss is not None else float(error)
            validation_loss = validation() if validation is not None else None
            held_out_loss = held_out() if held_out is not None else None
        curve.append(Epoch(number, plan.epochs, train_error, validation_loss))
        if held_out_loss is not None and (reached.best is None or held_out_loss < reached.best[0]):
            reached.best = held_out_loss, number, {name: value.clone() for name, value in network.state_dict().items()}
        if state:
            state.save(network, optimizer, reached)
        progress(curve[-1])
    network.eval()
    if reached.best is None:
        return Fitted.of(curve)
    network.load_state_dict(reached.best[2])
    return Fitted(tuple(curve), reached.best[1])


def _shuffled(rows: int, batch: int, device: "torch.device") -> "Iterator[Tensor]":
    """Yield all rows in batches, in random order."""
    import torch

    order = torch.randperm(rows).to(device)
    for start in range(0, rows, batch):
        yield order[start : start + batch]


def to_arrays(layers: Layers, prefix: str) -> Parameters:
    """Return layers as named arrays. ``layers_of`` does the reverse."""
    arrays: Parameters = {}
    for number, (weight, bias) in enumerate(layers):
        arrays[f"{prefix}.{number}.weight"], arrays[f"{prefix}.{number}.bias"] = weight, bias
    return arrays


def layers_of(parameters: Parameters, prefix: str) -> Layers:
    """Return the layers from the arrays of ``to_arrays``."""
    layers: list[tuple[Floats, Floats]] = []
    while f"{prefix}.{len(layers)}.weight" in parameters:
        name = f"{prefix}.{len(layers)}"
        layers.append((parameters[f"{name}.weight"], parameters[f"{name}.bias"]))
    return layers


def fold_norm(
    weight: NDArray[Any], bias: NDArray[Any], norm: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
) -> tuple[Floats, Floats]:
    """Fold batch normalisation into the dense layer before it.

    ``norm``: scale, shift, running mean and running variance (with the small constant added), each with the shape of
    the bias. After training, normalisation is linear: ``scale (x - mean) / sqrt(variance) + shift`` (Ioffe and Szegedy
    2015).
    """
    scale, shift, mean, variance = norm
    slope = scale / np.sqrt(variance)
    return (weight * slope).astype(np.float32), ((bias - mean) * slope + shift).astype(np.float32)


def forward(layers: Layers, inputs: NDArray[Any]) -> NDArray[Any]:
    """Run dense layers with ReLU between them.

    ``inputs``: shape (…, rows, inputs); returns (…, rows, outputs).
    """
    for weight, bias in layers[:-1]:
        inputs = np.maximum(inputs @ weight + bias, 0.0)
    weight, bias = layers[-1]
    return np.asarray(inputs @ weight + bias)


def forward_with_slope(layers: Layers, inputs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Run layers with a single output, and return the output, shape (…, rows), with its derivatives.

    The derivatives are with respect to each input, shape (…, rows, inputs).
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
