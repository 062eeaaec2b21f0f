"""The fit of ``Bayes`` by Gibbs sampling. This module imports torch, so other modules import it only inside functions.

A user's or movie's whole vector is drawn at once: given the movies' vectors, a user's factors and bias are jointly
normal. A sweep draws every movie, and then every user, with one Cholesky factorisation each. The prior mean of these
vectors is a regression on features; given the vectors, its weights are drawn without using ratings (side information as
in Simm et al., Macau, 2015). The Gram matrix of the features never changes, and in the basis of its eigenvectors all
directions of the regression are independent.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from movietui.data.dataset import Dataset, Floats, Ratings
from movietui.data.samples import evenly_spread
from movietui.models.base import Epoch, Fitted, Parameters, Progress
from movietui.models.bayes import BayesSettings, sitting_keys, sitting_rows, sitting_users
from movietui.models.ordinal import values_and_cuts
from movietui.models.side_features import of_movies, of_users
from movietui.models.training.mf import Lists, bags
from movietui.models.training.resume import State, next_state
from movietui.models.training.threads import for_each

SPREAD = 0.05
"""The prior variance of an entry of a vector."""
WEIGHT = 0.01
"""The prior variance of a weight of the regression."""
LEVEL = 0.05
"""The prior variance of the level of a user's sitting."""
SCATTER_PRIOR = 8.0
"""The strength of the prior that all users and movies scatter alike; it was chosen in the same way as the settings. On
the validation parts of ml-100k, the rmse is 0.8699, and 0.8754 if all scatter alike."""
TRAIN_LOSS_RATINGS = 10_000
"""The maximum number of ratings, evenly spread, from which the training error is estimated."""
MOVIES_OF_ALL_SAMPLES = 20_000
"""With more movies than this, fewer samples are stored than the settings ask for."""
FEWEST_SAMPLES = 8
START = 0.3
"""The root mean square of the users' initial factors."""
START_POWERS = 4
"""How many iterations find the users' initial factors."""
START_DAMPING = 15.0
"""How many ratings without a residual are added to those of each movie and user, before their means are subtracted to
find the initial factors."""
POWERS = 8
"""How many iterations find the most common directions of implicit feedback."""
SLACK = 16
"""How many directions are computed in addition to those used."""
NARROW = 20
"""Up to this width of a table, it is faster to sum the products of its rows than to multiply each list."""
BLOCK = 1024
"""How many rows are drawn at once, by a single thread."""
NARROW_BLOCK = 16_384
"""How many rows are drawn at once if the table is narrow: its products are then computed once for each block."""
RATINGS_AT_ONCE = 16_384
"""How many ratings, with their padding, are multiplied at once: about as many as fit in the processor's cache."""
DIRECTION_RATINGS = 4_000_000
"""About how many ratings the directions of implicit feedback are computed from. All of the 32 million ratings of
ml-32m would take eight times as long and hardly change the directions."""
SAVING_SHARE = 0.03
"""At most about this share of the time is spent on saving the state of the sampler, from which it can resume."""
LARGEST_STATE = 1 << 28
"""In bytes: a larger state is not saved, because it is in memory twice while it is written."""
FLAT = 1e-4
"""Directions of the features are dropped if their eigenvalue is less than this share of the largest."""


def fit(
    train: Dataset, validation: Ratings | None, settings: BayesSettings, seed: int, progress: Progress
) -> tuple[Parameters, Fitted]:
    """Draw ``sweeps`` samples of the posterior, and return up to ``samples`` of those after the burn-in.

    Inside ``movietui.models.training.resume.resumable``, a fit that an exception ended resumes after its last complete
    sweep, and one whose process was killed after the last saved sweep. ``progress`` is called again for the earlier
    sweeps.
    """
    ratings, scale = train.ratings, train.scale
    factors = settings.factors or supported_factors(len(ratings))
    size = factors + 1
    generator = torch.Generator().manual_seed(seed)
    overall = float(ratings.stars.mean(dtype=np.float64)) if len(ratings) else (scale.low + scale.high) / 2
    stars = torch.from_numpy(ratings.stars - np.float32(overall))
    user, movie = torch.from_numpy(ratings.user), torch.from_numpy(ratings.movie)
    by_movie = Lists.of(movie, user, stars, len(train.movies))
    sittings = (
        Sittings(ratings, stars, by_movie, len(train.users), settings.sitting)
        if settings.sitting and ratings.time.any()
        else None
    )
    by_user = sittings.by_user if sittings else Lists.of(user, movie, stars, len(train.users))
    watched = ImplicitFeedback.of(by_user, by_movie, settings.implicit * factors, generator)
    watchers = ImplicitFeedback.of(by_movie, by_user, settings.implicit * factors, generator)
    user_features = of_users(train.users)
    movie_features = of_movies(train.movies, settings.tags, settings.imdb)
    if not settings.features:
        user_features, movie_features = user_features[:, :0], movie_features[:, :0]
    user_design, movie_design = decorrelated(user_features, by_user), decorrelated(movie_features, by_movie)
    users = Side(by_user, [watched.design, user_design[:-1]], size, sittings)
    movies = Side(sittings.without_levels if sittings else by_movie, [watchers.design, movie_design[:-1]], size)
    unrated = Unrated(movie_design[:-1], movies, torch.Generator().manual_seed(seed + 1))
    users.vectors[:, :-1] = START * first_factors(by_user, by_movie, factors, generator)
    noise = 1.0
    warm_up, stored = _warm_up(settings), stored_sweeps(settings, len(train.movies))
    samples: list[dict[str, Tensor]] = []
    steps = _LatentStars(ratings, overall, by_user, by_movie, sittings) if settings.ordinal else None
    validation_loss = _Loss(validation, train, overall, steps, sittings) if validation is not None else None
    some_ratings = evenly_spread(len(ratings), TRAIN_LOSS_RATINGS)
    train_loss = _Loss(ratings.take(some_ratings), train, overall, steps, sittings)
    curve: list[Epoch] = []
    losses = [loss for loss in (train_loss, validation_loss) if loss is not None]
    chain = _Chain(next_state(), (users, movies), unrated, steps, losses, generator)
    if (saved := chain.resume()) is not None:
        noise, curve, samples = saved
    for epoch in curve:
        progress(epoch)
    try:
        for number in range(len(curve) + 1, settings.sweeps + 1):
            if sittings:
                sittings.subtract_levels()
            movies.draw(users, noise, generator)
            # After the burn-in, in which its regression converges, it is drawn only where something reads it.
            if number <= warm_up or number in stored or validation_loss:
                unrated.draw()
            movies.learn(noise, generator)
            noise = draw_noise(float((movies.errors / movies.scatter).sum()), len(ratings), generator)
            users.draw(movies, noise, generator)
            if number in stored:
                samples.append(state_of(users, movies, noise) | (steps.state() if steps else {}))
            reset = number <= warm_up + 1
            held_out = validation_loss(users, movies, noise, reset) if validation_loss else None
            error = train_loss(users, movies, noise, reset)
            users.learn(noise, generator)
            if steps:
                steps.draw(users, movies, noise, generator)
            curve.append(Epoch(number, settings.sweeps, error, held_out))
            chain.keep(noise, curve, samples)
            progress(curve[-1])
    finally:
        chain.write()
    # Popped, so that only one array at a time is in memory twice.
    stacked = {name: torch.stack([each.pop(name) for each in samples]).numpy() for name in list(samples[0])}
    return {
        **stacked,
        **({"values": steps.values.numpy()} if steps else {}),
        "overall": np.asarray(overall),
        "people": user_design.numpy(),
        "watched": watched.weights.numpy(),
        "watched_mean": watched.mean.numpy(),
        "sittings": sittings.keys if sittings else np.empty(0, np.int64),
    }, Fitted.of(curve)


