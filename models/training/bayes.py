"""The fit of ``Bayes``: draws from its posterior. Imports torch, so only ``Bayes._learn`` imports it.

All that an entry of a side is made of, its vector, is drawn at once: the factors and the bias of a user have a normal
distribution given those of the movies, so a sweep draws every user with a Cholesky factorisation of their own, then
every movie. What users have in common enters as the mean of that distribution, a regression on features; given the
users' vectors it needs no rating to be drawn (as side information in Simm et al., Macau, 2015). The squares of the
features never change: in the basis of their eigenvectors all directions of the regression are independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from data.dataset import Dataset, Floats, Ratings
from models.bayes import BayesSettings
from models.factorisation import Lists, bags
from models.mf import BLOCK
from models.model import Epoch, Fitted, Parameters, Progress
from models.ordinal import steps_of
from models.sides import of_movies, of_users
from models.threads import leave_one_core

SPREAD = 0.05
"""The variance that a direction of a vector is believed to have before anything is seen."""
WEIGHT = 0.01
"""The same of a weight of the regression."""
EVEN = 8.0
"""How strongly the scatter of users and movies is believed to be the same for all: chosen as the settings were. On the
validation parts of ml-100k the rmse is 0.8699 instead of 0.8754 with the same scatter for all."""
SEEN = 10_000
"""How many ratings, evenly spread, tell the error on train."""
START = 0.3
"""Standard deviation of the random numbers that the users' factors start from."""
POWERS = 8
"""How often the most common directions of what is watched are multiplied by themselves to find them."""
SLACK = 16
"""How many directions more are looked for than are kept."""
FLAT = 1e-4
"""Directions of the features whose squares are below this share of the largest are dropped."""


