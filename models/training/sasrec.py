"""The fit of ``SasRec``. This module imports torch, so only ``SasRec._learn`` imports this module."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import embedding, layer_norm, relu

from movietui.data.dataset import Dataset, Floats, Ints, Ratings
from movietui.data.samples import evenly_spread, some_users
from movietui.models.base import Fitted, Parameters, Progress, Times
from movietui.models.bias import expected, learn_effects
from movietui.models.ease import columns_of, learned_movies
from movietui.models.networks import Plan, seeded, train, validation_loss
from movietui.models.rankers import SWEEPS, Sample, calibrate, sample_users, unit_mean_of
from movietui.models.sasrec import EPSILON, GAPS, SasRec, SasRecSettings, gaps_of, states
from movietui.models.training.device import choose_device, to_device
from movietui.models.training.towers import dropout_mask

MIN_BATCHES = 50
"""The smallest number of batches in an epoch."""
POOL = 16
"""The users of about this many batches are sorted by the number of their movies before they are put into batches, so
that the sequences of a batch are about equally long."""
POSITIONS_AT_ONCE = 128
"""For how many positions the next movie is predicted at once: their scores for all movies fit in the processor's
cache."""
TOGETHER = 8
"""How many movies apart two movies of a user may be to count as watched together."""
START = 0.1
"""The initial weights that end each layer as a share of the usual ones, so that the network begins with what the
embeddings say of the last movie alone."""
SAMPLE = 32
"""The most users from whose scores the slope and the uncertainty of taste are estimated, which training leaves out."""
MEAN_USERS = 128
"""The most users from whose scores the mean scores are computed."""
LEARNED_RATINGS = 2_000_000
"""About how many ratings are learned from. With 8,000 movies, an epoch then takes minutes on two cores."""


class Watched(NamedTuple):
    """Movies that a user watched, oldest first."""

    rows: Ints
    """Their rows among the embeddings."""
    movies: Ints
    """Their rows in the dataset."""
    stars: Floats
    time: Times
    """When they were rated; 0 if that is not known."""


class Attention(nn.Module):
    """The network, with the parameters that ``movietui.models.sasrec.states`` reads; those of all blocks are
    stacked."""

    def __init__(self, settings: SasRecSettings, embedding: Tensor, popularity: Tensor) -> None:
        """``embedding``: the initial embeddings, shape (movies, factors). ``popularity``: the logarithm of each movie's
        share of the ratings, shape (movies,)."""
        super().__init__()
        size, blocks, heads = settings.factors, settings.blocks, settings.heads
        of_heads = heads * max(1, size // heads)
        self.dropout = settings.dropout
        self.embedding = nn.Parameter(embedding)
        self.gap = nn.Parameter(torch.zeros(GAPS, size))
        self.bias = nn.Parameter(popularity)
        # Training moves each number by about the learning rate at each step: too slowly to learn from 0 which heads
        # should look at the newest movies.
        slopes = torch.linspace(0, 2, heads + 1)[1:, None] if heads > 1 else torch.ones(1, 1)
        near = -slopes * torch.arange(settings.length).log1p()
        self.distance = nn.Parameter(near.repeat(blocks, 1, 1))
        self.attention_norm, self.dense_norm = (nn.Parameter(_unit_norm(size).repeat(blocks, 1, 1)) for _ in range(2))
        self.last_norm = nn.Parameter(_unit_norm(size))
        self.attention = _weights(blocks, size, 3 * of_heads)
        self.hidden = _weights(blocks, size, size)
        self.attended, self.output = _weights(blocks, of_heads, size, START), _weights(blocks, size, size, START)
        self.hidden_bias, self.output_bias = (nn.Parameter(torch.zeros(blocks, 1, size)) for _ in range(2))

    def forward(self, rows: Tensor, gaps: Tensor) -> Tensor:
        """Return the states after each movie, shape (sequences, length, factors). ``rows`` and ``gaps``, which
        ``states`` describes: shape (sequences, length)."""
        x = self._dropped(embedding(rows, self.embedding) + embedding(gaps, self.gap))
        blocks, heads, _ = self.distance.shape
        steps = torch.arange(rows.shape[1], device=x.device)
        behind = steps[:, None] - steps
        for block in range(blocks):
            near = self.distance[block][:, behind.clamp(min=0)].masked_fill(behind < 0, -torch.inf)
            inputs = _normalised(x, self.attention_norm[block])
            query, key, value = (
                part.view(*part.shape[:-1], heads, -1).transpose(1, 2)
                for part in (inputs @ self.attention[block]).chunk(3, dim=-1)
            )
            weights = (query @ (key * key.shape[-1] ** -0.5).transpose(-1, -2) + near).softmax(-1)
            attended = (weights @ value).transpose(1, 2).flatten(2)
            x = x + self._dropped(attended @ self.attended[block])
            inputs = _normalised(x, self.dense_norm[block])
            hidden = relu(inputs @ self.hidden[block] + self.hidden_bias[block])
            x = x + self._dropped(hidden @ self.output[block] + self.output_bias[block])
        return _normalised(x, self.last_norm)

    def _dropped(self, x: Tensor) -> Tensor:
        return x * dropout_mask(x, self.dropout) if self.training and self.dropout else x

    def arrays(self) -> Parameters:
        """Return the parameters as arrays."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters()}


