"""A blend of several models: stars from those that predict best, the order from those that rank best."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.dataset import Bools, Dataset, Floats, Ints, Ratings, Scale
from movietui.data.language import tr
from movietui.data.samples import evenly_spread, ratings_of, some_users
from movietui.data.splits import hold_out
from movietui.models.base import (
    AnyModel,
    Epoch,
    Expectation,
    Fitted,
    History,
    Model,
    Parameters,
    Progress,
    Times,
    history_of,
)
from movietui.models.bayes import Bayes, BayesSettings
from movietui.models.ease import Ease
from movietui.models.ials import Ials
from movietui.models.item_knn import ItemKNN
from movietui.models.metrics import RELEVANT, mse, ndcg
from movietui.models.settings import Settings, setting
from movietui.models.training import stages
from movietui.models.training.threads import side_by_side
from movietui.models.vae import Vae, VaeSettings

Doubles = NDArray[np.float64]

TINY = 1e-6
PRIOR_RATINGS = 100
"""The weight, in held-out ratings, that shrinks the stack towards the first part alone."""
ORDER_USERS = 1000
"""The maximum number of users from whom the weights of the order are learned."""
ORDER_RANKS = 50
"""How many ranks count when the weights of the order are learned. The ten that are measured in the end have too few
hits to learn from."""
STEPS = (0.5, 0.25)
"""How far a weight of the order is moved at a time: first by larger steps, then by smaller ones."""
ROUNDS = 2
"""How many times all weights are tried with each size of step."""
MIN_GAIN = 2e-4
"""A step is accepted if the ndcg rises by more than this."""
ORDER_MOVIES = 10_000
"""The maximum number of movies from which the weights of the order are learned: the most rated ones."""
WEIGHT_RATINGS = 1_000_000
"""About how many ratings the weights are learned from: all ratings of some users."""
BASE_SHARE = 0.25
"""The share of the minutes that the sweeps of ``BASE`` may take when it serves. Learning the weights, the other parts
and measuring take the rest: with ml-32m, a training of at most twenty minutes takes eighteen to nineteen."""
SWEEP_SECONDS = 0.45e-6
"""About how many seconds a sweep with 32 factors takes for each rating, on two cores."""
FEWEST_SWEEPS = 40
"""Rather than make fewer sweeps than this, ``BASE`` learns from fewer users."""


@dataclass(frozen=True)
class BlendSettings(Settings):
    """Settings of ``Blend``. The parts use their defaults unless stated otherwise."""

    factors: int = setting(0, 0, 128)
    """The number of latent factors of ``bayes``; 0 for as many as the number of ratings supports."""
    sweeps: int = setting(200, 1, 10_000)
    """The maximum number of sweeps of ``bayes``."""
    minutes: float = setting(20.0, 0.1, 10_000.0)
    """About how many minutes a training may take on two cores; ml-32m takes at least thirteen. A dataset with some
    millions of ratings gets fewer sweeps of ``bayes``, and if that is not enough, ``bayes`` learns from some of the
    users."""
    sitting: float = setting(5.0, 0.0, 1_000_000.0)
    """How many minutes a sitting of ``bayes`` lasts; 0 for no sittings."""
    neighbours: bool = setting(True, False, True)
    """Whether ``item-knn`` contributes to the stars."""
    ease: bool = setting(True, False, True)
    """Whether ``ease`` contributes to the order."""
    ials: bool = setting(True, False, True)
    """Whether ``ials`` contributes to the order."""
    vae: bool = setting(True, False, True)
    """Whether ``vae`` contributes to the order, with four members from 300,000 ratings on; it does not if there are
    more than four million ratings."""
    stars: bool = setting(True, False, True)
    """Whether the predicted stars, minus their uncertainty, contribute to the order."""
    learned: bool = setting(True, False, True)
    """Whether the weights of the order are learned, rather than fixed at their starting values."""
    held_out: float = setting(0.1, 0.01, 0.5)
    """The share of the ratings that the weights are learned from; the parts are first fitted without them."""


@dataclass(frozen=True)
class Part:
    """A model in the blend."""

    build: Callable[[int], AnyModel]
    """Return the unfitted model, given a seed."""
    rates: bool = False
    """Whether the part contributes to the stars."""
    order: float = 0.0
    """The starting weight of the part's score in the order; 0 if the part does not contribute to the order."""


