"""Dense towers for training. This module imports torch, so only fits import this module. ``movietui.models.networks``
runs towers in numpy."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from movietui.models.networks import Layers, fold_norm

EPSILON = 1e-5
"""Added to a variance before the square root."""
MOMENTUM = 0.9
"""The momentum of the running mean and variance."""


class Tower(nn.Module):
    """Several networks of dense layers side by side, trained on the same batches from different starts.

    Each hidden layer is dense, followed by batch normalisation (if any), ReLU and dropout (if any). The last layer is
    only dense. Takes (members, rows, inputs), returns (members, rows, outputs). Each member normalises separately.
    """

    def __init__(self, members: int, sizes: Sequence[int], dropout: float = 0.0, normalise: bool = False) -> None:
        """``sizes``: inputs, hidden layers, outputs. Initialised as in He et al., Delving deep into rectifiers,
        2015."""
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
        for index, size in enumerate(hidden):
            self.register_buffer(f"mean{index}", torch.zeros(members, 1, size))
            self.register_buffer(f"variance{index}", torch.ones(members, 1, size))

    def forward(self, inputs: Tensor) -> Tensor:
        last = len(self.weight) - 1
        for index, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True)):
            inputs = torch.baddbmm(bias, inputs, weight)
            if index == last:
                break
            if self.normalise:
                inputs = self._norm(index, inputs)
            inputs = inputs.relu()
            if self.dropout and self.training:
                inputs = inputs * dropout_mask(inputs, self.dropout)
        return inputs

    def _norm(self, index: int, inputs: Tensor) -> Tensor:
        mean, variance = self.get_buffer(f"mean{index}"), self.get_buffer(f"variance{index}")
        if self.training:
            # torch.var_mean is slower, because it processes the numbers one by one.
            batch_mean = inputs.mean(1, keepdim=True)
            centred = inputs - batch_mean
            used_variance = centred.square().mean(1, keepdim=True)
            mean.lerp_(batch_mean.detach(), 1 - MOMENTUM)
            variance.lerp_(used_variance.detach(), 1 - MOMENTUM)
        else:
            centred, used_variance = inputs - mean, variance
        normalised: Tensor = centred * (self.scale[index] * (used_variance + EPSILON).rsqrt()) + self.shift[index]
        return normalised

    def layers(self) -> Layers:
        """Return the layers that ``movietui.models.networks.forward`` runs, with the normalisation folded in."""
        layers = []
        for index, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True)):
            layer = weight.detach().cpu().numpy(), bias.detach().cpu().numpy()
            if index < len(self.scale):
                running_variance = self.get_buffer(f"variance{index}") + EPSILON
                norm = self.scale[index], self.shift[index], self.get_buffer(f"mean{index}"), running_variance
                scale, shift, mean, variance = (part.detach().cpu().numpy() for part in norm)
                layer = fold_norm(*layer, (scale, shift, mean, variance))
            layers.append(layer)
        return layers


def dropout_mask(inputs: Tensor, share: float) -> Tensor:
    """Return a dropout mask that leaves the expected sum of the inputs unchanged.

    A random byte for each input decides whether it is dropped, so the rate is rounded to a multiple of 1/256. torch's
    dropout draws a 64-bit number for each input, which takes as long as the layer.
    """
    random_words = torch.empty(-(-inputs.numel() // 8), dtype=torch.int64, device=inputs.device)
    random_bytes = random_words.random_(torch.iinfo(torch.int64).min, None).view(torch.uint8)[: inputs.numel()]
    dropped = min(round(share * 256), 255)
    return (random_bytes >= dropped).view_as(inputs) * (256 / (256 - dropped))
