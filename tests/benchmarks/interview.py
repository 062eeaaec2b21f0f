"""Whether an interview gets to know somebody better than other ratings would.

    python -m tests.benchmarks.interview [--dataset ml-1m] [--model ease] [--users 200] [--json]

Needs the dataset. Users who rated enough are drawn and left out; neither the model nor the interview ever sees them.
Half of each one's ratings answer: a film that is not among them is "not seen", though they may have seen it. The other
half judges: ``ndcg@10`` of a list from what was told, relevant is 4 stars or more. Four ways of telling:

- the interview: cards first, then single films, until 15 films were rated;
- popular: the films with most ratings, one after the other, until 15 were rated;
- random: 40 of the answers, drawn by chance; and 15 of them.

Questions are counted too, a card as one. The list is over all films but the half that answers, the same for all ways,
so that they differ in what was told only; ``untold`` is over all films but those told, as lists are in use, where a
film that was seen and not told takes a place. Choose settings with ``--seed`` 1, report with 0: other users are drawn.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
import numpy as np
from numpy.typing import NDArray

from data import catalogue
from data.dataset import Dataset, Ints
from data.problems import Problem
from models.evaluation import build, choose
from models.interview import FOCUS, MIDDLE, Answers, Interview
from models.model import AnyModel, History
from movietui.interviewing import CARDS, POINTS, STARS_OF_POINTS

ANSWERS = 15
RANDOM = 40
MOST = 300
"""Questions after which anybody has had enough."""
TOP = 10
RELEVANT = 4.0
DRAWS = 2000
"""Samples of users that the intervals come from."""

Told = dict[int, float]


@dataclass(frozen=True, eq=False)
class Person:
    """A user who was left out."""

    answers: Told
    """The stars of the films that they answer about, by row, in random order."""
    liked: Ints
    """Rows of the films that they like, of the other half."""


def drawn(dataset: Dataset, users: int, seed: int) -> tuple[Dataset, list[Person]]:
    """Return the dataset without some users, and those; all have enough ratings for each way of telling."""
    random = np.random.default_rng(seed)
    ratings = dataset.ratings
    counts = np.bincount(ratings.user, minlength=len(dataset.users))
    enough = np.flatnonzero(counts >= 2 * RANDOM)
    if not len(enough):
        raise Problem(f"Nobody in {dataset.name} has {2 * RANDOM} ratings.")
    chosen = random.choice(enough, min(users, len(enough)), replace=False)
    people = []
    for user in np.sort(chosen).tolist():
        rows = random.permutation(dataset.rows_of(user))
        own, judge = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        liked = ratings.movie[judge[ratings.stars[judge] >= RELEVANT]]
        if len(liked):
            people.append(
                Person(dict(zip(ratings.movie[own].tolist(), ratings.stars[own].tolist(), strict=True)), liked)
            )
    return dataset.with_ratings(np.flatnonzero(~np.isin(ratings.user, chosen))), people


def spend(stars: Sequence[float | None]) -> list[int]:
    """Return the points that somebody would spend on the films of a card whom they please so much.

    ``stars`` are None for what they have not seen. Each point goes to the film with the most liking for each point that
    it would then have (D'Hondt); none go where no film is liked.
    """
    liked = [0.0 if given is None else max(0.0, given - MIDDLE) for given in stars]
    points = [0] * len(liked)
    for _ in range(POINTS if any(liked) else 0):
        shares = [value / (had + 1) for value, had in zip(liked, points, strict=True)]
        points[shares.index(max(shares))] += 1
    return points


def interviewed(interview: Interview, person: Person, cards: int = CARDS) -> tuple[Told, int, list[tuple[int, float]]]:
    """Return what the interview is told, after how many questions, and points with the stars of their films."""
    told: Told = {}
    unseen: list[int] = []
    passed: list[int] = []
    spent: list[tuple[int, float]] = []
    questions = 0
    while len(told) < ANSWERS and questions < MOST:
        answers = Answers(_history(told), np.asarray(unseen, np.int32), np.asarray(passed, np.int32))
        card = interview.next_card(answers) if questions < cards else []
        film = None if card else interview.next_film(answers)
        if film is None and not card:
            break
        questions += 1
        if film is not None:
            if film in person.answers:
                told[film] = person.answers[film]
            else:
                unseen.append(film)
            continue
        points = spend([person.answers.get(row) for row in card])
        for row, given in zip(card, points, strict=True):
            stars = STARS_OF_POINTS[given]
            if stars is not None:
                told[row] = stars
                spent.append((given, person.answers[row]))
            else:
                (passed if any(points) else unseen).append(row)
    return told, questions, spent


def popular(order: Sequence[int], person: Person) -> tuple[Told, int]:
    """Return what is told when the films are asked about in an order, and after how many questions."""
    told: Told = {}
    for questions, film in enumerate(order, start=1):
        if film in person.answers:
            told[film] = person.answers[film]
        if len(told) == ANSWERS:
            return told, questions
    return told, len(order)


def judged(model: AnyModel, person: Person, told: Told) -> tuple[float, float]:
    """Return ``ndcg@10`` of the list without the half that answers, and without what was told."""
    score = model.expect(model.fold_in(_history(told))).score
    return _ndcg(score, list(person.answers), person.liked), _ndcg(score, list(told), person.liked)


def _history(told: Told) -> History:
    movies = np.fromiter(told, np.int32, len(told))
    return History(movies, np.fromiter(told.values(), np.float32, len(told)))


def _ndcg(score: NDArray[np.float32], left_out: list[int], liked: Ints) -> float:
    open_ = score.copy()
    open_[left_out] = -np.inf
    gains = 1 / np.log2(np.arange(2, TOP + 2))
    hits = np.isin(np.argsort(-open_, kind="stable")[:TOP], liked)
    return float((gains * hits).sum() / gains[: len(liked)].sum())


def ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, float]:
    """Return by how much the first mean is above the second, as a share, with a 95 % interval over users."""
    random = np.random.default_rng(0)
    rows = random.integers(0, len(first), (DRAWS, len(first)))
    low, high = np.percentile(first[rows].mean(1) / second[rows].mean(1) - 1, [2.5, 97.5])
    return {"more": float(first.mean() / second.mean() - 1), "low": float(low), "high": float(high)}


def measured(
    dataset: Dataset, model: AnyModel, people: Sequence[Person], interview: Interview, cards: int
) -> dict[str, object]:
    """Return the figures of each way of telling, and how the interview compares with them."""
    order = np.argsort(-dataset.counts, kind="stable").tolist()
    asked = [interviewed(interview, person, cards) for person in people]
    ways: Mapping[str, list[tuple[Told, int]]] = {
        "interview": [(told, questions) for told, questions, _ in asked],
        "popular 15": [popular(order, person) for person in people],
        "random 40": [(dict(list(person.answers.items())[:RANDOM]), RANDOM) for person in people],
        "random 15": [(dict(list(person.answers.items())[:ANSWERS]), ANSWERS) for person in people],
        "nothing": [({}, 0) for _ in people],
    }
    found: dict[str, NDArray[np.float64]] = {}
    rows = {}
    for name, told in ways.items():
        found[name] = np.asarray([judged(model, person, said) for person, (said, _) in zip(people, told, strict=True)])
        same, untold = found[name].mean(0).tolist()
        questions = [count for _, count in told]
        rows[name] = {
            "ndcg@10": same,
            "untold": untold,
            "answers": float(np.mean([len(said) for said, _ in told])),
            "questions": float(np.mean(questions)),
            "questions p50": float(np.median(questions)),
        }
    points = [pair for _, _, spent in asked for pair in spent]
    compared = {
        f"{way} ({kind})": ratio(found["interview"][:, column], found[way][:, column])
        for way in ("popular 15", "random 40")
        for column, kind in enumerate(("ndcg@10", "untold"))
    }
    stars = {
        str(number): float(np.mean([given for had, given in points if had == number]))
        for number in sorted({had for had, _ in points})
    }
    return {"users": len(people), "ways": rows, "interview against": compared, "stars of points": stars}


@click.command()
@click.option("--dataset", "name", default="ml-1m", show_default=True)
@click.option("--model", "model_name", default="ease", show_default=True, help="What makes the lists.")
@click.option("--users", default=200, show_default=True, type=click.IntRange(1), help="How many are left out.")
@click.option("--cards", default=CARDS, show_default=True, type=click.IntRange(0), help="Cards before single films.")
@click.option("--focus", default=FOCUS, show_default=True, help="Of the interview, see models.interview.")
@click.option("--seed", default=0, show_default=True, help="Of the draw of users.")
@click.option("--json", "json_", is_flag=True)
def main(name: str, model_name: str, users: int, cards: int, focus: float, seed: int, json_: bool) -> None:
    """Measure and print."""
    try:
        dataset, people = drawn(catalogue.load(name, "none"), users, seed)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    model = build(model_name, choose(model_name))
    model.fit(dataset)
    found = measured(dataset, model, people, Interview(dataset, focus=focus), cards)
    told = {"dataset": name, "model": model_name, "seed": seed, "cards": cards, "focus": focus, **found}
    if json_:
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"{name}, lists by {model_name}, {found['users']} users, seed {seed}")
    click.echo(f"{'':12}" + "".join(f"{key:>14}" for key in told["ways"]["interview"]))
    for way, row in told["ways"].items():
        click.echo(f"{way:12}" + "".join(f"{value:14.3f}" for value in row.values()))
    for way, row in told["interview against"].items():
        click.echo(f"interview against {way:22}{row['more']:+7.1%}  ({row['low']:+.1%} … {row['high']:+.1%})")
    click.echo("stars of films with points: " + ", ".join(f"{k}: {v:.2f}" for k, v in told["stars of points"].items()))


if __name__ == "__main__":
    main()