CAUTION = 1.0
"""How many standard deviations of uncertainty are subtracted from the stars in the order."""
BASE = "bayes"
"""The part whose uncertainty is the blend's, and whose stars contribute to the order."""
WEIGHTS = ("stack", "shift", "dated_stack", "dated_shift", "order")
"""The parameters that are learned from held-out ratings."""
MEMBERS = 4
"""The number of members of ``vae``."""
RATINGS_FOR_MEMBERS = 300_000
"""A dataset with fewer ratings gets a ``vae`` with a single member: there, more members add nothing to the order."""
RATINGS_FOR_VAE = 4_000_000
"""A dataset with more ratings gets no ``vae``, which would take minutes there."""


def affordable(settings: BlendSettings, ratings: int) -> tuple[int, int]:
    """Return how many sweeps ``BASE`` makes, and from about how many ratings it learns, so that the fit takes about
    ``minutes``.

    >>> affordable(BlendSettings(), 1_000_000)
    (200, 1000000)
    >>> affordable(BlendSettings(), 32_000_000)
    (40, 16666666)
    >>> affordable(BlendSettings(minutes=5), 32_000_000)
    (40, 4166666)
    """
    swept = settings.minutes * 60 * BASE_SHARE / SWEEP_SECONDS
    fewest = min(FEWEST_SWEEPS, settings.sweeps)
    sweeps = min(settings.sweeps, max(fewest, int(swept / max(ratings, 1))))
    return sweeps, min(ratings, int(swept / sweeps))


def parts_of(settings: BlendSettings, sweeps: int, members: int) -> Mapping[str, Part]:
    """Return the parts by name, ``BASE`` first. ``sweeps``: those of ``BASE``; ``members``: those of ``vae``, 0 for no
    ``vae``."""
    bayes = BayesSettings(
        factors=settings.factors, sweeps=sweeps, sitting=settings.sitting, caution=CAUTION, popularity=0.0
    )
    parts = {BASE: Part(lambda seed: Bayes(bayes, seed=seed), rates=True, order=0.5 * settings.stars)}
    if settings.neighbours:
        parts["item-knn"] = Part(lambda seed: ItemKNN(seed=seed), rates=True)
    if settings.ease:
        parts["ease"] = Part(lambda seed: Ease(seed=seed), order=2.0)
    if settings.ials:
        parts["ials"] = Part(lambda seed: Ials(seed=seed), order=3.0)
    if settings.vae and members:
        parts["vae"] = Part(lambda seed: Vae(VaeSettings(members=members), seed=seed), order=3.0)
    return parts


def sized_parts(settings: BlendSettings, sweeps: int, ratings: int) -> Mapping[str, Part]:
    """Return the parts for a dataset with this many ratings; ``sweeps``: those of ``BASE``."""
    members = 0 if ratings > RATINGS_FOR_VAE else MEMBERS if ratings >= RATINGS_FOR_MEMBERS else 1
    return parts_of(settings, sweeps, members)


PartProgress = Callable[[str, float], None]
"""Called with the name of the part that is fitted, and the share of the fits of all parts that is done."""


def fit_parts(
    parts: Mapping[str, Part], data: Callable[[str], Dataset], seed: int, progress: PartProgress
) -> Iterator[tuple[str, AnyModel]]:
    """Fit the parts to their ``data``, in order, and yield each with its name.

    A part that does not contribute to the stars knows the ratings of its users only until the next part is fitted: once
    for each part, they would take gigabytes. ``BASE``, which comes first, counts for half of the time.
    """
    # Imported here because serving does not need it.
    from movietui.models.training.resume import fit_part

    for index, (name, part) in enumerate(parts.items()):

        def report(epoch: Epoch, name: str = name, index: int = index) -> None:
            done = epoch.number / epoch.of
            progress(name, 0.5 * (1 + (index - 1 + done) / (len(parts) - 1)) if index else 0.5 * done)

        model, train = part.build(seed), data(name)
        fit_part(model, train, report)
        yield name, model
        if not part.rates:
            model.restore(model.serving_parameters(), train.scale)


@dataclass(frozen=True, eq=False)
class Tastes:
    """A viewer's representation in each part."""

    by_part: Mapping[str, Any]