def first_factors(by_user: Lists, by_movie: Lists, factors: int, generator: Generator) -> Tensor:
    """Return factors of the users to start from, with a mean square of 1, shape (users, factors).

    They are the strongest directions in which users differ, once the movies' and the users' mean ratings are
    subtracted, found by subspace iteration. From random factors, the sampler would need about ten more sweeps for the
    same error (validation parts of ml-100k).
    """
    users, movies = len(by_user.starts) - 1, len(by_movie.starts) - 1
    start = torch.randn(users, factors, generator=generator)
    width = min(factors, users, movies)
    if not width or not len(by_user.stars):
        return start
    sampled, of_sampled = _sampled(by_user, by_movie, generator)
    movie_means = _damped_means(of_sampled, of_sampled.stars)
    user_means = _damped_means(sampled, sampled.stars - movie_means[sampled.others])
    of_movie = of_sampled.stars - user_means[of_sampled.others] - movie_means[_rows_of(of_sampled)]
    of_user = sampled.stars - movie_means[sampled.others] - user_means[_rows_of(sampled)]
    y = torch.linalg.qr(torch.randn(movies, width, generator=generator))[0].contiguous()
    for _ in range(START_POWERS):
        x = bags(sampled.others, y, sampled.starts, of_user)
        y = torch.linalg.qr(bags(of_sampled.others, x, of_sampled.starts, of_movie))[0].contiguous()
    residuals = by_user.stars - movie_means[by_user.others]
    residuals -= _damped_means(by_user, residuals)[_rows_of(by_user)]
    start[:, :width] = torch.linalg.qr(bags(by_user.others, y, by_user.starts, residuals))[0] * users**0.5
    return start


def _rows_of(lists: Lists) -> Tensor:
    """Return the list of each rating, int32, shape (ratings,)."""
    return torch.repeat_interleave(torch.arange(len(lists.starts) - 1, dtype=torch.int32), lists.starts.diff())


def _damped_means(lists: Lists, values: Tensor) -> Tensor:
    """Return the mean of the values of each list, damped by ``START_DAMPING``."""
    totals = values.new_zeros(len(lists.starts) - 1).index_add_(0, _rows_of(lists), values)
    return totals / (lists.starts.diff() + START_DAMPING)


def _warm_up(settings: BayesSettings) -> int:
    """Return how many sweeps are discarded as burn-in."""
    return min(int(settings.sweeps * settings.warm_up), settings.sweeps - 1)


def stored_sweeps(settings: BayesSettings, movies: int) -> set[int]:
    """Return the numbers, from 1, of the sweeps whose samples are stored."""
    warm_up = _warm_up(settings)
    number_of_samples = min(samples_for(settings.samples, movies), settings.sweeps - warm_up)
    return set(np.linspace(settings.sweeps, warm_up + 1, number_of_samples).astype(int).tolist())


def samples_for(samples: int, movies: int) -> int:
    """Return how many of ``samples`` samples are stored for this many movies.

    With more than ``MOVIES_OF_ALL_SAMPLES`` movies, there are fewer, because a list takes time and memory proportional
    to samples times movies; but at least ``FEWEST_SAMPLES``, if that many were asked for.

    >>> [samples_for(32, movies) for movies in (4_000, 40_000, 90_000)]
    [32, 16, 8]
    >>> samples_for(4, 90_000)
    4
    """
    enough = min(samples, FEWEST_SAMPLES)
    return max(enough, round(samples * min(1.0, MOVIES_OF_ALL_SAMPLES / max(movies, 1))))


def supported_factors(ratings: int) -> int:
    """Return the number of factors that this many ratings support: a curve through the best numbers for a fold of
    ml-100k and for ml-1m."""
    return int(np.clip(round(10 * (ratings / 80_000) ** 0.45), 4, 32))