def _weights(blocks: int, inputs: int, outputs: int, share: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(blocks, inputs, outputs) * (share / inputs**0.5))


def _sparse(indices: Tensor, values: Tensor, movies: int) -> Tensor:
    """Return a table of movies by movies, the values of the same cell added up."""
    return torch.sparse_coo_tensor(indices, values, (movies, movies), check_invariants=False).coalesce()


def _unit_norm(size: int) -> Tensor:
    return torch.stack([torch.ones(size), torch.zeros(size)])


def _normalised(x: Tensor, norm: Tensor) -> Tensor:
    return layer_norm(x, x.shape[-1:], norm[0], norm[1], EPSILON)


class CrossEntropy(torch.autograd.Function):
    """The sum over positions of the cross-entropy of the next movie, ``-log softmax(Q h + b)_i``.

    The table of positions by movies is never in memory as a whole: for some positions at a time, the probabilities, the
    loss and the gradients are computed while the numbers are in the processor's cache.
    """

    @staticmethod
    def forward(context: Any, state: Tensor, movies: Tensor, bias: Tensor, target: Tensor) -> Tensor:
        """``state``: shape (positions, factors), ``movies``: (movies, factors), ``bias``: (movies,), ``target``:
        (positions,)."""
        of_state, of_movies, of_bias = torch.empty_like(state), torch.zeros_like(movies), torch.zeros_like(bias)
        loss = torch.zeros((), device=state.device)
        table = torch.empty(POSITIONS_AT_ONCE, len(movies), device=state.device)
        for start in range(0, len(state), POSITIONS_AT_ONCE):
            rows = slice(start, start + POSITIONS_AT_ONCE)
            of_rows = state[rows]
            likely = torch.addmm(bias, of_rows, movies.T, out=table[: len(of_rows)])
            likely -= likely.amax(1, keepdim=True)
            of_target = likely.gather(1, target[rows, None])
            total = likely.exp_().sum(1, keepdim=True)
            loss += (total.log() - of_target).sum()
            # Each row divided by its total would be the probabilities. Dividing the smaller tables is faster.
            torch.mm(likely, movies, out=of_state[rows])
            of_state[rows] /= total
            of_movies.addmm_(likely.T, of_rows / total)
            of_bias.addmv_(likely.T, 1 / total[:, 0])
        of_state -= movies[target]
        of_movies.index_add_(0, target, state, alpha=-1)
        of_bias -= torch.bincount(target, minlength=len(bias))
        context.save_for_backward(of_state, of_movies, of_bias)
        return loss

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return the gradients, which ``forward`` computed."""
        (slope,) = slopes
        of_state, of_movies, of_bias = context.saved_tensors
        return of_state * slope, of_movies * slope, of_bias * slope, None


class Sequences:
    """The last movies of some users, oldest first, one user after the other. A position is a movie whose next movie is
    known."""

    def __init__(self, sequences: Sequence[Watched], device: torch.device) -> None:
        """``sequences``: each of two movies or more."""
        self.lengths = np.asarray([len(each.rows) - 1 for each in sequences], np.int64)
        self.first = np.cumsum(self.lengths) - self.lengths
        self.count = int(self.lengths.sum())
        owner = np.repeat(np.arange(len(sequences)), self.lengths)
        step = np.arange(self.count) - self.first[owner]
        nothing = np.empty(0, np.int64)
        rows = np.concatenate([nothing, *(each.rows for each in sequences)])
        gaps = np.concatenate([nothing, *(gaps_of(each.time) for each in sequences)])
        movie = np.arange(self.count) + owner  # each sequence has one movie more than positions
        self.owner, self.step, self.movie, self.gap, self.next = (
            to_device(device, each) for each in (owner, step, rows[movie], gaps[movie], rows[movie + 1])
        )

    def batches(self, number: int, batch: int) -> Iterator[Tensor]:
        """Yield the positions of all users in random batches of about this size, the positions of a user in one
        batch."""
        order = torch.randperm(len(self.lengths)).numpy()
        pool = np.cumsum(self.lengths[order]) // (batch * POOL)
        order = order[np.lexsort((self.lengths[order], pool))]
        of_batch = (np.cumsum(self.lengths[order]) - self.lengths[order]) // batch
        filled = np.unique(of_batch)
        for index in filled[torch.randperm(len(filled)).numpy()].tolist():
            users = order[of_batch == index]
            lengths = self.lengths[users]
            shift = self.first[users] - np.cumsum(lengths) + lengths
            yield to_device(self.owner.device, np.arange(lengths.sum()) + np.repeat(shift, lengths))

    def embedding(self, movies: int, size: int) -> Tensor:
        """Return embeddings to begin with, shape (movies, size), of a mean length of 1.

        Their products approximate how much more often than by chance two movies are watched together: the logarithm of
        the ratio, where it is above 0 (Levy and Goldberg, Neural word embedding as implicit matrix factorization,
        2014). ``k`` movies apart counts as ``1 / k``. The network then begins near a list of the movies watched
        together with the last one, and needs fewer epochs.
        """
        owner, movie = self.owner.cpu(), self.movie.cpu()
        counts = _sparse(torch.empty(2, 0, dtype=torch.int64), torch.empty(0), movies)
        for apart in range(1, min(TOGETHER + 1, len(owner))):
            same = owner[apart:] == owner[:-apart]
            pairs = torch.stack([movie[:-apart][same], movie[apart:][same]])
            pairs = torch.cat([pairs, pairs.flip(0)], 1)
            counts = (counts + _sparse(pairs, torch.full((pairs.shape[1],), 1 / apart), movies)).coalesce()
        (rows, columns), weights = counts.indices(), counts.values()
        totals = torch.zeros(movies).index_add_(0, rows, weights) + 1
        ratios = (weights * weights.sum() / (totals[rows] * totals[columns])).log().clamp(min=0)
        start: Tensor = torch.randn(movies, size) / size**0.5
        if not ratios.any():
            return start
        left, sizes, right = torch.svd_lowrank(_sparse(counts.indices(), ratios, movies), min(size, movies))
        # The table is symmetric. No products of vectors give its parts with negative eigenvalues, so they are left out.
        factors = left * (sizes * (left * right).sum(0)).clamp(min=0).sqrt()
        start[:, : factors.shape[1]] = factors / factors.norm(dim=1).mean()
        return start

    def loss(self, network: Attention, positions: Tensor) -> Tensor:
        """Return the mean cross-entropy of the movie after each position; the positions of a user are complete."""
        users, rows = torch.unique_consecutive(self.owner[positions], return_inverse=True)
        step = self.step[positions]
        # Sequences are padded at their ends, where attention to earlier movies does not reach.
        padded = torch.zeros(2, len(users), int(step.max()) + 1, dtype=torch.int64, device=positions.device)
        padded[0, rows, step], padded[1, rows, step] = self.movie[positions], self.gap[positions]
        state = network(*padded)[rows, step]
        loss: Tensor = CrossEntropy.apply(state, network.embedding, network.bias, self.next[positions])  # type: ignore[no-untyped-call]
        return loss / len(positions)


def fit(
    train_part: Dataset, validation: Ratings | None, settings: SasRecSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Train the network, and return the parameters that ``SasRec`` needs.

    A large dataset is learned from some of its users, who together have about ``LEARNED_RATINGS`` ratings.
    """
    parameters = learn_effects(train_part, SWEEPS) | ratings_in_order(train_part)
    parameters["column"] = columns_of(train_part.counts, settings.movies)
    movies = int(parameters["column"].max(initial=-1)) + 1
    sequences = last_watched(parameters, settings.length + 1)
    learned = some_users(train_part, LEARNED_RATINGS, seed)
    sample = learned[sample_users(len(learned), SAMPLE)]
    device = choose_device()
    learning = np.setdiff1d(learned, sample).tolist()
    packed = Sequences([sequences[user] for user in learning if len(sequences[user].rows) > 1], device)
    served = SasRec(settings)
    with seeded(seed):
        start = packed.embedding(movies, settings.factors)
        network = Attention(settings, start, popularity_of(train_part.counts, parameters["column"]))

        def step(positions: Tensor) -> tuple[Tensor, Tensor]:
            loss = packed.loss(network, positions)
            return loss, loss

        def sample_loss() -> float:
            served.restore(parameters | network.arrays(), train_part.scale)
            usual, loss = calibrated(train_part, served, sequences, sample)
            served.restore(served.parameters | usual, train_part.scale)
            return loss

        plan = Plan(settings.epochs, settings.batch, settings.rate, falling=True, min_batches=MIN_BATCHES)
        fitted = train(
            network,
            step,
            packed.count,
            plan,
            progress,
            validation_loss(served, validation, len(train_part.users), seed),
            batches=packed.batches,
            train_loss=sample_loss,
        )
    with torch.no_grad():
        sample_loss()  # again, because a resumed training may have had no epoch left
    return served.parameters, fitted


