"""One step of alternating least squares: all users' factors given the movies' factors, or the reverse.

This module imports torch, so only the fits of ``Als`` and ``Ials`` import this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from movietui.data.dataset import Floats, Ints
from movietui.models.training.threads import for_each

BLOCK = 16_384
"""The most ratings, with padding, in one batch of solves. A longer list is a batch by itself."""
LISTS = 4096
"""The most lists in one batch. With 128 factors, their matrices take a quarter of a gigabyte."""


@dataclass(frozen=True)
class PaddedLists:
    """The values of ratings, in a list for each user (or movie), with the movie (or user) of each rating."""

    lengths: Tensor
    """int64, shape (lists,)."""
    groups: Sequence[tuple[Tensor, Tensor, Tensor]]
    """For each batch of lists of similar length: their rows, shape (some,), the other side of each rating, padded with
    -1, shape (some, longest), and the values, padded with 0, shape (some, longest). Empty lists are left out."""

    @classmethod
    def of(cls, rows: Ints, others: Ints, values: Floats, total: int) -> "PaddedLists":
        by_row = np.argsort(rows, kind="stable")
        lengths = np.bincount(rows, minlength=total)
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(lengths, kind="stable")
        groups, end = [], total
        while end and (longest := int(lengths[order[end - 1]])):
            first = max(end - min(LISTS, max(1, BLOCK // longest)), int(np.searchsorted(lengths[order], 1)))
            numbers = order[first:end]
            inside = np.arange(longest) < lengths[numbers, None]
            indices = by_row[np.where(inside, starts[numbers, None] + np.arange(longest), 0)]
            padded = np.where(inside, others[indices], -1)
            padded_values = np.where(inside, values[indices], np.float32(0))
            groups.append((torch.from_numpy(numbers), torch.from_numpy(padded), torch.from_numpy(padded_values)))
            end = first
        return cls(torch.from_numpy(lengths), groups)


def solve(lists: PaddedLists, others: Tensor, ridges: Tensor, gram: Tensor | float = 0.0) -> Tensor:
    """Return ``(sum y y' + gram + ridge I)^-1 sum v y`` for each list, shape (lists, factors); 0 for an empty list.

    The sums are over the list's values ``v`` and the factors ``y`` of the other side. ``others``: all factors of the
    other side, shape (others, factors). ``ridges``: shape (lists,). ``gram``: shape (factors, factors).
    """
    count, factors = others.shape
    padded_others = torch.cat([others, torch.zeros_like(others[:1])])  # the last row is for -1
    solution = others.new_zeros(len(ridges), factors)

    def solve_batches(batches: Sequence[tuple[Tensor, Tensor, Tensor]]) -> None:
        # Allocated once: for each batch, that would take longer than filling it.
        buffer = others.new_empty(max(padded.numel() for _, padded, _ in batches), factors)
        for numbers, padded, values in batches:
            rows = torch.where(padded < 0, count, padded).ravel()
            vectors = torch.index_select(padded_others, 0, rows, out=buffer[: len(rows)]).view(*padded.shape, factors)
            normal = vectors.mT @ vectors
            normal += gram
            normal.diagonal(dim1=1, dim2=2).add_(ridges[numbers, None])
            pull = (values[:, None] @ vectors).mT
            solution[numbers] = torch.cholesky_solve(pull, torch.linalg.cholesky(normal))[:, :, 0]

    # Neighbouring batches take about the same time, so that each thread gets as much to do as the others.
    threads = min(torch.get_num_threads(), len(lists.groups))
    for_each(solve_batches, [lists.groups[first::threads] for first in range(threads)])
    return solution