def state_of(users: "Side", movies: "Side", noise: float) -> dict[str, Tensor]:
    """Return the stored part of a sample, right after the users were drawn.

    For a user, this is the mean given the movies, which is exactly what folding in their ratings gives. For a movie, it
    is two vectors. Viewers are folded in with the drawn one, because a mean would hide the movie's uncertainty. For
    predictions, a user is multiplied with the movie's mean given the users of the previous sweep: given those users,
    the user's current mean and a movie that they did not rate are independent, so the product has the same expectation
    as with the drawn vector, but less variance (Rao-Blackwell). Fewer samples therefore suffice.
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
        "sitting_levels": users.sittings.means.clone() if users.sittings else torch.zeros(1),
        "sitting_variance": users.sittings.variance if users.sittings else torch.tensor(0.0),
        # A user without ratings is like a viewer who is not in the dataset.
        "user_scatter": torch.cat([torch.where(users.known, users.scatter, 1.0), torch.ones(1)]),
        "movie_scatter": torch.where(movies.known, movies.scatter, 1.0),
    }


class _Chain:
    """The state of the sampler between two sweeps, which is saved now and then, and if the fit is interrupted."""

    def __init__(
        self,
        state: State | None,
        sides: "tuple[Side, Side]",
        unrated: "Unrated",
        steps: "_LatentStars | None",
        losses: "Sequence[_Loss]",
        generator: Generator,
    ) -> None:
        self._state, self._steps, self._losses = state, steps, losses
        self._generators = (generator, unrated.generator)
        self._blocks = [*sides[0].blocks, *sides[1].blocks, unrated.block]
        self._sides = sides
        self._next_save = time.monotonic()
        self._latest: tuple[dict[str, object], list[Epoch], dict[str, Tensor]] | None = None

    def resume(self) -> tuple[float, list[Epoch], list[dict[str, Tensor]]] | None:
        """Restore the saved state. Return the noise, the curve and the samples so far; ``None`` without such a state,
        and then nothing has changed."""
        saved = self._state.read() if self._state else None
        if saved is None:
            return None
        assert self._state is not None
        facts, curve, tensors = saved
        current = self._tensors()
        if {name: value.shape for name, value in tensors.items() if not name.startswith("sample.")} != {
            name: value.shape for name, value in current.items()
        }:
            return None  # the state is that of another version's sampler
        for prefix, holder, names in self._places():
            for name in names:
                setattr(holder, name, tensors[f"{prefix}.{name}"])
        for index, generator in enumerate(self._generators):
            generator.set_state(tensors[f"generator.{index}"])
        for loss, samples in zip(self._losses, facts["losses"], strict=True):
            loss.samples = samples
        if self._steps:
            for index, lists in enumerate(self._steps.lists):
                lists.stars.copy_(tensors[f"latent.{index}"])
        self._state.say_resumed(curve[-1])
        collected: list[dict[str, Tensor]] = [{} for _ in range(facts["samples"])]
        for name, value in tensors.items():
            if name.startswith("sample."):
                _, index_text, field = name.split(".", 2)
                collected[int(index_text)][field] = value
        return facts["noise"], curve, collected

    def keep(self, noise: float, curve: Sequence[Epoch], samples: Sequence[dict[str, Tensor]]) -> None:
        """Keep the state after a sweep, so that ``write`` can save it even in the middle of the next; save it now and
        then."""
        if self._state is None:
            return
        began = time.monotonic()
        tensors = self._tensors()
        for index, sample in enumerate(samples):
            tensors |= {f"sample.{index}.{name}": value for name, value in sample.items()}
        if sum(value.nbytes for value in tensors.values()) > LARGEST_STATE:
            return
        facts = {"noise": noise, "losses": [loss.samples for loss in self._losses], "samples": len(samples)}
        self._latest = facts, list(curve), tensors
        if began >= self._next_save:
            self.write()
            self._next_save = time.monotonic() + (time.monotonic() - began) / SAVING_SHARE

    def write(self) -> None:
        """Save the state that was kept last, unless it is saved already."""
        if self._state is not None and self._latest is not None:
            self._state.write(*self._latest)
            self._latest = None

    def _places(self) -> list[tuple[str, object, tuple[str, ...]]]:
        """Return a name for each object that changes in a sweep, the object, and the names of its tensors."""
        return [
            *(
                (f"side.{i}", side, ("vectors", "means", "mean", "precision", "scatter", "errors"))
                for i, side in enumerate(self._sides)
            ),
            *((f"block.{i}", block, ("weights", "fitted", "precision")) for i, block in enumerate(self._blocks)),
            *((f"loss.{i}", loss, ("sum",)) for i, loss in enumerate(self._losses)),
            *(
                [("sittings", self._sides[0].sittings, ("levels", "means", "variance"))]
                if self._sides[0].sittings
                else []
            ),
            *([("steps", self._steps, ("cuts",))] if self._steps else []),
        ]

    def _tensors(self) -> dict[str, Tensor]:
        # Copies, because a sample may hold the same tensors, and no two tensors of a file may share memory.
        tensors: dict[str, Tensor] = {
            f"{prefix}.{name}": getattr(each, name).clone() for prefix, each, names in self._places() for name in names
        }
        tensors |= {f"generator.{i}": each.get_state() for i, each in enumerate(self._generators)}
        if self._steps:
            tensors |= {f"latent.{i}": lists.stars for i, lists in enumerate(self._steps.lists)}
        return tensors


def draw_noise(error: float, ratings: int, generator: Generator) -> float:
    """Draw the variance of a rating from its inverse gamma distribution; the prior counts as two ratings with
    variance 1."""
    shape = torch.tensor([(ratings + 2) / 2], dtype=torch.float64)
    return float((max(error, 0.0) + 2) / 2 / torch._standard_gamma(shape, generator=generator))


class _LatentStars:
    """The latent numbers behind the ratings, if the likelihood is an ordered probit (``movietui.models.ordinal``).

    They replace the stars and are drawn again after each sweep (Albert and Chib, Bayesian analysis of binary and
    polychotomous response data, 1993); everything else is drawn as if they were the ratings.
    """

    def __init__(
        self, ratings: Ratings, overall: float, by_user: Lists, by_movie: Lists, sittings: "Sittings | None"
    ) -> None:
        values, cuts = values_and_cuts(ratings.stars if len(ratings) else np.asarray([overall], np.float32))
        self.overall, self.lists, self.sittings = overall, (by_user, by_movie), sittings
        self.values, self.cuts = torch.from_numpy(values), torch.from_numpy(cuts).double()
        self.user, self.movie = torch.from_numpy(ratings.user), torch.from_numpy(ratings.movie)
        self.orders = [
            torch.argsort(rows, stable=True) for rows in (sittings.of_ratings if sittings else self.user, self.movie)
        ]
        self.step = torch.from_numpy(np.searchsorted(values, ratings.stars))
        self.of_step = [torch.nonzero(self.step == step)[:, 0] for step in range(len(values))]
        if len(cuts) > 2:
            # Start with the cuts for a single normal distribution of all latent numbers: cuts halfway between the stars
            # would take long to converge.
            share = torch.tensor([len(rows) for rows in self.of_step], dtype=torch.float64).cumsum(0)[:-1]
            depth = torch.special.ndtri(share / len(ratings))
            first, last = self.cuts[0].clone(), self.cuts[-1].clone()
            self.cuts = first + (last - first) * (depth - depth[0]) / (depth[-1] - depth[0])

    def state(self) -> dict[str, Tensor]:
        """Return the stored part of a sample."""
        return {"cuts": self.cuts.clone()}

    def expected(self, latent: Tensor, deviation: Tensor) -> Tensor:
        """Return the expected stars; see ``movietui.models.ordinal.expected``."""
        stars = self.values[:1] + torch.zeros_like(latent)
        for step, cut in zip(self.values.diff(), self.cuts.float(), strict=True):
            stars += step * torch.special.ndtr((latent - cut) / deviation)
        return stars

    def draw(self, users: "Side", movies: "Side", noise: float, generator: Generator) -> None:
        """Draw the cuts, then the latent numbers given them."""
        x, y = users.vectors.index_select(0, self.user), movies.vectors.index_select(0, self.movie)
        latent = (torch.linalg.vecdot(x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1] + self.overall).double()
        if self.sittings:
            latent += self.sittings.levels.index_select(0, self.sittings.of_ratings)
        scatter = users.scatter.index_select(0, self.user) * movies.scatter.index_select(0, self.movie)
        deviation = (noise * scatter).sqrt().double()
        self._draw_cuts(latent, deviation, generator)
        low, high = (torch.special.ndtr((bound[self.step] - latent) / deviation) for bound in self._bounds())
        share = low + (high - low) * torch.rand(latent.shape, generator=generator, dtype=torch.float64)
        # Clamped, because in the tails the share rounds to 0 or 1.
        drawn = latent + deviation * torch.special.ndtri(share.clamp(1e-12, 1 - 1e-12)) - self.overall
        for lists, order in zip(self.lists, self.orders, strict=True):
            lists.stars.copy_(drawn[order])

    def _bounds(self) -> tuple[Tensor, Tensor]:
        """Return the cuts below and above each step."""
        end = torch.full((1,), torch.inf, dtype=torch.float64)
        return torch.cat([-end, self.cuts]), torch.cat([self.cuts, end])

    def _draw_cuts(self, latent: Tensor, deviation: Tensor, generator: Generator) -> None:
        """Move each cut, except the first and the last, by a Metropolis step with the latent numbers integrated out.

        Given the latent numbers, a cut could hardly move, because it lies between the two nearest of them (Cowles,
        Accelerating Monte Carlo Markov chain convergence for cumulative-link generalized linear models, 1996).
        """
        for index in range(1, len(self.cuts) - 1):
            rows = torch.cat(self.of_step[index : index + 2])
            f, d, step = latent[rows], deviation[rows], self.step[rows]
            step_size = torch.randn(1, generator=generator, dtype=torch.float64)[0] * 1.5 / len(rows) ** 0.5
            proposed = self.cuts.clone()
            proposed[index] += step_size
            threshold = torch.rand(1, generator=generator, dtype=torch.float64)[0].log()
            if not self.cuts[index - 1] < proposed[index] < self.cuts[index + 1]:
                continue
            likelihoods = []
            for cuts in (self.cuts, proposed):
                low, high = cuts[step - 1], cuts[step.clamp_max(len(cuts) - 1)]
                high = torch.where(step == len(cuts), torch.inf, high)
                share = torch.special.ndtr((high - f) / d) - torch.special.ndtr((low - f) / d)
                likelihoods.append(share.clamp_min(1e-300).log().sum())
            if threshold < likelihoods[1] - likelihoods[0]:
                self.cuts = proposed


class _Loss:
    """The mean squared error on some ratings, predicted by the mean of all samples since the last reset, with the
    levels of their sittings."""

    def __init__(
        self, ratings: Ratings, train: Dataset, overall: float, steps: _LatentStars | None, sittings: "Sittings | None"
    ) -> None:
        self.ratings, self.scale, self.overall, self.steps = ratings, train.scale, overall, steps
        self.sittings = sittings
        self.sitting = torch.from_numpy(sittings.rows_of(ratings)) if sittings else None
        self.sum = torch.zeros(len(ratings))
        self.samples = 0

    def __call__(self, users: "Side", movies: "Side", noise: float, reset: bool) -> float:
        if reset:
            self.sum.zero_()
            self.samples = 0
        user, movie = torch.from_numpy(self.ratings.user), torch.from_numpy(self.ratings.movie)
        x, y = users.means.index_select(0, user), movies.means.index_select(0, movie)
        stars = torch.linalg.vecdot(x[:, :-1], y[:, :-1]) + x[:, -1] + y[:, -1] + self.overall
        if self.sittings and self.sitting is not None:
            stars += self.sittings.means[self.sitting]
        if self.steps:
            scatter = users.scatter.index_select(0, user) * movies.scatter.index_select(0, movie)
            stars = self.steps.expected(stars, (noise * scatter).sqrt())
        self.sum += stars
        self.samples += 1
        error = (self.sum / self.samples).clamp(self.scale.low, self.scale.high) - torch.from_numpy(self.ratings.stars)
        return float(error.square().sum(dtype=torch.float64)) / max(1, len(self.ratings))


@dataclass(frozen=True)
class ImplicitFeedback:
    """Implicit features: which movies a user rated (or which users rated a movie), regardless of the stars.

    A row has ``1 / sqrt(n)`` for each of its ``n`` ratings and 0 elsewhere, and is projected on the most common
    directions of all rows. With all directions, the rmse on held-out ratings of ml-100k is higher (0.875 instead of
    0.872), and the fit is no faster.
    """

    design: Tensor
    """Shape (rows, directions): centred on the mean of the rows with ratings, which also represents a row without
    ratings."""
    weights: Tensor
    """The other side's contribution to each direction, shape (others, directions)."""
    mean: Tensor
    """Shape (directions,)."""

    @classmethod
    def of(cls, lists: Lists, others: Lists, directions: int, generator: Generator) -> "ImplicitFeedback":
        """Compute the directions by subspace iteration (Halko, Martinsson and Tropp 2011), over all rows or, if these
        have more than ``DIRECTION_RATINGS`` ratings, over a random sample of them."""
        counts, total = lists.starts.diff(), len(others.starts) - 1
        roots = counts.clamp_min(1).sqrt()[:, None]
        width = min(directions + SLACK, total) if directions else 0
        weights = torch.linalg.qr(torch.randn(total, width, generator=generator))[0].contiguous()
        sampled, of_sampled = _sampled(lists, others, generator)
        lengths = sampled.starts.diff().clamp_min(1).sqrt()[:, None] ** 2
        for _ in range(POWERS if directions else 0):
            means = bags(sampled.others, weights, sampled.starts) / lengths
            weights = bags(of_sampled.others, means, of_sampled.starts)
            weights = torch.linalg.qr(weights)[0].contiguous()  # because sums over lists read whole rows
        design = bags(lists.others, weights, lists.starts) / roots
        known = counts > 0
        mean = design[known].mean(0) if known.any() else design.new_zeros(width)
        design = torch.where(known[:, None], design - mean, 0.0)
        rotation = _decorrelating(design)[:, :directions]
        return cls((design @ rotation).contiguous(), (weights @ rotation).contiguous(), mean @ rotation)