class Blend(Model[BlendSettings, Tastes]):
    """Takes stars from a stack of the rating parts, and the order from a weighted sum of the scores of the ranking
    parts.

    Each part is fitted twice: without some of the ratings (``held_out``, a tenth), from which the weights are then
    learned, and on all ratings, to serve. The last fit of a training (``for_all_ratings``) keeps the weights of the fit
    before it, so that each part is fitted once. With a large dataset, the weights are learned from some of the users,
    who together have about ``WEIGHT_RATINGS`` ratings, and ``BASE`` serves what it learned from as many users as the
    time allows (``affordable``).

    *Stars*: ``shift + sum_k w_k r_k``, where ``r_k`` are the stars of a rating part. Ridge regression on the tenth
    gives ``w``, shrunk towards the first part alone (Breiman, Stacked regressions, 1996). There are two stacks: one for
    predictions at known moments, in which ``bayes`` is better, and one for all others, such as those of lists.

    *Order*: ``o . f``, where ``f`` holds a movie's features for a viewer: the score of ``bayes``, which is its stars
    minus their uncertainty; the score of each other ranking part, standardised over the movies; and ``log(1 + n)``,
    where ``n`` is the movie's number of ratings. Coordinate ascent, which moves one weight at a time (Metzler and
    Croft, Linear feature-based models for information retrieval, 2007), looks for the ``o`` with the highest ndcg of
    the liked movies of the tenth, in lists of everything that a user had not rated. Since the tenth is small, the
    weights go only half of the way from their starting values to those of the ascent.

    *Uncertainty* is that of ``bayes``.

    Movies without ratings are only known to ``bayes``: all parts take its stars for them, and the score of each other
    part is the mean of that part's scores. Ratings of those that come from IMDb count for ``bayes`` alone.
    """

    name = "blend"
    summary = tr("The best of several: Bayesian stars, and an order learned from what people watched and liked.")
    formula = "stars: shift + Σ w_k r_k; order: Σ o_k f_k"
    reference = "Breiman 1996; Metzler and Croft 2007"
    settings_type = BlendSettings
    needs_torch = True
    predicts_unrated = True

    def __init__(
        self, settings: BlendSettings | None = None, *, seed: int = 0, weights: Parameters | None = None
    ) -> None:
        """``weights``: the parameters in ``WEIGHTS``, if a fit is not to learn them."""
        super().__init__(settings, seed=seed)
        self._weights = weights

    def for_all_ratings(self) -> "Blend":
        """Return an unfitted blend that keeps the weights of this one."""
        return Blend(self.settings, seed=self.seed, weights={name: self.parameters[name] for name in WEIGHTS})

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Load the parameters of a fitted model."""
        super().restore(parameters, scale)
        parts = parts_of(self.settings, self.settings.sweeps, len(parameters.get("vae/scale", ())))
        self._parts = {name: part.build(self.seed) for name, part in parts.items()}
        for name, model in self._parts.items():
            prefix = f"{name}/"
            of_part = {key.removeprefix(prefix): value for key, value in parameters.items() if key.startswith(prefix)}
            model.restore(of_part, scale)
        self._known = parameters["counts"] > 0
        self._rated = min(len(model.counts) for model in self._parts.values())
        """How many movies all parts know: the first ones."""
        self._ranking = [name for name, part in parts.items() if part.order]
        self._rating = [name for name, part in parts.items() if part.rates]

    def memory_needed(self, train: Dataset) -> int:
        """Return what the part that needs most needs; the parts are fitted one after the other."""
        parts = sized_parts(self.settings, 1, len(train.ratings))
        return max(part.build(self.seed).memory_needed(train) for part in parts.values())

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        sweeps, base_ratings = affordable(self.settings, len(train.ratings))
        parts = sized_parts(self.settings, sweeps, len(train.ratings))
        base_users = some_users(train, base_ratings, self.seed)
        # A copy of all ratings of a large dataset would take most of a gigabyte.
        of_base = train if len(base_users) == len(train.users) else train.with_ratings(ratings_of(train, base_users))
        rated = train.without_unrated()
        passes = 1 if self._weights else 2
        curve: list[Epoch] = []

        def report(stage: str, predict: Callable[[Ints, Ints, Times], Floats]) -> None:
            validation_loss = None
            if validation is not None:
                validation_loss = mse(predict(validation.user, validation.movie, validation.time), validation.stars)
            curve.append(Epoch(len(curve) + 1, len(parts) + 1, losses.get(stage), validation_loss, stage))
            progress(curve[-1])

        weights, losses = self._weights, dict[str, float]()
        if weights is None:
            weights, losses = self._learn_weights(parts, train, lambda name, done: stages.report_share(name, done / 2))
        served: dict[str, AnyModel] = {}
        for name, model in fit_parts(
            parts,
            lambda name: of_base if name == BASE else rated,
            self.seed,
            lambda name, done: stages.report_share(name, 1 - (1 - done) / passes),
        ):
            served[name] = model
            report(name, model.predict_at)
        parameters: Parameters = {
            f"{name}/{key}": value for name, model in served.items() for key, value in model.parameters.items()
        }
        parameters |= weights
        served_blend = Blend(self.settings, seed=self.seed)
        served_blend.restore({**parameters, "counts": train.counts}, train.scale)
        report(self.name, served_blend.predict_at)
        return parameters, Fitted.of(curve)

    def _learn_weights(
        self, parts: Mapping[str, Part], train: Dataset, progress: PartProgress
    ) -> tuple[Parameters, dict[str, float]]:
        """Fit the parts without some of the ratings, and return the parameters in ``WEIGHTS``, learned from these
        ratings, and the losses of the parts and of the blend on them."""
        # Without the other users and the movies that only they rated, whose vectors would be drawn in each sweep too.
        weighed = train.only_users(some_users(train, WEIGHT_RATINGS, self.seed)).only_rated()
        rows, held_out_rows = hold_out(np.arange(len(weighed.ratings)), self.seed, self.settings.held_out)
        remaining, held_out = weighed.with_ratings(rows), weighed.ratings.take(held_out_rows)
        fitted: dict[str, AnyModel] = {}
        losses: dict[str, float] = {}
        undated: list[Floats] = []
        dated: list[Floats] = []
        for name, model in fit_parts(parts, lambda name: remaining, self.seed, progress):
            fitted[name] = model
            predicted = model.predict_at(held_out.user, held_out.movie, held_out.time)
            losses[name] = mse(predicted, held_out.stars) if len(held_out) else 0.0
            if parts[name].rates:
                undated.append(model.predict(held_out.user, held_out.movie))
                dated.append(predicted)
        stack, shift = fit_stack(np.stack(undated, 1), held_out.stars)
        dated_stack, dated_shift = fit_stack(np.stack(dated, 1), held_out.stars)
        blended = train.scale.clip((np.stack(dated, 1) @ dated_stack + dated_shift).astype(np.float32))
        losses[self.name] = mse(blended, held_out.stars) if len(held_out) else 0.0
        weights: Parameters = {
            "stack": stack,
            "shift": np.asarray(shift),
            "dated_stack": dated_stack,
            "dated_shift": np.asarray(dated_shift),
            "order": self._learn_order(fitted, parts, remaining, held_out),
        }
        return weights, losses

    def only_for_predict(self) -> frozenset[str]:
        """Return the names of the parameters of all parts that only ``predict`` reads."""
        return frozenset(f"{name}/{key}" for name, model in self._parts.items() for key in model.only_for_predict())

    @property
    def reads_time(self) -> bool:
        """Whether ``bayes`` has sittings."""
        return self.settings.sitting > 0

    def noise(self, user: int | None) -> Floats | None:
        """Return the noise of ``bayes``, whose uncertainty is the blend's."""
        return self._parts[BASE].noise(user)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the stacked stars."""
        return self._predict(users, movies, self._parts[BASE].predict(users, movies), "")

    def predict_at(self, users: Ints, movies: Ints, time: Times) -> Floats:
        """Return the stacked stars; at a known moment, the weights are those for such predictions."""
        dated = self._predict(users, movies, self._parts[BASE].predict_at(users, movies, time), "dated_")
        return dated if (time > 0).all() else np.where(time > 0, dated, self.predict(users, movies))

    def _predict(self, users: Ints, movies: Ints, base: Floats, stack: str) -> Floats:
        """Return the stacked stars, given those of ``BASE``; ``stack``: how the names of the weights begin."""
        known = (movies >= 0) & self._known[movies]

        def stars(name: str) -> Floats:
            return np.where(known, self._parts[name].predict(users, np.where(known, movies, -1)), base)

        return self._stars(lambda name: base if name == BASE else stars(name), stack)

    def fold_in(self, history: History) -> Tastes:
        """Fold the viewer into ``BASE`` and, in parallel, into all other parts, which together take about as long."""
        (base, model), *others = self._parts.items()
        known = history.among(self._rated)
        taste, tastes = side_by_side(
            lambda: model.fold_in(history), lambda: {name: other.fold_in(known) for name, other in others}
        )
        return Tastes({base: taste, **tastes})

    def extend(self, taste: Tastes, history: History) -> Tastes:
        """Add the last rating to each part that knows its movie; two threads would only wait for each other."""
        known = history.among(self._rated)

        def extended(name: str, model: AnyModel) -> Any:
            if name == BASE:
                return model.extend(taste.by_part[name], history)
            of_part = taste.by_part[name]
            return model.extend(of_part, known) if history.movies[-1] < self._rated else of_part

        return Tastes({name: extended(name, model) for name, model in self._parts.items()})

    def expect(self, taste: Tastes) -> Expectation:
        """Return the stacked stars, the uncertainty of ``bayes`` and the learned order."""
        tastes = taste.by_part
        base = self._parts[BASE].expect(tastes[BASE])

        def stars(name: str) -> Floats:
            return self._or_unrated(self._parts[name].expect(tastes[name]).stars, base.stars)

        def score(name: str) -> Floats:
            scores = self._parts[name].score(tastes[name])
            mean = scores.mean(where=self._known[: self._rated]) if self._known.any() else np.float32(0)
            return self._or_unrated(scores, mean)

        scores = {name: base.score if name == BASE else score(name) for name in self._ranking}
        table = features(scores, self.counts, self._known)
        order = np.asarray(self.parameters["order"] @ table, np.float32)
        return Expectation(
            self._stars(lambda name: base.stars if name == BASE else stars(name)), base.uncertainty, order
        )

    def _or_unrated(self, values: Floats, others: Floats | np.floating[Any]) -> Floats:
        """Return a part's values of all movies, but ``others`` for movies without ratings, of which it knows
        nothing."""
        if self._known.all():
            return values
        missing = np.zeros(len(self._known) - len(values), np.float32)
        return np.where(self._known, np.append(values, missing), others).astype(np.float32)

    def movie_vectors(self) -> Floats | None:
        """Return the vectors of ``bayes`` and, if it is a part, ``ials``, side by side, each scaled to a length of 1.

        With both, the cosine of two movies is thus the mean of two cosines: whether the same people like both, and
        whether they watch both.
        """
        parts = [self._parts[name].movie_vectors() for name in (BASE, "ials") if name in self._parts]
        vectors = [
            each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), TINY) for each in parts if each is not None
        ]
        return np.concatenate([np.pad(each, ((0, len(self._known) - len(each)), (0, 0))) for each in vectors], axis=1)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Sum the weighted shares of the ranking parts. Except for ``bayes``, a part's scores with and without a rating
        are each standardised over the movies with ratings, as they are served."""
        known = history.among(self._rated)
        everything = np.arange(self._rated, dtype=np.int32)
        shares = np.zeros((len(movies), len(history)), np.float32)
        has_ratings = self._known[movies]
        cells = np.ix_(has_ratings, history.movies < self._rated)
        for weight, name in zip(self.parameters["order"], self._ranking, strict=False):
            model = self._parts[name]
            if name == BASE:
                shares += np.float32(weight) * model.explain_list(history, movies)
                continue
            score = model.expect(model.fold_in(known)).score[None]
            without = score - model.explain_list(known, everything).T
            values = _standardised(np.concatenate([score, without]), self._known[: self._rated])
            values = values[:, movies[has_ratings]]
            shares[cells] += np.float32(weight) * (values[:1] - values[1:]).T
        return shares

    def _stars(self, stars: Callable[[str], Floats], stack: str = "") -> Floats:
        weights, shift = (self.parameters[f"{stack}{name}"] for name in ("stack", "shift"))
        total = sum(weight * stars(name) for weight, name in zip(weights, self._rating, strict=True))
        return self.scale.clip((total + shift).astype(np.float32))

    def _learn_order(
        self, first: Mapping[str, AnyModel], parts: Mapping[str, Part], train: Dataset, held_out: Ratings
    ) -> Doubles:
        """Learn the weights of the order from the held-out ratings of liked movies; if there are none, or if the
        settings say so, return the starting weights. ``first``: the parts that were fitted without these ratings."""
        orders = {name: part.order for name, part in parts.items() if part.order}
        start = np.append(list(orders.values()), 0.0 if orders else 1.0)
        known = train.counts > 0
        # The columns of the tables: enough movies for any list, but not so many that the tables do not fit in memory.
        columns = np.flatnonzero(known)
        if len(columns) > ORDER_MOVIES:
            columns = np.sort(np.argsort(-train.counts, kind="stable")[:ORDER_MOVIES])
        relevant = np.flatnonzero((held_out.stars >= RELEVANT) & np.isin(held_out.movie, columns))
        users = np.unique(held_out.user[relevant])
        if not (self.settings.learned and orders and len(users)):
            return start
        users = users[evenly_spread(len(users), ORDER_USERS)]
        relevant = relevant[np.isin(held_out.user[relevant], users)]
        liked = np.zeros((len(users), len(columns)), bool)
        liked[np.searchsorted(users, held_out.user[relevant]), np.searchsorted(columns, held_out.movie[relevant])] = (
            True
        )
        tables = np.empty((len(start), len(users), len(columns)), np.float32)
        for index, user in enumerate(users):
            history = history_of(train, int(user))
            scores = {name: first[name].expect(first[name].fold_in(history)).score for name in orders}
            tables[:, index] = features(scores, train.counts, known)[:, columns]
            tables[:, index, np.isin(columns, history.movies)] = -np.inf
        return (start + coordinate_ascent(start, tables, liked)) / 2


