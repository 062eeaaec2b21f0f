"""Measure whether an interview's answers make better lists than other ratings do, and how many questions they take.

    python -m tests.benchmarks.interview [--dataset ml-1m] [--model ease] [--users 200] [--json]

Needs the dataset. Draws users with enough ratings and leaves them out: neither the model nor the interview ever sees
them. Half of each user's ratings serve as answers; any other movie counts as "not seen", even if the user rated it. The
other half is for testing. Answers are collected in these ways:

- interview: ask about genres, then with cards, then with lists, until 20 movies are rated;
- popular: ask about the movies with the most ratings, one after another, until 20 are rated;
- random: draw 40 answers at random, or 20;
- nothing: collect no answers.

Three metrics judge the lists. ``ndcg@10`` is measured in the order ``likely``; movies with at least 4 stars are
relevant. ``liked@10`` is measured in the order ``liked``: of the listed movies that the users rated in the half for
testing, it is the share with at least 4 stars, over all users together. For these two, a list may contain every movie
outside the half for answers. That half is the same for all ways, which therefore differ only in the answers given.
``ndcg@10_seen`` is the ``ndcg@10`` of lists that may contain every movie except the answers given; real lists, too, may
contain a movie that a viewer has seen but not mentioned.

The genres, each card and each list count as one question; ``shown`` counts the movies that the questions are about. To
choose settings, use ``--seed 1``. To report figures, use the default, 0, which draws other users.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np
from numpy.typing import NDArray

from movietui.data import catalogue
from movietui.data.dataset import Bools, Dataset, Ints
from movietui.data.problems import Problem
from movietui.models.base import History
from movietui.models.choices import Order
from movietui.models.evaluation.measure import build, choose
from movietui.models.metrics import RELEVANT
from movietui.models.serving.interview import (
    CARD_SIZE,
    CURIOSITY,
    FOCUS,
    LIST_SIZE,
    MIDDLE,
    Answers,
    Interview,
)
from movietui.models.serving.ranking import Ranker, Viewer
from movietui.state.interview import CARDS, ENOUGH, POINTS, STARS_OF_POINTS

ANSWERS = ENOUGH
RANDOM = 40
MOST = 300
"""The maximum number of questions that a user answers."""
TOP = 10
DRAWS = 2000
"""Bootstrap samples of users for the intervals."""

CLEAR = 0.15
"""A user says that they like or dislike a genre if the mean of their ratings of the genre differs from the mean of all
their ratings by more stars than this."""
PRIOR = 5
"""If a user has only this many ratings of a genre, the difference between its mean and their mean counts half."""

StarsByMovie = dict[int, float]


@dataclass(frozen=True, eq=False)
class Respondent:
    """A user who was left out, and who now answers."""

    answers: StarsByMovie
    """The movies, as rows, that the user can answer about, with their stars, in random order."""
    tested: StarsByMovie
    """The movies, as rows, of the half for testing, with their stars."""

    @property
    def liked(self) -> Ints:
        """The rows of the movies in the half for testing that the user likes."""
        return np.asarray([movie for movie, stars in self.tested.items() if stars >= RELEVANT], np.int32)


@dataclass(frozen=True, eq=False)
class Collected:
    """The answers that a way of asking collects."""

    given: StarsByMovie
    questions: int
    shown: int
    """The number of movies that the questions were about."""
    held: Mapping[int, int]
    """See ``Viewer.held``."""
    points: Sequence[tuple[int, float]] = ()
    """For each movie that got points on a card, the points and the stars that the user had given the movie."""


def drawn(dataset: Dataset, users: int, seed: int) -> tuple[Dataset, list[Respondent]]:
    """Draw users with enough ratings; return the dataset without these users, and the users who like a tested movie."""
    random = np.random.default_rng(seed)
    ratings = dataset.ratings
    counts = np.bincount(ratings.user, minlength=len(dataset.users))
    enough = np.flatnonzero(counts >= 2 * RANDOM)
    if not len(enough):
        raise Problem(f"Nobody in {dataset.name} has {2 * RANDOM} ratings.")
    chosen = random.choice(enough, min(users, len(enough)), replace=False)
    respondents = []
    for user in np.sort(chosen).tolist():
        rows = random.permutation(dataset.rows_of(user))
        answering, testing = (
            dict(zip(ratings.movie[half].tolist(), ratings.stars[half].tolist(), strict=True))
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :])
        )
        respondent = Respondent(answering, testing)
        if len(respondent.liked):
            respondents.append(respondent)
    return dataset.with_ratings(np.flatnonzero(~np.isin(ratings.user, chosen))), respondents


def genres_of(respondent: Respondent, genres: Bools) -> dict[int, int]:
    """Return the genres that a user would say they like (1) or dislike (-1), judging by their stars."""
    movies, stars = np.fromiter(respondent.answers, np.int32), np.fromiter(respondent.answers.values(), np.float64)
    of_genre = genres[movies]
    differences = (stars - stars.mean()) @ of_genre / (of_genre.sum(0) + PRIOR)
    return {genre: int(np.sign(difference)) for genre, difference in enumerate(differences) if abs(difference) > CLEAR}


@dataclass(frozen=True)
class Plan:
    """What the interview asks about: the genres if wanted, then cards, then lists."""

    cards: int
    card_size: int
    list_size: int
    genres: bool


def spend(stars: Sequence[float | None]) -> list[int]:
    """Return the points that a user would spend on the movies of a card.

    ``stars``: what they give each movie, None if they have not seen it. The liking of a movie is the excess of its
    stars over ``MIDDLE``. Each point goes to the movie whose liking, divided by one more than its points so far, is the
    largest (D'Hondt). If they like no movie, they spend no points.
    """
    liked = [0.0 if rating is None else max(0.0, rating - MIDDLE) for rating in stars]
    points = [0] * len(liked)
    for _ in range(POINTS if any(liked) else 0):
        shares = [value / (count + 1) for value, count in zip(liked, points, strict=True)]
        points[shares.index(max(shares))] += 1
    return points


def interviewed(interview: Interview, ranker: Ranker, respondent: Respondent, plan: Plan) -> Collected:
    """Return the answers that the interview collects."""
    given: StarsByMovie = {}
    unseen: list[int] = []
    unchosen: dict[int, float] = {}
    held: dict[int, int] = {}
    spent: list[tuple[int, float]] = []
    genres = genres_of(respondent, ranker.dataset.movies.genres) if plan.genres else {}
    cards, questions, shown = 0, int(plan.genres), 0
    while len(given) < ANSWERS and questions < MOST:
        answers = Answers(_history(given), np.asarray(unseen, np.int32), unchosen, genres=genres)
        card = interview.next_card(answers, plan.card_size) if cards < plan.cards else []
        movies = card or interview.next_list(answers, plan.list_size)
        if not movies:
            break
        cards, questions, shown = cards + 1, questions + 1, shown + len(movies)
        if not card:
            answered = [movie for movie in movies if movie in respondent.answers][: ANSWERS - len(given)]
            given |= {movie: respondent.answers[movie] for movie in answered}
            unseen += [movie for movie in movies if movie not in respondent.answers]
            continue
        points = spend([respondent.answers.get(row) for row in card])
        without_points = [row for row, count in zip(card, points, strict=True) if not count]
        if not any(points):
            unseen += without_points
            continue
        liking = interview.liking(answers, np.asarray(card, np.int32))
        unchosen |= {row: liked for row, liked, count in zip(card, liking, points, strict=True) if not count}
        above = dict(zip(card, ranker.movies_above(_viewer(given, held), card), strict=True))
        held |= {row: above[row] for row in without_points}
        for row, count in zip(card, points, strict=True):
            stars = STARS_OF_POINTS[count]
            if stars is not None:
                given[row] = stars
                spent.append((count, respondent.answers[row]))
    return Collected(given, questions, shown, held, spent)


def popular(order: Sequence[int], respondent: Respondent) -> Collected:
    """Return the answers that are collected by asking about movies one by one, in a given order."""
    given: StarsByMovie = {}
    for questions, movie in enumerate(order, start=1):
        if movie in respondent.answers:
            given[movie] = respondent.answers[movie]
        if len(given) == ANSWERS:
            return Collected(given, questions, questions, {})
    return Collected(given, len(order), len(order), {})


def at_random(respondent: Respondent, answers: int) -> Collected:
    """Return some of a user's answers, drawn at random."""
    return Collected(dict([*respondent.answers.items()][:answers]), answers, answers, {})


def judge(ranker: Ranker, respondent: Respondent, collected: Collected) -> dict[str, tuple[float, float]]:
    """Return each metric as a sum and a divisor, which are added up over users before they are divided."""
    viewer = _viewer(collected.given, collected.held)
    unanswered = np.ones(len(ranker.dataset.movies), bool)
    unanswered[[*respondent.answers]] = False

    def top(order: Order, passing: Bools | None) -> NDArray[np.intp]:
        return ranker.rank([viewer], passing=passing, order=order).order[:TOP]

    rated = [respondent.tested[movie] for movie in top("liked", unanswered).tolist() if movie in respondent.tested]
    return {
        "ndcg@10": (_ndcg(top("likely", unanswered), respondent.liked), 1.0),
        "ndcg@10_seen": (_ndcg(top("likely", None), respondent.liked), 1.0),
        "liked@10": (float(sum(stars >= RELEVANT for stars in rated)), float(len(rated))),
    }


def _history(given: StarsByMovie) -> History:
    return History(np.fromiter(given, np.int32, len(given)), np.fromiter(given.values(), np.float32, len(given)))


def _viewer(given: StarsByMovie, held: Mapping[int, int]) -> Viewer:
    return Viewer("profile", "respondent", _history(given), held=held)


def _ndcg(top: NDArray[np.intp], liked: Ints) -> float:
    gains = 1 / np.log2(np.arange(2, TOP + 2))
    return float((gains[: len(top)] * np.isin(top, liked)).sum() / gains[: len(liked)].sum())


def ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, float]:
    """Return the share by which the first metric exceeds the second, with a 95 % interval over users.

    ``first`` and ``second`` are arrays of sums and divisors, shape (users, 2).
    """
    random = np.random.default_rng(0)
    rows = random.integers(0, len(first), (DRAWS, len(first)))

    def figure(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0].sum(-1) / np.maximum(sums[..., 1].sum(-1), 1))

    low, high = np.percentile(figure(first[rows]) / figure(second[rows]) - 1, [2.5, 97.5])
    return {"more": float(figure(first) / figure(second) - 1), "low": float(low), "high": float(high)}