def _sampled(lists: Lists, others: Lists, generator: Generator) -> tuple[Lists, Lists]:
    """Return a random sample of the lists with about ``DIRECTION_RATINGS`` ratings, and the same ratings in a list for
    each of the others. If there are no more ratings than that, return the two arguments."""
    ratings, total = len(lists.others), len(lists.starts) - 1
    if ratings <= DIRECTION_RATINGS:
        return lists, others
    chosen = torch.rand(total, generator=generator) < DIRECTION_RATINGS / ratings
    row = _rows_of(lists)
    inside = chosen[row]
    row, other, stars = (
        (chosen.cumsum(0, dtype=torch.int32) - 1)[row[inside]],
        lists.others[inside],
        lists.stars[inside],
    )
    return Lists.of(row, other, stars, int(chosen.sum())), Lists.of(other, row, stars, len(others.starts) - 1)


def _decorrelating(design: Tensor) -> Tensor:
    """Return the directions in which the columns of a design are uncorrelated, the strongest first."""
    return decorrelating(design.double().T @ design.double())


def decorrelating(gram: Tensor) -> Tensor:
    """Return the directions in which columns with this Gram matrix are uncorrelated, the strongest first."""
    squares, rotation = torch.linalg.eigh(gram)
    strong = squares > FLAT * squares.max() if len(squares) and squares.max() > 0 else squares > 0
    directions: Tensor = rotation[:, strong].flip(1).float()
    return directions