def features(scores: Mapping[str, Floats], counts: Ints, known: Bools) -> Floats:
    """Return the features that the order is a weighted sum of, shape (parts + 1, movies); see ``Blend``."""
    rows = [score if name == BASE else _standardised(score[None], known)[0] for name, score in scores.items()]
    return np.asarray([*rows, np.log1p(counts)], np.float32)


def _standardised(scores: Floats, known: Bools) -> Floats:
    """Standardise each row over the known movies, shape (rows, movies)."""
    of_known = scores[:, known] if known.any() else scores
    spread = np.maximum(of_known.std(1, keepdims=True), TINY)
    return np.asarray((scores - of_known.mean(1, keepdims=True)) / spread, np.float32)


def fit_stack(predicted: Floats, stars: Floats) -> tuple[Doubles, float]:
    """Return the weights of the columns of ``predicted``, shape (ratings, parts), and the shift.

    The weights come from a ridge regression that shrinks them towards the first part alone. The shift is shrunk towards
    0. Each prior has the weight of ``PRIOR_RATINGS`` ratings.
    """
    parts = predicted.shape[1]
    first_alone = np.eye(parts)[0]
    if len(stars) < 2:
        return first_alone, 0.0
    x, y = predicted.astype(np.float64), stars.astype(np.float64)
    mean_x, mean_y = x.mean(0), y.mean()
    x, y = x - mean_x, y - mean_y
    ridge = PRIOR_RATINGS * max(float(x.var(0).mean()), TINY)
    weights = first_alone + np.linalg.solve(x.T @ x + ridge * np.eye(parts), x.T @ (y - x @ first_alone))
    share = len(stars) / (len(stars) + PRIOR_RATINGS)
    return weights, share * float(mean_y - mean_x @ weights)