def measured(ranker: Ranker, respondents: Sequence[Respondent], interview: Interview, plan: Plan) -> dict[str, object]:
    """Return the metrics of each way, and how the interview compares with the other ways."""
    order = np.argsort(-ranker.dataset.counts, kind="stable").tolist()
    ways: Mapping[str, list[Collected]] = {
        "interview": [interviewed(interview, ranker, respondent, plan) for respondent in respondents],
        f"popular {ANSWERS}": [popular(order, respondent) for respondent in respondents],
        f"random {RANDOM}": [at_random(respondent, RANDOM) for respondent in respondents],
        f"random {ANSWERS}": [at_random(respondent, ANSWERS) for respondent in respondents],
        "nothing": [at_random(respondent, 0) for respondent in respondents],
    }
    results: dict[str, dict[str, NDArray[np.float64]]] = {}
    rows = {}
    for name, all_collected in ways.items():
        judged = [judge(ranker, respondent, each) for respondent, each in zip(respondents, all_collected, strict=True)]
        results[name] = {metric: np.asarray([each[metric] for each in judged]) for metric in judged[0]}
        rows[name] = {
            **{metric: float(sums[:, 0].sum() / max(sums[:, 1].sum(), 1)) for metric, sums in results[name].items()},
            "answers": float(np.mean([len(each.given) for each in all_collected])),
            "questions": float(np.mean([each.questions for each in all_collected])),
            "questions p50": float(np.median([each.questions for each in all_collected])),
            "shown p50": float(np.median([each.shown for each in all_collected])),
        }
    points = [pair for each in ways["interview"] for pair in each.points]
    compared = {
        f"{way} ({metric})": ratio(sums, results[way][metric])
        for way in (f"popular {ANSWERS}", f"random {RANDOM}")
        for metric, sums in results["interview"].items()
    }
    stars = {
        str(number): float(np.mean([rating for count, rating in points if count == number]))
        for number in sorted({count for count, _ in points})
    }
    return {"users": len(respondents), "ways": rows, "interview against": compared, "stars of points": stars}