def decorrelated(table: Floats, lists: Lists) -> Tensor:
    """Return features in the basis where their columns are uncorrelated over the rows with ratings."""
    features = torch.from_numpy(table)
    return features @ _decorrelating(features[:-1][lists.starts.diff() > 0])


class Regression:
    """Features of the users (or of the movies) and their effect on the vectors: a regression with normal weights."""

    def __init__(self, design: Tensor, known: Tensor, size: int) -> None:
        self.design = design.contiguous()
        self.learned = torch.where(known[:, None], design, 0.0)
        """The design of the rows with ratings: nothing is learned from the others."""
        self.squares = self.learned.square().sum(0)[:, None]
        self.weights = torch.zeros(design.shape[1], size)
        """Shape (features, size)."""
        self.fitted = torch.zeros(len(design), size)
        """Shape (rows, size)."""
        self.precision = torch.eye(size) / WEIGHT
        """The prior precision of a feature's weights, around zero."""

    def draw(self, residuals: Tensor, precision: Tensor, generator: Generator) -> None:
        """Draw the weights, given the residual vectors and their precision."""
        if self.design.shape[1]:
            self.draw_given(self.learned.T @ residuals, precision, generator)

    def draw_given(self, products: Tensor, precision: Tensor, generator: Generator) -> None:
        """Draw the weights, given the products of the columns with the residual vectors, shape (features, size).

        The weights are independent in coordinates in which the precision of the vectors is the identity, that of the
        prior is diagonal, and the columns of the design are orthogonal.
        """
        lower = torch.linalg.cholesky(precision)
        inverse = torch.linalg.inv(lower)
        prior, rotation = torch.linalg.eigh(inverse @ self.precision @ inverse.T)
        back = rotation.T @ inverse
        total = self.squares + prior
        mean = products @ (lower @ rotation) / total
        self.weights = (mean + torch.randn(mean.shape, generator=generator) / total.sqrt()) @ back
        self.fitted = self.design @ self.weights
        self.precision = _draw_precision(self.weights, WEIGHT, generator)


