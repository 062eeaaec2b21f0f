"""Dense towers for training. Imports torch, so only what fits imports it; ``models.networks`` runs them in numpy."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.networks import Layers, fold_norm

EPSILON = 1e-5
"""Added to a variance before its root is divided by."""
MEMORY = 0.9
"""How much of the running mean and variance each batch leaves standing."""


class Tower(nn.Module):
    """Several networks of dense layers side by side, trained on the same batches from different starts.

    Each hidden layer is dense, batch normalisation (if any), ReLU, dropout (if any); the last is dense alone. Takes
    (members, rows, inputs), gives (members, rows, outputs). Each member normalises by itself.
    """

    def __init__(self, members: int, sizes: Sequence[int], dropout: float = 0.0, normalise: bool = False) -> None:
        """``sizes``: inputs, hidden layers, outputs. Started as He et al. (Delving deep into rectifiers, 2015)."""
        super().__init__()
        self.dropout, self.normalise = dropout, normalise
        pairs = list(itertools.pairwise(sizes))
        self.weight = nn.ParameterList(
            math.sqrt(2 / before) * torch.randn(members, before, after) for before, after in pairs
        )
        self.bias = nn.ParameterList(torch.zeros(members, 1, after) for _, after in pairs)
        hidden = sizes[1:-1] if normalise else ()
        self.scale = nn.ParameterList(torch.ones(members, 1, size) for size in hidden)
        self.shift = nn.ParameterList(torch.zeros(members, 1, size) for size in hidden)
        for place, size in enumerate(hidden):
            self.register_buffer(f"mean{place}", torch.zeros(members, 1, size))
            self.register_buffer(f"variance{place}", torch.ones(members, 1, size))

    def forward(self, inputs: Tensor) -> Tensor:
        last = len(self.weight) - 1
        for place, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True)):
            inputs = torch.baddbmm(bias, inputs, weight)
            if place == last:
                break
            if self.normalise:
                inputs = self._norm(place, inputs)
            inputs = inputs.relu()
            if self.dropout and self.training:
                inputs = inputs * kept(inputs, self.dropout)
        return inputs

    def _norm(self, place: int, inputs: Tensor) -> Tensor:
        mean, variance = self.get_buffer(f"mean{place}"), self.get_buffer(f"variance{place}")
        if self.training:
            # Not torch.var_mean, which goes through the numbers one by one.
            middle = inputs.mean(1, keepdim=True)
            centred = inputs - middle
            spread = centred.square().mean(1, keepdim=True)
            mean.lerp_(middle.detach(), 1 - MEMORY)
            variance.lerp_(spread.detach(), 1 - MEMORY)
        else:
            centred, spread = inputs - mean, variance
        line: Tensor = centred * (self.scale[place] * (spread + EPSILON).rsqrt()) + self.shift[place]
        return line

    def layers(self) -> Layers:
        """Return the layers as ``models.networks.forward`` runs them, the normalisation folded in."""
        found = []
        for place, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True)):
            layer = weight.detach().cpu().numpy(), bias.detach().cpu().numpy()
            if place < len(self.scale):
                spread = self.get_buffer(f"variance{place}") + EPSILON
                line = self.scale[place], self.shift[place], self.get_buffer(f"mean{place}"), spread
                scale, shift, mean, variance = (part.detach().cpu().numpy() for part in line)
                layer = fold_norm(*layer, (scale, shift, mean, variance))
            found.append(layer)
        return found


def kept(inputs: Tensor, share: float) -> Tensor:
    """Return what to multiply inputs by so that a share of them is left out and the expected sum stays.

    Each is left out if a random byte says so, the share being rounded to 1/256: torch's own draws a 64-bit number for
    each, which takes as long as the layer.
    """
    bytes_of = torch.empty(-(-inputs.numel() // 8), dtype=torch.int64, device=inputs.device)
    drawn = bytes_of.random_(torch.iinfo(torch.int64).min, None).view(torch.uint8)[: inputs.numel()]
    left_out = min(round(share * 256), 255)
    return (drawn >= left_out).view_as(inputs) * (256 / (256 - left_out))
