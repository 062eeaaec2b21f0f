"""The best of several models: stars from those that predict best, order from those that rank best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Bools, Dataset, Floats, Ints, Ratings, Scale
from data.splits import hold_out
from models import stages
from models.bayes import Bayes, BayesSettings
from models.ease import Ease
from models.ials import Ials
from models.item_knn import ItemKNN
from models.metrics import RELEVANT, mse, ndcg
from models.model import AnyModel, Epoch, Expectation, Fitted, History, Model, Parameters, Progress, history_of
from models.settings import Settings, setting
from models.threads import side_by_side

Doubles = NDArray[np.float64]

TINY = 1e-6
FEW = 100
"""Held-out ratings that draw the weights of the stack towards the first part alone."""
LEARNERS = 1000
"""From how many users, at most, the weights of the order are learned."""
FIRST = 50
"""How many places of the lists count for the weights of the order: more than the ten that are measured at last, whose
ndcg rests on too few hits to learn from."""
STEPS = (0.5, 0.25)
"""By how much a weight of the order is moved, first and then."""
ROUNDS = 2
"""How often all weights are tried with steps of one size."""
ENOUGH = 2e-4
"""By how much the ndcg must rise for a step to be taken."""


@dataclass(frozen=True)
class BlendSettings(Settings):
    """Settings of ``Blend``. The parts are as they are by themselves, but where it is said."""

    factors: int = setting(0, 0, 128)
    """Of ``bayes``; 0 for as many as the number of ratings supports."""
    sweeps: int = setting(200, 1, 10_000)
    """Of ``bayes``."""
    neighbours: bool = setting(True, False, True)
    """Whether ``item-knn`` has a part in the stars."""
    ease: bool = setting(True, False, True)
    """Whether ``ease`` has a part in the order."""
    ials: bool = setting(True, False, True)
    """Whether ``ials`` has a part in the order: three of it, which start from other numbers."""
    stars: bool = setting(True, False, True)
    """Whether the expected stars, less their uncertainty, have a part in the order."""
    learned: bool = setting(True, False, True)
    """Whether the weights of the order are learned; else they are those that learning starts from."""
    held_out: float = setting(0.1, 0.01, 0.5)
    """The share of the ratings that the weights are learned from; the parts are fitted without them first."""


@dataclass(frozen=True)
class Part:
    """A model that is a part of the blend."""

    build: Callable[[int], AnyModel]
    """Make it, unfitted, from a seed."""
    rates: bool = False
    """Whether its stars are a part of the stars."""
    order: float = 0.0
    """The weight of its score in the order that learning starts from."""


CAUTION = 1.0
"""How many standard deviations of uncertainty are taken off the stars for their part in the order."""
BASE = "bayes"
"""The part whose uncertainty is the blend's, and whose stars have a part in the order."""
IALS = 3
"""How many of ``ials`` there are, which start from other numbers."""