class Side:
    """All users, or all movies: vectors of factors and, last, a bias, with their normal distribution."""

    def __init__(self, lists: Lists, designs: Sequence[Tensor], size: int, sittings: "Sittings | None" = None) -> None:
        total = len(lists.starts) - 1
        self.lists, self.sittings = lists, sittings
        self.known = lists.starts.diff() > 0
        self.blocks = [Regression(design, self.known, size) for design in designs]
        self.vectors = torch.zeros(total, size)
        """The latest draw."""
        self.means = torch.zeros(total + 1, size)
        """The means around which the vectors were drawn; the last row is the mean of an unknown entry."""
        self.mean = torch.zeros(size)
        self.precision = torch.eye(size) / SPREAD
        self.scatter = torch.ones(total)
        """The variance of each row's ratings around the prediction, relative to the average."""
        self.errors = torch.zeros(total)
        """For each row, the sum of the squared errors of its ratings by the latest draw, each divided by the other
        side's scatter."""

    def expected(self) -> Tensor:
        """Return the prior mean of the vectors, from their features."""
        return sum((block.fitted for block in self.blocks), self.mean)

    def draw(self, other: "Side", noise: float, generator: Generator) -> None:
        """Draw the vectors, and the levels of sittings, given the other side's, and compute the errors of the ratings.

        A rating has the variance ``noise`` times the scatter of its user and of its movie.
        """
        table, sittings = other.as_others(), self.sittings
        weighted = table * table[:, -1:] if sittings else table
        self.draw_given(
            lambda block: self.products(block, table),
            noise,
            generator,
            (lambda block, variance: sittings.of_block(block, weighted, variance)) if sittings else None,
        )

    def draw_given(
        self,
        products_of: Callable[[slice], Tensor],
        noise: float,
        generator: Generator,
        sittings_of: "Callable[[slice, Tensor], _SittingsOfBlock] | None" = None,
    ) -> None:
        """Draw the vectors given the products of each block of rows, and compute the errors.

        ``sittings_of``: returns the sittings of a block's rows, given the variances of their ratings.
        """
        total, size = self.vectors.shape
        pull = self.expected() @ self.precision
        self.means[-1] = self.mean
        # Drawn before the blocks, which are computed in any order.
        normal = torch.randn(total, size, 1, generator=generator)
        levels = torch.randn(len(self.sittings.levels), generator=generator) if self.sittings else None

        def draw(block: slice) -> None:
            products = products_of(block)
            variance = noise * self.scatter[block, None]
            sittings = sittings_of(block, variance[:, 0]) if sittings_of else None
            without_sittings = products - sittings.products() if sittings else products
            gram = without_sittings[:, :size, :size]
            right = without_sittings[:, :size, -1] - without_sittings[:, :size, -2]
            lower = torch.linalg.cholesky(gram / variance[:, :, None] + self.precision)
            half = torch.linalg.solve_triangular(lower, (right / variance + pull[block])[:, :, None], upper=False)
            # The means and the draws, side by side.
            half = torch.cat([half, half + normal[block]], 2)
            solution = torch.linalg.solve_triangular(lower.mT, half, upper=True)
            self.means[:-1][block], vectors = solution[:, :, 0], solution[:, :, 1].contiguous()
            self.vectors[block] = vectors
            gram, right = products[:, :size, :size], products[:, :size, -1] - products[:, :size, -2]
            quadratic = ((gram @ vectors[:, :, None])[:, :, 0] - 2 * right) * vectors
            constant = products[:, -2, -2] - 2 * products[:, -2, -1] + products[:, -1, -1]
            errors = quadratic.sum(1) + constant
            if sittings and levels is not None:
                sittings.draw(solution, errors, levels)
            self.errors[block] = errors.clamp_min(0)

        for_each(draw, self.blocks_of_rows())

    def blocks_of_rows(self) -> list[slice]:
        """Return the blocks of rows that are drawn at once."""
        rows = NARROW_BLOCK if self.vectors.shape[1] + 2 <= NARROW else BLOCK
        return [slice(first, first + rows) for first in range(0, len(self.vectors), rows)]

    def as_others(self) -> Tensor:
        """Return the table that ``products`` of the other side reads, shape (rows + 1, size + 2).

        It has ``(q, 1, c, 1)`` of each row, divided by the root of its scatter; the last row is for padding.
        """
        size = self.vectors.shape[1]
        table = self.vectors.new_zeros(len(self.vectors) + 1, size + 2)
        table[:-1, :size] = self.vectors
        table[:-1, -2] = self.vectors[:, -1]
        table[:-1, [size - 1, size + 1]] = 1.0
        table[:-1] *= self.scatter.rsqrt()[:, None]
        return table

    def products(self, block: slice, table: Tensor) -> Tensor:
        """Return the sum of ``z z'`` over the ratings of each row in the block, shape (rows, size + 2, size + 2).

        ``z`` is the other side's row of ``table`` (``as_others``), with the last entry times the stars.
        """
        starts = self.lists.starts[block.start : block.stop + 1]
        products = table.new_zeros(len(starts) - 1, table.shape[1], table.shape[1])
        sums_of_products = _sum_rows if table.shape[1] <= NARROW else _multiply_lists
        sums_of_products(self.lists, starts, table, products)
        return products

    def learn(self, noise: float, generator: Generator) -> None:
        """Draw the scatter of each row, then the mean and the precision of the vectors around the regression, then its
        weights.

        Only rows with ratings are used: the others carry no information.
        """
        self.draw_scatter(noise, generator)
        if self.sittings:
            self.sittings.learn(generator)
        residuals = (self.vectors - (self.expected() - self.mean))[self.known]
        self.mean, self.precision = _draw_normal(residuals, generator)
        for block in self.blocks:
            block.draw(self.vectors - self.expected() + block.fitted, self.precision, generator)

    def draw_scatter(self, noise: float, generator: Generator) -> None:
        """Draw the scatter of each row, given the errors of its ratings.

        It has an inverse gamma prior that counts as ``2 SCATTER_PRIOR`` ratings of average scatter.
        """
        degrees = SCATTER_PRIOR + self.lists.starts.diff() / 2
        self.scatter = (SCATTER_PRIOR + self.errors / (2 * noise)) / torch._standard_gamma(degrees, generator=generator)