@click.command()
@click.option("--dataset", "name", default="ml-1m", show_default=True)
@click.option("--model", "model_name", default="ease", show_default=True, help="The model that makes the lists.")
@click.option(
    "--users", default=200, show_default=True, type=click.IntRange(1), help="The number of users to leave out."
)
@click.option("--cards", default=CARDS, show_default=True, type=click.IntRange(0), help="Cards before the lists.")
@click.option("--card-size", default=CARD_SIZE, show_default=True, type=click.IntRange(2), help="Movies on a card.")
@click.option("--list-size", default=LIST_SIZE, show_default=True, type=click.IntRange(1), help="Movies in a list.")
@click.option("--genres/--no-genres", default=True, show_default=True, help="Ask about genres first.")
@click.option("--focus", default=FOCUS, show_default=True, help="See movietui.models.serving.interview.")
@click.option("--curiosity", default=CURIOSITY, show_default=True, help="See movietui.models.serving.interview.")
@click.option("--seed", default=0, show_default=True, help="The seed for drawing users.")
@click.option("--json", "json_", is_flag=True)
def main(
    name: str,
    model_name: str,
    users: int,
    cards: int,
    card_size: int,
    list_size: int,
    genres: bool,
    focus: float,
    curiosity: float,
    seed: int,
    json_: bool,
) -> None:
    """Compare the lists that the ways of collecting answers lead to."""
    try:
        dataset, respondents = drawn(catalogue.load(name, "none"), users, seed)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    model = build(model_name, choose(model_name))
    model.fit(dataset)
    plan = Plan(cards, card_size, list_size, genres)
    results = measured(Ranker(dataset, model), respondents, Interview(dataset, focus=focus, curiosity=curiosity), plan)
    settings = {**asdict(plan), "focus": focus, "curiosity": curiosity}
    document = {"dataset": name, "model": model_name, "seed": seed, **settings, **results}
    if json_:
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(f"{name}, lists by {model_name}, {results['users']} users, seed {seed}")
    click.echo(f"{'':12}" + "".join(f"{key:>14}" for key in document["ways"]["interview"]))
    for way, row in document["ways"].items():
        click.echo(f"{way:12}" + "".join(f"{value:14.3f}" for value in row.values()))
    for way, row in document["interview against"].items():
        click.echo(f"interview against {way:26}{row['more']:+7.1%}  ({row['low']:+.1%} … {row['high']:+.1%})")
    click.echo(
        "stars of movies with points: " + ", ".join(f"{k}: {v:.2f}" for k, v in document["stars of points"].items())
    )


if __name__ == "__main__":
    main()