def parts_of(settings: BlendSettings) -> Mapping[str, Part]:
    """Return the parts by name, ``BASE`` first."""
    bayes = BayesSettings(factors=settings.factors, sweeps=settings.sweeps, caution=CAUTION, popularity=0.0)
    parts = {BASE: Part(lambda seed: Bayes(bayes, seed=seed), rates=True, order=0.5 * settings.stars)}
    if settings.neighbours:
        parts["item-knn"] = Part(lambda seed: ItemKNN(seed=seed), rates=True)
    if settings.ease:
        parts["ease"] = Part(lambda seed: Ease(seed=seed), order=2.0)
    if settings.ials:
        for place in range(IALS):
            parts[f"ials-{place}"] = Part(lambda seed, place=place: Ials(seed=seed + place), order=1.0)  # type: ignore[misc]
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
    a part of their uncertainty; the score of each part that ranks, with a mean of 0 and a deviation of 1 over the
    movies; and the logarithm of one more than the movie's ratings. ``o`` makes most of the ndcg of what was liked among
    the tenth, in lists of all that a user had not rated, by moving one weight at a time (coordinate ascent: Metzler and
    Croft, Linear feature-based models for information retrieval, 2007); half of the way from the start is gone, for
    the tenth is small.

    *Uncertainty* is that of ``bayes``.
    """

    name = "blend"
    summary = "The best of several: Bayesian stars, and an order learned from what people watched and liked."
    settings_type = BlendSettings

    def restore(self, parameters: Parameters, scale: Scale) -> None:
        """Become the fitted model that these parameters were taken from."""
        super().restore(parameters, scale)
        parts = parts_of(self.settings)
        self._parts = {name: part.build(self.seed) for name, part in parts.items()}
        for name, model in self._parts.items():
            prefix = f"{name}/"
            own = {key.removeprefix(prefix): value for key, value in parameters.items() if key.startswith(prefix)}
            model.restore(own, scale)
        self._known = parameters["counts"] > 0
        self._ranking = [name for name, part in parts.items() if part.order]
        self._rating = [name for name, part in parts.items() if part.rates]

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

        def tell_share(name: str, place: int, epoch: Epoch) -> None:
            """``BASE``, which comes first, takes about as long as all the others."""
            done = (place + epoch.number / epoch.of) / 2
            stages.share(name, 0.5 * (1 + (len(curve) - 1 + done) / len(parts)) if curve else 0.5 * done)

        first: dict[str, AnyModel] = {}
        served: dict[str, AnyModel] = {}
        for name, part in parts.items():
            for place, (models, data) in enumerate(((first, most), (served, train))):
                models[name] = part.build(self.seed)
                models[name].fit(data, progress=partial(tell_share, name, place))
            told = first[name].predict(judged.user, judged.movie)
            tell(served[name].predict, mse(told, judged.stars) if len(judged) else 0.0)
        raters = [name for name, part in parts.items() if part.rates]
        predicted = np.stack([first[name].predict(judged.user, judged.movie) for name in raters], 1)
        stack, shift = stacked(predicted, judged.stars)
        found: Parameters = {
            f"{name}/{key}": value for name, model in served.items() for key, value in model.parameters.items()
        }
        found |= {"stack": stack, "shift": np.asarray(shift), "order": self._learn_order(first, most, judged)}
        served_blend = Blend(self.settings, seed=self.seed)
        served_blend.restore({**found, "counts": train.counts}, train.scale)
        together = train.scale.clip((predicted @ stack + shift).astype(np.float32))
        tell(served_blend.predict, mse(together, judged.stars) if len(judged) else 0.0)
        return found, Fitted.of(curve)

    def noise(self, user: int | None) -> Floats | None:
        """Return that of ``bayes``, as of the uncertainty."""
        return self._parts[BASE].noise(user)

    def predict(self, users: Ints, movies: Ints) -> Floats:
        """Return the stacked stars."""
        return self._stars(lambda name: self._parts[name].predict(users, movies))

    def fold_in(self, history: History) -> Tastes:
        """Fold the viewer in for each part: for ``BASE``, which takes as long as all others, beside these."""
        base, *others = self._parts.items()
        taste, tastes = side_by_side(
            lambda: base[1].fold_in(history), lambda: {name: model.fold_in(history) for name, model in others}
        )
        return Tastes({BASE: taste, **tastes})

    def expect(self, taste: Tastes) -> Expectation:
        """Return the stacked stars, the uncertainty of ``bayes`` and the learned order."""
        found = {name: model.expect(taste.by_part[name]) for name, model in self._parts.items()}
        table = features({name: found[name].score for name in self._ranking}, self.counts, self._known)
        score = np.asarray(self.parameters["order"] @ table, np.float32)
        return Expectation(self._stars(lambda name: found[name].stars), found[BASE].uncertainty, score)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        """Sum what each part says, with deviations over all movies as they would be without the rating."""
        everything = np.arange(len(self.counts), dtype=np.int32)
        shares = np.zeros((len(movies), len(history)), np.float32)
        for weight, name in zip(self.parameters["order"], self._ranking, strict=False):
            model = self._parts[name]
            if name == BASE:
                shares += np.float32(weight) * model.explain_list(history, movies)
                continue
            score = model.expect(model.fold_in(history)).score[None]
            without = score - model.explain_list(history, everything).T
            values = _standardised(np.concatenate([score, without]), self._known)[:, movies]
            shares += np.float32(weight) * (values[:1] - values[1:]).T
        return shares

    def _stars(self, stars: Callable[[str], Floats]) -> Floats:
        found = sum(weight * stars(name) for weight, name in zip(self.parameters["stack"], self._rating, strict=True))
        return self.scale.clip((found + self.parameters["shift"]).astype(np.float32))

    def _learn_order(self, first: Mapping[str, AnyModel], train: Dataset, judged: Ratings) -> Doubles:
        """Learn the weights of the order from liked ratings that the parts were fitted without."""
        parts = {name: part.order for name, part in parts_of(self.settings).items() if part.order}
        start = np.append(list(parts.values()), 0.0 if parts else 1.0)
        known = train.counts > 0
        liked = np.zeros((len(train.users), len(train.movies)), bool)
        rows = judged.stars >= RELEVANT
        liked[judged.user[rows], judged.movie[rows]] = True
        liked &= known
        users = np.flatnonzero(liked.any(1))
        if not (self.settings.learned and parts and len(users)):
            return start
        users = users[np.unique(np.linspace(0, len(users) - 1, LEARNERS).astype(int))]
        tables = np.empty((len(start), len(users), len(known)), np.float32)
        for place, user in enumerate(users):
            history = history_of(train, int(user))
            scores = {name: first[name].expect(first[name].fold_in(history)).score for name in parts}
            tables[:, place] = features(scores, train.counts, known)
            tables[:, place, history.movies] = -np.inf
        tables[:, :, ~known] = -np.inf
        return (start + ascended(start, tables, liked[users])) / 2


def features(scores: Mapping[str, Floats], counts: Ints, known: Bools) -> Floats:
    """Return what the order is made of, shape (parts + 1, movies); see ``Blend``."""
    rows = [score if name == BASE else _standardised(score[None], known)[0] for name, score in scores.items()]
    return np.asarray([*rows, np.log1p(counts)], np.float32)


def _standardised(scores: Floats, known: Bools) -> Floats:
    """Take from each row its mean over the known movies, and divide by the deviation, shape (rows, movies)."""
    among = scores[:, known] if known.any() else scores
    spread = np.maximum(among.std(1, keepdims=True), TINY)
    return np.asarray((scores - among.mean(1, keepdims=True)) / spread, np.float32)


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
    ridge = FEW * max(float(x.var(0).mean()), TINY)
    weights = alone + np.linalg.solve(x.T @ x + ridge * np.eye(parts), x.T @ (y - x @ alone))
    share = len(stars) / (len(stars) + FEW)
    return weights, share * float(mean_y - mean_x @ weights)


def ascended(start: Doubles, tables: Floats, liked: Bools) -> Doubles:
    """Return the weights, none below 0, that no step makes better, by the mean ndcg of the first ``FIRST`` places.

    ``tables``: of each feature, shape (features, users, movies), minus infinity for what cannot be in a list.
    ``liked``: shape (users, movies), at least one for each user.
    """
    relevant = liked.sum(1).astype(np.int32)
    places = min(FIRST, liked.shape[1])
    out = np.isneginf(tables[0])
    tables = np.where(out, np.float32(0), tables)

    def worth(weights: Doubles) -> float:
        score = np.tensordot(weights.astype(np.float32), tables, 1)
        score[out] = -np.inf
        first = np.argpartition(-score, places - 1, 1)[:, :places]
        first = np.take_along_axis(first, np.argsort(-np.take_along_axis(score, first, 1), 1), 1)
        return float(ndcg(np.take_along_axis(liked, first, 1), relevant).mean())

    weights, best = start, worth(start)
    for step in STEPS:
        for place in [*range(len(start))] * ROUNDS:
            for move in (step, -step):
                tried = weights.copy()
                tried[place] = max(0.0, tried[place] + move)
                found = worth(tried)
                if found > best + ENOUGH:
                    weights, best = tried, found
                    break
    return weights