class Sittings:
    """The levels of the users' sittings: all ratings that a user gave in one sitting are higher or lower by the same
    amount (as on one day in Koren, Collaborative filtering with temporal dynamics, 2009).

    A level comes from ``N(0, variance)``. A user's vector is drawn with the levels integrated out, and then the levels
    given the vector. With the levels integrated out, the precision of the ratings of a sitting is
    ``W - W 1 1' W / (1 / variance + 1' W 1)`` (Woodbury), where ``W`` is their precision given the level.
    """

    def __init__(self, ratings: Ratings, stars: Tensor, by_movie: Lists, users: int, minutes: float) -> None:
        self.minutes = minutes
        self.keys, sitting = np.unique(sitting_keys(ratings.user, ratings.time, minutes), return_inverse=True)
        """A key for each sitting, ascending: the sittings of one user after those of another."""
        movie = torch.from_numpy(ratings.movie)
        self.of_ratings = torch.from_numpy(sitting.astype(np.int32))
        """The sitting of each rating."""
        self.lists = Lists.of(self.of_ratings, movie, stars, len(self.keys))
        starts = torch.from_numpy(np.searchsorted(sitting_users(self.keys), np.arange(users + 1)))
        self.starts = starts.int()
        """Where the sittings of each user start, shape (users + 1,)."""
        self.by_user = Lists(self.lists.others, self.lists.stars, self.lists.starts[starts])
        self._by_movie = by_movie
        self._sitting_by_movie = Lists.of(movie, self.of_ratings, stars, len(by_movie.starts) - 1).others
        self.without_levels = Lists(by_movie.others, by_movie.stars.clone(), by_movie.starts)
        """The movies' ratings minus the levels of their sittings."""
        self.levels = torch.zeros(len(self.keys))
        """The latest draw."""
        self.means = torch.zeros(len(self.keys) + 1)
        """The means given the movies; the last is that of an unknown sitting, 0."""
        self.variance = torch.tensor(LEVEL)

    def rows_of(self, ratings: Ratings) -> NDArray[np.intp]:
        """Return the sitting of each of some ratings; -1 for a sitting without ratings in train."""
        return sitting_rows(self.keys, ratings.user, ratings.time, self.minutes)

    def subtract_levels(self) -> None:
        """Update ``without_levels``."""
        levels = self.levels.index_select(0, self._sitting_by_movie)
        torch.sub(self._by_movie.stars, levels, out=self.without_levels.stars)

    def of_block(self, block: slice, weighted: Tensor, variance: Tensor) -> "_SittingsOfBlock":
        """Return the sittings of some users.

        ``weighted``: the table of ``Side.as_others``, each row times its last entry; ``variance``: that of each user's
        ratings, if the movie has average scatter.
        """
        return _SittingsOfBlock(self, self.starts[block.start : block.stop + 1], weighted, variance)

    def learn(self, generator: Generator) -> None:
        """Draw the variance of the levels from its inverse gamma distribution; the prior counts as two sittings."""
        shape = torch.tensor(len(self.levels) / 2 + 1, dtype=torch.float64)
        squares = self.levels.square().sum(dtype=torch.float64)
        self.variance = ((squares / 2 + LEVEL) / torch._standard_gamma(shape, generator=generator)).float()


class _SittingsOfBlock:
    """The sittings of some users, given the movies."""

    def __init__(self, sittings: Sittings, starts: Tensor, weighted: Tensor, variance: Tensor) -> None:
        self._sittings, self._inside = sittings, slice(int(starts[0]), int(starts[-1]))
        self._starts = starts - starts[0]
        self._user = torch.repeat_interleave(torch.arange(len(starts) - 1), starts.diff())
        self._variance = variance[self._user]
        ratings = sittings.lists.starts[self._inside.start : self._inside.stop + 1]
        rated = slice(int(ratings[0]), int(ratings[-1]))
        others, ratings = sittings.lists.others[rated], ratings - ratings[0]
        self._sums = bags(others, weighted, ratings)
        """The sum over the ratings of each sitting of ``(q, 1, c, stars)``, weighted by the movies' precision."""
        self._sums[:, -1:] = bags(others, weighted[:, -1:].contiguous(), ratings, sittings.lists.stars[rated])
        self._total = self._sums[:, -3] + self._variance / sittings.variance
        """The precision of each sitting's level given the user's vector, times the variance of the user's ratings."""

    def products(self) -> Tensor:
        """Return what to subtract from ``Side.products`` because the levels are not known."""
        sittings, width = self._sums.shape
        table = torch.cat([self._sums * self._total.rsqrt()[:, None], self._sums.new_zeros(1, width)])
        lists = Lists(torch.arange(sittings, dtype=torch.int32), torch.ones(sittings), self._starts)
        products = table.new_zeros(len(self._starts) - 1, width, width)
        _multiply_lists(lists, self._starts, table, products)
        return products

    def draw(self, solution: Tensor, errors: Tensor, normal: Tensor) -> None:
        """Draw the levels and compute their means, given the means and the draws of the users' vectors; update the sums
        of the squared errors.

        ``solution``: shape (users, size, 2); ``errors``: shape (users,), those without the levels; ``normal``: a draw
        from ``N(0, 1)`` for each of all levels.
        """
        size, inside = solution.shape[1], self._inside
        predicted = torch.bmm(self._sums[:, None, :size], solution[self._user])[:, 0]
        residuals = (self._sums[:, -1] - self._sums[:, -2])[:, None] - predicted
        means = residuals / self._total[:, None]
        self._sittings.means[:-1][inside] = means[:, 0]
        deviation = (self._variance / self._total).sqrt()
        levels = means[:, 1] + deviation * normal[inside]
        self._sittings.levels[inside] = levels
        errors.index_add_(0, self._user, levels * (levels * self._sums[:, -3] - 2 * residuals[:, 1]))


