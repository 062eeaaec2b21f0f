"""Print movies at the top of lists with their reasons, as the app shows them, so that a person can judge the reasons.

    python -m tests.benchmarks.reasons --seed 3 [--dataset ml-100k] [--model mf --model blend] [-k 5]

Needs a home (MOVIETUI_HOME) with the dataset and with a run of each model. Draws twelve viewers: four new ones, of whom
two answer the interview and two import 10 to 25 of a user's ratings; four users with 50 to 200 ratings; and four with
more. Prints what each viewer liked and disliked, and the first ``k`` movies of their list by each model. Below a movie
is what the details pane says about it, and the line with which ``recommend`` names one reason. Lists of half of the
viewers come from each model, as far as that is possible, so two models and ``-k 5`` make 60 explanations.

A reason convinces if somebody who knows the movies would nod. Judge a sample with another seed than the one that rules
were chosen with.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
import numpy as np

from movietui.answers.lists import served
from movietui.cli.lists import reason
from movietui.cli.output import open_store
from movietui.data.dataset import Dataset
from movietui.data.problems import Problem
from movietui.engine.open_dataset import OpenDataset
from movietui.formatting import text
from movietui.models.metrics import DISLIKED, RELEVANT
from movietui.models.serving.interview import CARD_SIZE, LIST_SIZE, Interview
from movietui.models.serving.ranking import Ranker
from movietui.protocol.messages import ViewerRatings
from movietui.state.interview import CARDS
from movietui.ui.browse.movie_details import describe
from tests.benchmarks.interview import ANSWERS, Plan, Respondent, StarsByMovie, interviewed

OF_EACH_KIND = 4
NEW = (10, 25)
"""The least and the most ratings of a viewer who imports some."""
SOME, MANY = 50, 200
"""A viewer of the second kind has from ``SOME`` to ``MANY`` ratings, one of the third kind has more."""
NAMED = 40
"""The most liked, and the most disliked, movies of a viewer that are printed."""
WIDTH = 46
"""The cells of the details pane."""
PAGE = 110


@dataclass(frozen=True)
class Drawn:
    """A viewer of the sample."""

    kind: str
    ratings: ViewerRatings
    stars: StarsByMovie


def drawn(dataset: Dataset, interviewer: Ranker, seed: int) -> list[Drawn]:
    """Draw the viewers. ``interviewer`` ranks lists during the interviews."""
    random = np.random.default_rng(seed)
    counts = dataset.ratings.by_user(len(dataset.users))
    groups = (counts >= 2 * SOME, (counts >= SOME) & (counts <= MANY), counts > MANY)
    viewers: list[Drawn] = []
    taken: set[int] = set()
    for kind, group in zip(("new", "some ratings", "many ratings"), groups, strict=True):
        free = np.setdiff1d(np.flatnonzero(group), np.fromiter(taken, np.intp, len(taken)))
        if len(free) < OF_EACH_KIND:
            raise Problem(f"{dataset.name} has fewer than {OF_EACH_KIND} users for the kind “{kind}”.")
        for index, user in enumerate(random.choice(free, OF_EACH_KIND, replace=False).tolist()):
            taken.add(user)
            rows = random.permutation(dataset.rows_of(user))
            stars = dict(zip(dataset.ratings.movie[rows].tolist(), dataset.ratings.stars[rows].tolist(), strict=True))
            if kind != "new":
                viewers.append(Drawn(kind, _user(dataset.users.ids[user]), stars))
            elif index % 2:
                imported = dict([*stars.items()][: int(random.integers(NEW[0], NEW[1] + 1))])
                viewers.append(Drawn("new, by import", _profile(dataset, imported), imported))
            else:
                plan = Plan(CARDS, CARD_SIZE, LIST_SIZE, genres=True)
                given = interviewed(Interview(dataset), interviewer, Respondent(stars, {}), plan).given
                given = dict([*given.items()][:ANSWERS])
                viewers.append(Drawn("new, by interview", _profile(dataset, given), given))
    return viewers


def _profile(dataset: Dataset, stars: StarsByMovie) -> ViewerRatings:
    rated = [(dataset.movies.keys[movie], value) for movie, value in stars.items()]
    return {"kind": "profile", "id": "somebody", "rated": rated, "seen": [], "hidden": []}


def _user(user_id: str) -> ViewerRatings:
    return {"kind": "user", "id": user_id, "rated": [], "seen": [], "hidden": []}


def taste_of(dataset: Dataset, viewer: Drawn) -> Iterator[str]:
    """Yield what a viewer liked and disliked."""
    stars = np.asarray([*viewer.stars.values()])
    yield f"{viewer.kind}: {text.plural(len(stars), 'rating')}, ★ {stars.mean():.2f} on average"
    liked = {movie: value for movie, value in viewer.stars.items() if value >= RELEVANT}
    disliked = {movie: value for movie, value in viewer.stars.items() if value <= DISLIKED}
    for name, chosen, sign in (("liked", liked, -1), ("disliked", disliked, 1)):
        best = sorted(chosen, key=lambda movie: (sign * chosen[movie], -dataset.counts[movie]))
        names = [f"{dataset.movies.label(movie)} {chosen[movie]:g}" for movie in best[:NAMED]]
        more = f"; and {len(best) - NAMED} more" if len(best) > NAMED else ""
        indent = " " * 10
        yield textwrap.fill(f"{name:<10}{'; '.join(names)}{more}", PAGE, subsequent_indent=indent)


def explained(opened: OpenDataset, viewer: Drawn, k: int) -> Iterator[str]:
    """Yield the first movies of a viewer's list, each with its details and the line of ``recommend``."""
    person = opened.viewer(viewer.ratings)
    for movie in opened.ranker.recommend([person], k)["movies"]:
        yield f"{movie['rank']}. {movie['title']} ({movie['year']}): {reason(movie)}"
        pane = describe(opened.details([movie["id"]], [viewer.ratings])[0], ["you"], WIDTH)
        yield textwrap.indent(pane.plain, "     ")


@click.command()
@click.option("--dataset", "name", default="ml-100k", show_default=True)
@click.option("--model", "models", multiple=True, default=("mf", "blend"), show_default=True)
@click.option("-k", default=5, show_default=True, type=click.IntRange(1), help="How many movies of each list.")
@click.option("--seed", default=0, show_default=True, help="The seed for drawing viewers.")
def main(name: str, models: Sequence[str], k: int, seed: int) -> None:
    """Print explanations to judge."""
    try:
        opened = [OpenDataset(Ranker(*served(open_store(), name, model))) for model in models]
        viewers = drawn(opened[0].dataset, opened[0].ranker, seed)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    for number, viewer in enumerate(viewers, start=1):
        click.echo("\n" + "=" * PAGE + f"\nViewer {number}, " + "\n".join(taste_of(opened[0].dataset, viewer)))
        shown = opened[(number - 1) // 2 % len(opened)]  # each kind has pairs
        click.echo(f"\nby {shown.ranker.model.name}\n")
        for line in explained(shown, viewer, k):
            click.echo(line)


if __name__ == "__main__":
    main()