def coordinate_ascent(start: Doubles, tables: Floats, liked: Bools) -> Doubles:
    """Move one weight at a time, never below 0, if that raises the mean ndcg of the first ``ORDER_RANKS`` ranks by more
    than ``MIN_GAIN``; return the weights.

    ``tables``: the features, shape (features, users, movies), minus infinity for movies that cannot be in a list.
    ``liked``: shape (users, movies), at least one for each user.
    """
    relevant = liked.sum(1).astype(np.int32)
    ranks = min(ORDER_RANKS, liked.shape[1])
    excluded = np.isneginf(tables[0])
    tables = np.where(excluded, np.float32(0), tables)

    def gain(weights: Doubles) -> float:
        score = np.tensordot(weights.astype(np.float32), tables, 1)
        score[excluded] = -np.inf
        first = np.argpartition(-score, ranks - 1, 1)[:, :ranks]
        first = np.take_along_axis(first, np.argsort(-np.take_along_axis(score, first, 1), 1), 1)
        return float(ndcg(np.take_along_axis(liked, first, 1), relevant).mean())

    weights, best = start, gain(start)
    for step in STEPS:
        for index in [*range(len(start))] * ROUNDS:
            for change in (step, -step):
                candidate = weights.copy()
                candidate[index] = max(0.0, candidate[index] + change)
                if (value := gain(candidate)) > best + MIN_GAIN:
                    weights, best = candidate, value
                    break
    return weights