def sample(
    train: Dataset, validation: Ratings | None, settings: BayesSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Draw ``sweeps`` times from the posterior and keep ``samples`` of what comes after the warm-up."""
    leave_one_core()
    ratings, scale = train.ratings, train.scale
    factors = settings.factors or _supported(len(ratings))
    size = factors + 1
    generator = torch.Generator().manual_seed(seed)
    overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else (scale.low + scale.high) / 2
    stars = torch.from_numpy(ratings.stars - np.float32(overall))
    user, movie = torch.from_numpy(ratings.user), torch.from_numpy(ratings.movie)
    by_user = Lists.of(user, movie, stars, len(train.users))
    by_movie = Lists.of(movie, user, stars, len(train.movies))
    watched = _Bag.of(by_user, by_movie, settings.implicit * factors, generator)
    watchers = _Bag.of(by_movie, by_user, settings.implicit * factors, generator)
    people, films = of_users(train.users), of_movies(train.movies)
    if not settings.features:
        people, films = people[:, :0], films[:, :0]
    of_people, of_films = _turned(people, by_user), _turned(films, by_movie)
    users = _Side(by_user, [watched.design, of_people[:-1]], size)
    movies = _Side(by_movie, [watchers.design, of_films[:-1]], size)
    users.vectors[:, :-1] = START * torch.randn(len(train.users), factors, generator=generator)
    noise = 1.0
    warm_up = min(int(settings.sweeps * settings.warm_up), settings.sweeps - 1)
    kept = set(np.linspace(settings.sweeps, warm_up + 1, min(settings.samples, settings.sweeps - warm_up)).astype(int))
    samples: list[dict[str, Tensor]] = []
    steps = _Steps(ratings, overall, by_user, by_movie) if settings.ordinal else None
    watch = _Watch(validation, train, overall, steps) if validation is not None else None
    evenly = np.linspace(0, len(ratings) - 1, min(SEEN, len(ratings))).astype(np.intp)
    look_back = _Watch(ratings.take(evenly), train, overall, steps)
    curve: list[Epoch] = []
    for number in range(1, settings.sweeps + 1):
        movies.draw(users, noise, generator)
        movies.learn(noise, generator)
        noise = _draw_noise(float((movies.errors / movies.scatter).sum()), len(ratings), generator)
        users.draw(movies, noise, generator)
        if number in kept:
            samples.append(_state(users, movies, noise) | (steps.state() if steps else {}))
        held_out = watch(users, movies, noise, afresh=number <= warm_up + 1) if watch else None
        error = look_back(users, movies, noise, afresh=True)
        users.learn(noise, generator)
        if steps:
            steps.draw(users, movies, noise, generator)
        curve.append(Epoch(number, settings.sweeps, error, held_out))
        progress(curve[-1])
    stacked = {name: torch.stack([each[name] for each in samples]).numpy() for name in samples[0]}
    return {
        **stacked,
        **({"values": steps.values.numpy()} if steps else {}),
        "overall": np.asarray(overall),
        "people": of_people.numpy(),
        "watched": watched.weights.numpy(),
        "watched_mean": watched.mean.numpy(),
    }, Fitted.of(curve)


def _supported(ratings: int) -> int:
    """How many factors so many ratings support: a curve through what is best for a fold of ml-100k and for ml-1m."""
    return int(np.clip(round(10 * (ratings / 80_000) ** 0.45), 4, 32))


def _state(users: "_Side", movies: "_Side", noise: float) -> dict[str, Tensor]:
    """What is kept of a sample, right after the users were drawn.

    Of a user the mean given the movies, which is what folding in their ratings gives. Of a movie what was drawn, which
    the users are folded in with, because the mean would hide how unsure it is; and the mean given the users of the
    sweep before, which is multiplied with the user in place of what was drawn. Given those users, the mean of a user
    now and a movie that this user did not rate are independent, so that the product has the same expectation and
    scatters less (Rao-Blackwell): fewer samples do.
    """
    watched, people = users.blocks
    return {
        "users": users.means.clone(),
        "movies": movies.vectors.T.contiguous(),
        "movie_means": movies.means.T.contiguous(),
        "user_mean": users.mean,
        "user_precision": users.precision,
        "watched_weights": watched.weights,
        "people_weights": people.weights,
        "noise": torch.tensor(noise),
        # Who has no ratings is as anybody whom the dataset does not have.
        "user_scatter": torch.cat([torch.where(users.known, users.scatter, 1.0), torch.ones(1)]),
        "movie_scatter": torch.where(movies.known, movies.scatter, 1.0),
    }


def _draw_noise(error: float, ratings: int, generator: Generator) -> float:
    """Draw the variance of a rating from its inverse gamma distribution; the prior counts as two ratings at 1."""
    shape = torch.tensor([(ratings + 2) / 2], dtype=torch.float64)
    return float((max(error, 0.0) + 2) / 2 / torch._standard_gamma(shape, generator=generator))


class _Steps:
    """The latent numbers behind the ratings, where the likelihood is an ordered probit (``models.ordinal``).

    They stand in the place of the stars, drawn anew after each sweep (Albert and Chib, Bayesian analysis of binary and
    polychotomous response data, 1993); everything else is drawn as if they were what was rated.
    """

    def __init__(self, ratings: Ratings, overall: float, by_user: Lists, by_movie: Lists) -> None:
        values, cuts = steps_of(ratings.stars if len(ratings) else np.asarray([overall], np.float32))
        self.overall, self.lists = overall, (by_user, by_movie)
        self.values, self.cuts = torch.from_numpy(values), torch.from_numpy(cuts).double()
        self.user, self.movie = torch.from_numpy(ratings.user), torch.from_numpy(ratings.movie)
        self.orders = [torch.argsort(rows, stable=True) for rows in (self.user, self.movie)]
        self.step = torch.from_numpy(np.searchsorted(values, ratings.stars))
        self.of_step = [torch.nonzero(self.step == step)[:, 0] for step in range(len(values))]
        if len(cuts) > 2:
            # Where they would be if all latent numbers together were normal: from halfway they take long to get there.
            share = torch.tensor([len(rows) for rows in self.of_step], dtype=torch.float64).cumsum(0)[:-1]
            depth = torch.special.ndtri(share / len(ratings))
            first, last = self.cuts[0].clone(), self.cuts[-1].clone()
            self.cuts = first + (last - first) * (depth - depth[0]) / (depth[-1] - depth[0])

    def state(self) -> dict[str, Tensor]:
        """What is kept of a sample."""
        return {"cuts": self.cuts.clone()}

    def expected(self, latent: Tensor, deviation: Tensor) -> Tensor:
        """The mean stars, see ``models.ordinal.expected``."""
        stars = self.values[:1] + torch.zeros_like(latent)
        for step, cut in zip(self.values.diff(), self.cuts.float(), strict=True):
            stars += step * torch.special.ndtr((latent - cut) / deviation)
        return stars

    def draw(self, users: "_Side", movies: "_Side", noise: float, generator: Generator) -> None:
        """Draw the cuts, then the latent numbers given them."""
        x, y = users.vectors.index_select(0, self.user), movies.vectors.index_select(0, self.movie)
        latent = (torch.linalg.vecdot(x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1] + self.overall).double()
        scatter = users.scatter.index_select(0, self.user) * movies.scatter.index_select(0, self.movie)
        deviation = (noise * scatter).sqrt().double()
        self._draw_cuts(latent, deviation, generator)
        low, high = (torch.special.ndtr((wall[self.step] - latent) / deviation) for wall in self._walls())
        share = low + (high - low) * torch.rand(latent.shape, generator=generator, dtype=torch.float64)
        # Far off there is nothing left of the distribution to draw from.
        drawn = latent + deviation * torch.special.ndtri(share.clamp(1e-12, 1 - 1e-12)) - self.overall
        for lists, order in zip(self.lists, self.orders, strict=True):
            lists.stars.copy_(drawn[order])

    def _walls(self) -> tuple[Tensor, Tensor]:
        """The cuts below and above each step."""
        end = torch.full((1,), torch.inf, dtype=torch.float64)
        return torch.cat([-end, self.cuts]), torch.cat([self.cuts, end])

    def _draw_cuts(self, latent: Tensor, deviation: Tensor, generator: Generator) -> None:
        """Move each cut but the first and the last by a step of Metropolis, the latent numbers integrated out.

        Given the latent numbers a cut could hardly move between its two neighbours (Cowles, Accelerating Monte Carlo
        Markov chain convergence for cumulative-link generalized linear models, 1996).
        """
        for place in range(1, len(self.cuts) - 1):
            rows = torch.cat(self.of_step[place : place + 2])
            f, d, step = latent[rows], deviation[rows], self.step[rows]
            away = torch.randn(1, generator=generator, dtype=torch.float64)[0] * 1.5 / len(rows) ** 0.5
            moved = self.cuts.clone()
            moved[place] += away
            chance = torch.rand(1, generator=generator, dtype=torch.float64)[0].log()
            if not self.cuts[place - 1] < moved[place] < self.cuts[place + 1]:
                continue
            likely = []
            for cuts in (self.cuts, moved):
                low, high = cuts[step - 1], cuts[step.clamp_max(len(cuts) - 1)]
                high = torch.where(step == len(cuts), torch.inf, high)
                share = torch.special.ndtr((high - f) / d) - torch.special.ndtr((low - f) / d)
                likely.append(share.clamp_min(1e-300).log().sum())
            if chance < likely[1] - likely[0]:
                self.cuts = moved


class _Watch:
    """The mean squared error of some ratings, by the mean of all samples since it was begun afresh."""

    def __init__(self, ratings: Ratings, train: Dataset, overall: float, steps: _Steps | None) -> None:
        self.ratings, self.scale, self.overall, self.steps = ratings, train.scale, overall, steps
        self.sum = torch.zeros(len(ratings))
        self.samples = 0

    def __call__(self, users: "_Side", movies: "_Side", noise: float, afresh: bool) -> float:
        if afresh:
            self.sum.zero_()
            self.samples = 0
        user, movie = torch.from_numpy(self.ratings.user), torch.from_numpy(self.ratings.movie)
        x, y = users.means.index_select(0, user), movies.means.index_select(0, movie)
        stars = torch.linalg.vecdot(x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1] + self.overall
        if self.steps:
            scatter = users.scatter.index_select(0, user) * movies.scatter.index_select(0, movie)
            stars = self.steps.expected(stars, (noise * scatter).sqrt())
        self.sum += stars
        self.samples += 1
        error = (self.sum / self.samples).clamp(self.scale.low, self.scale.high) - torch.from_numpy(self.ratings.stars)
        return float(error.square().sum(dtype=torch.float64)) / max(1, len(self.ratings))


@dataclass(frozen=True)
class _Bag:
    """The implicit features: which movies a user rated (or who rated a movie), whatever the stars.

    A row is 1 over the square root of the number of ratings for each of them, taken along its most common directions
    only: with all of them held-out ratings of ml-100k are predicted worse, 0.875 instead of 0.872, and no sooner.
    """

    design: Tensor
    """Shape (rows, directions): off the mean of the rows with ratings, which is what stands for no ratings."""
    weights: Tensor
    """What the other side's entries bring to each direction, shape (others, directions)."""
    mean: Tensor
    """Shape (directions,)."""

    @classmethod
    def of(cls, lists: Lists, others: Lists, directions: int, generator: Generator) -> "_Bag":
        """Find the directions by subspace iteration (Halko, Martinsson and Tropp 2011)."""
        counts, total = lists.starts.diff(), len(others.starts) - 1
        roots = counts.clamp_min(1).sqrt()[:, None]
        width = min(directions + SLACK, total) if directions else 0
        weights = torch.linalg.qr(torch.randn(total, width, generator=generator))[0]
        for _ in range(POWERS if directions else 0):
            weights = bags(others.others, bags(lists.others, weights, lists.starts) / roots**2, others.starts)
            weights = torch.linalg.qr(weights)[0]
        design = bags(lists.others, weights, lists.starts) / roots
        known = counts > 0
        mean = design[known].mean(0) if known.any() else design.new_zeros(width)
        design = torch.where(known[:, None], design - mean, 0.0)
        turn = _turn(design)[:, :directions]
        return cls((design @ turn).contiguous(), (weights @ turn).contiguous(), mean @ turn)


def _turn(design: Tensor) -> Tensor:
    """The directions in which the columns of a design do not depend on each other, the strongest first."""
    squares, turn = torch.linalg.eigh(design.double().T @ design.double())
    strong = squares > FLAT * squares.max() if len(squares) and squares.max() > 0 else squares > 0
    found: Tensor = turn[:, strong].flip(1).float()
    return found


def _turned(table: Floats, lists: Lists) -> Tensor:
    """Features in the basis where their columns do not depend on each other over those with ratings."""
    features = torch.from_numpy(table)
    return features @ _turn(features[:-1][lists.starts.diff() > 0])


class _Block:
    """Some features of a side and how they move its vectors: a regression with normal weights."""

    def __init__(self, design: Tensor, known: Tensor, size: int) -> None:
        self.design = design.contiguous()
        self.learned = torch.where(known[:, None], design, 0.0)
        """The design of those with ratings: nothing is learned from the others."""
        self.squares = self.learned.square().sum(0)[:, None]
        self.weights = torch.zeros(design.shape[1], size)
        """Shape (features, size)."""
        self.fitted = torch.zeros(len(design), size)
        """Shape (rows, size)."""
        self.precision = torch.eye(size) / WEIGHT
        """Of the prior of a feature's weights, around zero."""

    def draw(self, rest: Tensor, precision: Tensor, generator: Generator) -> None:
        """Draw the weights, given what is left to them of the vectors and the precision of that.

        In coordinates where the precision of the vectors is one and that of the prior diagonal, and with a design
        whose columns are orthogonal, each weight has a normal distribution of its own.
        """
        if not self.design.shape[1]:
            return
        inverse = torch.linalg.inv(torch.linalg.cholesky(precision))
        prior, turn = torch.linalg.eigh(inverse @ self.precision @ inverse.T)
        back = turn.T @ inverse
        total = self.squares + prior
        mean = self.learned.T @ rest @ torch.linalg.inv(back) / total
        self.weights = (mean + torch.randn(mean.shape, generator=generator) / total.sqrt()) @ back
        self.fitted = self.design @ self.weights
        self.precision = _draw_precision(self.weights, WEIGHT, generator)


class _Side:
    """All users, or all movies: vectors of factors and, last, a bias, and the normal distribution that they have."""

    def __init__(self, lists: Lists, designs: Sequence[Tensor], size: int) -> None:
        total = len(lists.starts) - 1
        self.lists = lists
        self.known = lists.starts.diff() > 0
        self.blocks = [_Block(design, self.known, size) for design in designs]
        self.vectors = torch.zeros(total, size)
        """As last drawn."""
        self.means = torch.zeros(total + 1, size)
        """What they were drawn around, and last the mean of somebody of whom nothing is known."""
        self.mean = torch.zeros(size)
        self.precision = torch.eye(size) / SPREAD
        self.scatter = torch.ones(total)
        """How far the ratings of each row lie from what is expected: the variance, over the average one."""
        self.errors = torch.zeros(total)
        """The squared errors of each row's ratings by the vectors as last drawn, each over the other side's scatter."""

    def expected(self) -> Tensor:
        """The mean of the vectors' prior, by their features."""
        return self.mean + torch.stack([block.fitted for block in self.blocks]).sum(0)

    def draw(self, other: "_Side", noise: float, generator: Generator) -> None:
        """Draw the vectors given the other side's, and see how far the ratings are from what they give.

        A rating has the variance ``noise`` times the scatter of its user and of its movie.
        """
        size = self.vectors.shape[1]
        upper, whole = _packing(size)
        design = other.vectors.clone()
        design[:, -1] = 1.0
        bias = other.vectors[:, -1:]
        products = (design[:, :, None] * design[:, None, :]).flatten(1).index_select(1, upper)
        sure = 1 / other.scatter[:, None]
        table = torch.cat([products, design * bias, bias**2], 1) * sure
        given = torch.cat([design, bias], 1) * sure
        pull = self.expected() @ self.precision
        self.means[-1] = self.mean
        for first in range(0, len(self.vectors), BLOCK):
            block = slice(first, first + BLOCK)
            starts = self.lists.starts[first : first + BLOCK + 1]
            inside = slice(int(starts[0]), int(starts[-1]))
            others, starts = self.lists.others[inside], starts - starts[0]
            stars = self.lists.stars[inside]
            sums = bags(others, table, starts)
            weighed = bags(others, given, starts, stars)
            squares = bags(others, sure, starts, stars**2)[:, 0]
            gram = sums.index_select(1, whole).view(len(sums), size, size)
            right = weighed[:, :size] - sums[:, len(upper) : -1]
            own = noise * self.scatter[block, None]
            lower = torch.linalg.cholesky(gram / own[:, :, None] + self.precision)
            half = torch.linalg.solve_triangular(lower, (right / own + pull[block])[:, :, None], upper=False)
            # With and without the scatter, side by side.
            half = torch.cat([half, half + torch.randn(half.shape, generator=generator)], 2)
            found = torch.linalg.solve_triangular(lower.mT, half, upper=True)
            self.means[:-1][block], vectors = found[:, :, 0], found[:, :, 1].contiguous()
            self.vectors[block] = vectors
            quadratic = ((gram @ vectors[:, :, None])[:, :, 0] - 2 * right) * vectors
            self.errors[block] = (quadratic.sum(1) + sums[:, -1] - 2 * weighed[:, -1] + squares).clamp_min(0)

    def learn(self, noise: float, generator: Generator) -> None:
        """Draw the mean and the precision of the vectors around their features, then the features' weights; and the
        scatter of each row.

        From those with ratings: the others know nothing but what they were drawn from. The mean and the precision
        have a normal-Wishart prior (Salakhutdinov and Mnih, Bayesian probabilistic matrix factorization, 2008), the
        scatter an inverse gamma one that counts as ``2 EVEN`` ratings of average scatter.
        """
        degrees = EVEN + self.lists.starts.diff() / 2
        self.scatter = (EVEN + self.errors / (2 * noise)) / torch._standard_gamma(degrees, generator=generator)
        fitted = self.expected() - self.mean
        rest = (self.vectors - fitted)[self.known].double()
        many, size = rest.shape
        centre = rest.sum(0) / (many + 1)
        away = torch.cat([rest - centre, centre[None]])  # the prior is one more vector, at zero
        self.precision = _draw_precision(away.float(), SPREAD, generator)
        scatter = torch.linalg.cholesky(self.precision.double() * (many + 1))
        normal = torch.randn(size, 1, generator=generator, dtype=torch.float64)
        self.mean = (centre + torch.linalg.solve_triangular(scatter.T, normal, upper=True)[:, 0]).float()
        for block in self.blocks:
            block.draw(self.vectors - self.expected() + block.fitted, self.precision, generator)


def _packing(size: int) -> tuple[Tensor, Tensor]:
    """Which entries of a symmetric matrix, row by row, to pack, and where each entry lies in what was packed."""
    rows, columns = torch.triu_indices(size, size)
    whole = torch.empty(size, size, dtype=torch.int64)
    whole[rows, columns] = whole[columns, rows] = torch.arange(len(rows))
    return rows * size + columns, whole.flatten()


def _draw_precision(vectors: Tensor, spread: float, generator: Generator) -> Tensor:
    """Draw the precision of vectors around zero from its Wishart distribution, by Bartlett's decomposition.

    The prior counts as so many vectors as they have entries and one more, with the variance ``spread``.
    """
    many, size = vectors.shape
    weight = size + 1
    squares = vectors.double().T @ vectors.double() + spread * weight * torch.eye(size, dtype=torch.float64)
    freedom = (many + weight - torch.arange(size, dtype=torch.float64)) / 2
    lower = torch.randn(size, size, generator=generator, dtype=torch.float64).tril(-1)
    lower += torch.diag((2 * torch._standard_gamma(freedom, generator=generator)).sqrt())
    root = torch.linalg.solve_triangular(torch.linalg.cholesky(squares).T, lower, upper=True)
    found: Tensor = (root @ root.T).float()
    return found