def calibrated(
    train_part: Dataset, served: SasRec, sequences: Sequence[Watched], sample: NDArray[np.intp]
) -> tuple[Parameters, float]:
    """Return the mean scores, the slope and the terms of the uncertainty, and the mean squared error over the sample.

    Each rated movie of the sample is scored from the user's earlier movies and, for the change with half of the
    ratings, from every second of these.
    """
    length = served.settings.length
    some = [each for each in sequences if len(each.rows)]
    some = [some[index] for index in evenly_spread(len(some), MEAN_USERS).tolist()]
    known = [served.scores(each.rows[None, -length:], each.time[None, -length:])[0] for each in some]
    mean = np.mean(known, 0) if known else np.zeros(len(train_part.movies) + 1, np.float32)
    unit_mean = unit_mean_of(mean[:-1])
    means = {"mean": mean, "usual": unit_mean}
    residuals, personal, changes = [], [], []
    for user in sample.tolist():
        watched = sequences[user]
        if len(watched.rows) < 2:
            continue
        places = np.arange(len(watched.rows) - 1)
        movies = watched.movies[1:]
        scores, half = (
            served.scores_after(states(served.parameters, watched.rows[part], gaps_of(watched.time[part])))
            for part in (slice(-1), slice(None, -1, 2))
        )
        personal_parts, of_half = (
            each[places, movies] - (each @ unit_mean) * unit_mean[movies] for each in (scores, half[places // 2])
        )
        residuals.append(watched.stars[1:] - expected(served.parameters, np.full(len(movies), user), movies))
        personal.append(personal_parts)
        changes.append(personal_parts - of_half)
    if not residuals:
        empty = np.empty(0, np.float32)
        taste, loss = calibrate(Sample(empty, empty, empty, 0.0))
        return means | taste, loss
    all_residuals, all_personal, all_changes = (
        np.concatenate(each).astype(np.float32) for each in (residuals, personal, changes)
    )
    taste, loss = calibrate(Sample(all_residuals, all_personal, all_changes, len(all_residuals) / len(residuals)))
    return means | taste, loss


def ratings_in_order(train_part: Dataset) -> Parameters:
    """Return the same parameters as ``movietui.models.rankers.ratings_by_user``, and the times, with the ratings of
    each user in order of time; of ratings in the same second, the later row comes later."""
    ratings = train_part.ratings
    order = np.lexsort((ratings.time, ratings.user))
    starts = np.zeros(len(train_part.users) + 1, np.int64)
    np.cumsum(np.bincount(ratings.user, minlength=len(train_part.users)), out=starts[1:])
    in_order = ratings.take(order)
    return {"starts": starts, "rated": in_order.movie, "stars": in_order.stars, "rated_at": in_order.time}


def last_watched(parameters: Parameters, most: int) -> list[Watched]:
    """Return at most the ``most`` last learned movies of each user."""
    starts, rated, stars, time = (parameters[name] for name in ("starts", "rated", "stars", "rated_at"))
    every = []
    for start, end in pairwise(starts.tolist()):
        rows = parameters["column"][rated[start:end]]
        known = np.flatnonzero(rows >= 0)[-most:]
        inside = start + known
        every.append(Watched(rows[known], rated[inside], stars[inside], time[inside]))
    return every


def popularity_of(counts: Ints, column: Ints) -> Tensor:
    """Return the logarithm of each learned movie's share of the ratings, shape (learned movies,)."""
    learned = counts[learned_movies(column)].astype(np.float32)
    return torch.from_numpy(np.log(learned / max(1, learned.sum())))
