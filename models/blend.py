"""The best of several models: stars from those that predict best, order from those that rank best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats, Ints, Ratings, Scale
from data.splits import hold_out
from models.bayes import Bayes, BayesSettings
from models.ease import Ease, EaseSettings
from models.ials import Ials, IalsSettings
from models.metrics import RELEVANT, mse
from models.model import AnyModel, Epoch, Expectation, Fitted, History, Model, Parameters, Progress
from models.neighbours import ItemKNN, ItemKNNSettings
from models.settings import Settings, setting

Doubles = NDArray[np.float64]

LIKED = 4.0
"""From how many stars on a rating is one that the second ranker of a kind learns from."""
FEW = 100
"""Held-out ratings that draw the weights of the stack towards the first part alone."""
LEARNERS = 1500
"""From how many users, at most, the weights of the order are learned."""
CAUTION = 1.0
"""How many standard deviations of uncertainty are taken off the stars for their part in the order."""
EASY = 1e-3
"""What a squared weight of the order costs, beside the mean over users."""
STEPS = 30
"""Newton steps to the weights of the order, at most."""
SETTLED = 1e-4
"""A step that moves no weight by more is the last."""


@dataclass(frozen=True)
class BlendSettings(Settings):
    """Settings of ``Blend``. The parts are as they are by themselves, but where it is said."""

    factors: int = setting(16, 1, 128)
    """Of the Bayesian parts."""
    sweeps: int = setting(250, 1, 10_000)
    """Of the Bayesian parts."""
    neighbours: bool = setting(True, False, True)
    """Whether ``item-knn`` has a part in the stars."""
    ease: bool = setting(True, False, True)
    """Whether ``ease`` has a part in the order, twice: of all ratings, and of liked movies."""
    ials: bool = setting(True, False, True)
    """Whether ``ials`` has a part in the order, twice as well."""
    held_out: float = setting(0.1, 0.01, 0.5)
    """The share of the ratings that the weights are learned from; the parts are fitted without them first."""


@dataclass(frozen=True)
class Part:
    """A model that is a part of the blend."""

    build: Callable[[int], AnyModel]
    """Make it, unfitted, from a seed."""
    rates: bool
    """Whether its stars are a part of the stars; else its score is a part of the order."""


def parts_of(settings: BlendSettings) -> Mapping[str, Part]:
    """Return the parts by name; the first is ``bayes``, which the order takes stars and uncertainty from."""
    bayes = BayesSettings(factors=settings.factors, sweeps=settings.sweeps, caution=CAUTION, popularity=0.0)
    parts = {"bayes": Part(lambda seed: Bayes(bayes, seed=seed), rates=True)}
    if settings.neighbours:
        parts["item-knn"] = Part(lambda seed: ItemKNN(ItemKNNSettings(), seed=seed), rates=True)
    if settings.ease:
        parts["ease"] = Part(lambda seed: Ease(EaseSettings(), seed=seed), rates=False)
        parts["ease-liked"] = Part(lambda seed: Ease(EaseSettings(least=LIKED, ones=True), seed=seed), rates=False)
    if settings.ials:
        parts["ials"] = Part(lambda seed: Ials(IalsSettings(), seed=seed), rates=False)
        parts["ials-liked"] = Part(lambda seed: Ials(IalsSettings(least=LIKED, ones=True), seed=seed), rates=False)
    return parts


@dataclass(frozen=True, eq=False)
class Tastes:
    """What each part made of a viewer."""

    by_part: Mapping[str, Any]


class Blend(Model[BlendSettings, Tastes]):
    """Stars by a stack of the parts that rate, order by a ranking learned on top of all parts.

    The parts are fitted twice. Fitted without a tenth of the ratings they tell the weights; fitted on all they serve.

    *Stars*: ``shift + sum_k w_k r_k`` with the stars ``r_k`` of each part that rates; ``w`` by ridge regression on the
    tenth, drawn towards the first part alone (Breiman, Stacked regressions, 1996).

    *Order*: ``o . f`` with the features ``f`` of a movie for a viewer: the score of ``bayes``, which is its stars less
    a part of its uncertainty; the score of each part that ranks, with a mean of 0 and a deviation of 1 over the movies;
    and the logarithm of one more than the movie's ratings. ``o`` makes most of the probability of the liked movies of
    the tenth where each is drawn from all that the user had not rated with probability in proportion to
    ``exp(o . f)`` (McFadden, Conditional logit analysis, 1974; the listwise loss of Cao et al. 2007).

    *Uncertainty* is that of ``bayes``.
    """

    name = "blend"
    summary = "The best of several: Bayesian stars, and an order learned from what people watched and liked."
    settings_type = BlendSettings

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        self._parts = {name: part.build(self.seed) for name, part in parts_of(self.settings).items()}
        for name, model in self._parts.items():
            prefix = f"{name}/"
            own = {key.removeprefix(prefix): value for key, value in parameters.items() if key.startswith(prefix)}
            model.restore(own, scale)
        self._known = parameters["counts"] > 0

    def _learn(self, train: Dataset, validation: Ratings | None, progress: Progress) -> tuple[Parameters, Fitted]:
        parts = parts_of(self.settings)
        rows, held_out = hold_out(np.arange(len(train.ratings)), self.seed, self.settings.held_out)
        most, judged = train.with_ratings(rows), train.ratings.take(held_out)
        curve: list[Epoch] = []

        def tell(predict: Callable[[Ints, Ints], Floats], loss: float) -> None:
            watched = None
            if validation is not None:
                watched = mse(predict(validation.user, validation.movie), validation.stars)
            curve.append(Epoch(len(curve) + 1, len(parts) + 1, loss, watched))
            progress(curve[-1])

        first: dict[str, AnyModel] = {}
        served: dict[str, AnyModel] = {}
        for name, part in parts.items():
            for models, data in ((first, most), (served, train)):
                models[name] = part.build(self.seed)
                models[name].fit(data)
            tell(served[name].predict, mse(first[name].predict(judged.user, judged.movie), judged.stars))
        raters = [name for name, part in parts.items() if part.rates]
        predicted = np.stack([first[name].predict(judged.user, judged.movie) for name in raters], 1)
        stack, shift = stacked(predicted, judged.stars)
        found: Parameters = {
            f"{name}/{key}": value for name, model in served.items() for key, value in model.parameters.items()
        }
        found |= {"stack": stack, "shift": np.asarray(shift), "order": self._learn_order(first, most, judged)}
        served_blend = Blend(self.settings, seed=self.seed)
        served_blend.restore({**found, "counts": train.counts}, train.scale)
        tell(served_blend.predict, mse(train.scale.clip((predicted @ stack + shift).astype(np.float32)), judged.stars))
        return found, Fitted.of(curve)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the stacked stars."""
        return self._stars(lambda name: self._parts[name].predict(users, movies))

    def fold_in(self, history: History) -> Tastes:
        """Fold the viewer in for each part."""
        return Tastes({name: model.fold_in(history) for name, model in self._parts.items()})

    def expect(self, taste: Tastes) -> Expectation:
        """Return the stacked stars, the uncertainty of ``bayes`` and the learned order."""
        found = {name: model.expect(taste.by_part[name]) for name, model in self._parts.items()}
        features = self._features({name: each.score for name, each in found.items()})
        score = (features @ self.parameters["order"]).astype(np.float32)
        return Expectation(self._stars(lambda name: found[name].stars), found["bayes"].uncertainty, score)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Sum what each part says, with deviations over all movies as they would be without the rating."""
        whole = {name: model.expect(model.fold_in(history)).score for name, model in self._parts.items()}
        everything = np.arange(len(self.counts), dtype=np.int32)
        shares = np.zeros((len(movies), len(history)), np.float32)
        for weight, (name, score) in zip(self.parameters["order"], whole.items(), strict=False):
            model = self._parts[name]
            if name == BASE:
                shares += np.float32(weight) * model.explain_list(history, movies)
                continue
            without = score[:, None] - model.explain_list(history, everything)
            both = np.concatenate([score[:, None], without], 1)
            values = _standardised(both, self._known)[movies]
            shares += np.float32(weight) * (values[:, :1] - values[:, 1:])
        return shares

    def _stars(self, stars: Callable[[str], Floats]) -> Floats:
        raters = [name for name, part in parts_of(self.settings).items() if part.rates]
        found = sum(weight * stars(name) for weight, name in zip(self.parameters["stack"], raters, strict=True))
        return self.scale.clip((found + self.parameters["shift"]).astype(np.float32))

    def _features(self, scores: Mapping[str, Floats]) -> Doubles:
        return features(scores, self.counts, self._known)

    def _learn_order(self, parts: Mapping[str, AnyModel], train: Dataset, judged: Ratings) -> Doubles:
        """Learn the weights of the order from liked ratings that the parts were fitted without."""
        counts = train.counts
        known = counts > 0
        liked = (judged.stars >= RELEVANT) & known[judged.movie]
        by_user: dict[int, list[int]] = {}
        for user, movie in zip(judged.user[liked].tolist(), judged.movie[liked].tolist(), strict=True):
            by_user.setdefault(user, []).append(movie)
        users = sorted(by_user)
        if len(users) > LEARNERS:
            users = [users[place] for place in np.linspace(0, len(users) - 1, LEARNERS).astype(int)]
        choices: list[Choice] = []
        for user in users:
            rows = train.rows_of(user)
            history = History(train.ratings.movie[rows], train.ratings.stars[rows], user)
            scores = {name: model.expect(model.fold_in(history)).score for name, model in parts.items()}
            open_to = known.copy()
            open_to[history.movies] = False
            table = features(scores, counts, known)[open_to].astype(np.float32)
            wanted = np.zeros(len(counts), bool)
            wanted[by_user[user]] = True
            if wanted[open_to].any():
                choices.append(Choice(table, wanted[open_to]))
        return learn_choice(choices, len(parts) + 1)


BASE = "bayes"


def features(scores: Mapping[str, Floats], counts: Ints, known: Bools) -> Doubles:
    """Return what the order is made of, shape (movies, parts + 1); see ``Blend``."""
    columns = [score if name == BASE else _standardised(score[:, None], known)[:, 0] for name, score in scores.items()]
    return np.stack([*columns, np.log1p(counts)], 1).astype(np.float64)


def _standardised(scores: Floats, known: Bools) -> Floats:
    """Take from each column its mean over the known movies, and divide by the deviation, shape (movies, columns)."""
    among = scores[known] if known.any() else scores
    return np.asarray((scores - among.mean(0)) / np.maximum(among.std(0), 1e-6), np.float32)


def stacked(predicted: Floats, stars: Floats) -> tuple[Doubles, float]:
    """Return the weights of the columns of ``predicted``, shape (ratings, parts), and what is added.

    Ridge regression, drawn towards the first part alone as if ``FEW`` more ratings had said so.
    """
    parts = predicted.shape[1]
    alone = np.eye(parts)[0]
    if len(stars) < 2:
        return alone, 0.0
    x, y = predicted.astype(np.float64), stars.astype(np.float64)
    mean_x, mean_y = x.mean(0), y.mean()
    x, y = x - mean_x, y - mean_y
    ridge = FEW * max(float(x.var(0).mean()), 1e-9)
    weights = alone + np.linalg.solve(x.T @ x + ridge * np.eye(parts), x.T @ (y - x @ alone))
    share = len(stars) / (len(stars) + FEW)
    return weights, share * float(mean_y - mean_x @ weights)


@dataclass(frozen=True, eq=False)
class Choice:
    """The movies that a user had not rated, and which of them turned out to be liked."""

    features: Floats
    """Shape (movies, features)."""
    wanted: Bools
    """Shape (movies,)."""


def learn_choice(choices: list[Choice], size: int) -> Doubles:
    """Return the weights that make what was wanted most probable, none below 0 but the last, of popularity.

    Each user counts once, however many movies they liked. Without choices only popularity counts. A part that would
    count against its own order is left out, the worst first, and the others learned again.
    """
    used = np.ones(size, bool)
    while True:
        weights = np.zeros(size)
        weights[used] = _most_probable(choices, used) if choices else used[used] * (np.flatnonzero(used) == size - 1)
        worst = int(weights[:-1].argmin())
        if weights[worst] >= 0:
            return weights
        used[worst] = False


def _most_probable(choices: list[Choice], used: Bools) -> Doubles:
    """Learn the weights of some features by Newton's method; the loss is convex."""
    weights = np.zeros(int(used.sum()))
    for _ in range(STEPS):
        slope, curvature = -EASY * weights, EASY * np.eye(len(weights))
        for choice in choices:
            table = choice.features[:, used].astype(np.float64)
            said = table @ weights
            chance = np.exp(said - said.max())
            chance /= chance.sum()
            mean = chance @ table
            slope += (table[choice.wanted].mean(0) - mean) / len(choices)
            curvature += ((table * chance[:, None]).T @ table - np.outer(mean, mean)) / len(choices)
        step = np.linalg.solve(curvature, slope)
        weights += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < SETTLED:
            break
    return weights