class Unrated:
    """Draws the vectors of the movies without ratings, and the mean of an unknown movie.

    Their prior in ``Side`` would be wrong: it is a regression on who rated a movie, too, and movies that nobody rated
    are not like the average of the others. Here, their prior is a regression on the features alone. It is fitted to the
    latest vectors of the rated movies, and nothing else learns from it.
    """

    def __init__(self, features: Tensor, movies: Side, generator: Generator) -> None:
        self.movies, self.generator = movies, generator
        self.size = movies.vectors.shape[1]
        self.block = Regression(features, movies.known, self.size)

    def draw(self) -> None:
        """Draw the regression, then the vectors and their means."""
        movies, known = self.movies, self.movies.known
        if not known.any():
            return
        mean, precision = _draw_normal((movies.vectors - self.block.fitted)[known], self.generator)
        self.block.draw(movies.vectors - mean, precision, self.generator)
        expected = (mean + self.block.fitted)[~known]
        normal = torch.randn(self.size, len(expected), generator=self.generator)
        lower = torch.linalg.cholesky(precision)
        movies.means[:-1][~known] = expected
        movies.means[-1] = mean
        movies.vectors[~known] = expected + torch.linalg.solve_triangular(lower.T, normal, upper=True).T


def _draw_normal(vectors: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw the mean and the precision of the normal distribution that vectors come from.

    They have a normal-Wishart prior (Salakhutdinov and Mnih, Bayesian probabilistic matrix factorization, 2008).
    """
    vectors = vectors.double()
    count = len(vectors)
    centre = vectors.sum(0) / (count + 1)
    deviations = torch.cat([vectors - centre, centre[None]])  # the prior is one more vector, at zero
    precision = _draw_precision(deviations.float(), SPREAD, generator)
    return _draw_mean(centre, precision, count, generator), precision


def draw_normal_given(count: int, total: Tensor, squares: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw the same as ``_draw_normal``, given the number of vectors, their sum, and the sum of ``x x'``."""
    centre = total.double() / (count + 1)
    deviations = squares.double() - (count + 1) * torch.outer(centre, centre)
    precision = _draw_precision_given(count + 1, deviations, SPREAD, generator)
    return _draw_mean(centre, precision, count, generator), precision


def _draw_mean(centre: Tensor, precision: Tensor, count: int, generator: Generator) -> Tensor:
    lower = torch.linalg.cholesky(precision.double() * (count + 1))
    normal = torch.randn(len(centre), 1, generator=generator, dtype=torch.float64)
    mean: Tensor = (centre + torch.linalg.solve_triangular(lower.T, normal, upper=True)[:, 0]).float()
    return mean


def _sum_rows(lists: Lists, starts: Tensor, table: Tensor, products: Tensor) -> None:
    """Compute the products of ``Side.products``, once for each row of the table, and sum them over the lists."""
    inside = slice(int(starts[0]), int(starts[-1]))
    others, stars, starts = lists.others[inside], lists.stars[inside], starts - starts[0]
    width = table.shape[1]
    row, column = torch.triu_indices(width - 1, width - 1)
    triangle = bags(others, table.index_select(1, row) * table.index_select(1, column), starts)
    last = bags(others, table[:, :-1] * table[:, -1:], starts, stars)
    corner = bags(others, table[:, -1:] ** 2, starts, stars**2)
    source = torch.empty(width, width, dtype=torch.long)
    """Which of these columns each entry of the products is."""
    source[row, column] = source[column, row] = torch.arange(len(row))
    source[-1] = source[:, -1] = len(row) + torch.arange(width)
    columns = torch.cat([triangle, last, corner], 1)
    torch.index_select(columns, 1, source.flatten(), out=products.view(len(products), -1))


def _multiply_lists(lists: Lists, starts: Tensor, table: Tensor, products: Tensor) -> None:
    """Compute the products of ``Side.products`` list by list.

    A list then reads a row of the table for each rating, instead of all products of the row's entries. Lists of similar
    length are padded to the same length and multiplied at once.
    """
    lengths, order = starts.diff().sort()
    end = len(lengths)
    while end and (longest := int(lengths[end - 1])):
        first = max(end - max(1, RATINGS_AT_ONCE // longest), 0)
        rows = order[first:end]
        position = torch.arange(longest)
        indices = (starts[rows, None] + position).clamp_max_(len(lists.others) - 1).flatten()
        others = lists.others.index_select(0, indices)
        others.masked_fill_((position >= lengths[first:end, None]).flatten(), len(table) - 1)
        z = table.index_select(0, others)
        z[:, -1] *= lists.stars.index_select(0, indices)
        z = z.view(len(rows), longest, -1)
        products[rows] = z.mT @ z
        end = first


def _draw_precision(vectors: Tensor, spread: float, generator: Generator) -> Tensor:
    """Draw the precision of zero-mean vectors from its Wishart distribution, by Bartlett's decomposition.

    The prior weighs as much as ``n + 1`` vectors of variance ``spread``, where ``n`` is the number of their entries.
    """
    doubles = vectors.double()
    return _draw_precision_given(len(vectors), doubles.T @ doubles, spread, generator)


def _draw_precision_given(count: int, squares: Tensor, spread: float, generator: Generator) -> Tensor:
    size = len(squares)
    weight = size + 1
    squares = squares + spread * weight * torch.eye(size, dtype=torch.float64)
    freedom = (count + weight - torch.arange(size, dtype=torch.float64)) / 2
    lower = torch.randn(size, size, generator=generator, dtype=torch.float64).tril(-1)
    lower += torch.diag((2 * torch._standard_gamma(freedom, generator=generator)).sqrt())
    root = torch.linalg.solve_triangular(torch.linalg.cholesky(squares).T, lower, upper=True)
    precision: Tensor = (root @ root.T).float()
    return precision
