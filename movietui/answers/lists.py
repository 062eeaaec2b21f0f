"""What is asked of a dataset and of the model that serves it, as the command line prints the answers.

Without a screen, and without torch: the engine asks here too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data import catalogue, locations
from data.problems import Problem
from data.titles import plain
from models.model import History, history_of
from models.ranking import Viewer
from movietui.store import Film, Step, Store, check_stars
from movietui.viewers import Asked, UnseenBy, ViewerRef

if TYPE_CHECKING:
    from data.dataset import Dataset
    from models.model import AnyModel
    from models.ranking import Ranker


def viewer(dataset: Dataset, asked: Asked) -> Viewer:
    """Return a viewer as the model sees them.

    What the store has comes on top of what a user of the dataset rated there. Films that the dataset does not have are
    left out. Raises ``Problem`` for a user whom the dataset does not have.
    """
    row: int | None = None
    stars: dict[int, float] = {}
    if asked["kind"] == "user":
        row = dataset.users.row.get(asked["id"])
        if row is None:
            ids = dataset.users.ids
            raise Problem(
                f"{dataset.name} has no user {asked['id']}; its {len(ids):,} users go from {ids[0]} to {ids[-1]}."
            )
        known = history_of(dataset, row)
        stars = dict(zip(known.movies.tolist(), known.stars.tolist(), strict=True))
    for film, value in asked["rated"]:
        for movie in dataset.movies.rows_by_key.get(film, ()):
            stars[movie] = value
    movies = np.fromiter(stars.keys(), np.int32, len(stars))
    return Viewer(
        "user" if asked["kind"] == "user" else "profile",
        asked["id"],
        History(movies, np.fromiter(stars.values(), np.float32, len(stars)), row),
    )


def served(store: Store, dataset: str, model: str | None = None, seed: int | None = None) -> tuple[Dataset, AnyModel]:
    """Return a dataset with the model that answers for it: the chosen run, or the newest of that kind.

    A run that cannot be loaded is passed over for the next. Raises ``Problem`` where none is left.
    """
    from models.checkpoints import load

    problem = Problem(
        f"No {model or 'model'} is trained on {dataset} yet; run movietui train {model or 'mf'} --dataset {dataset}."
    )
    runs = [run for run in store.serving_runs(dataset) if model in (None, run.model) and seed in (None, run.seed)]
    for place, run in enumerate(runs):
        try:
            loaded = catalogue.load(dataset, run.cleaning)
            return loaded, load(locations.checkpoints() / run.checkpoint, loaded)[0]
        except Problem as found:
            problem = found if place == 0 else problem
    raise problem


def recommend(
    store: Store,
    dataset: str,
    viewers: Sequence[ViewerRef],
    k: int,
    model: str | None = None,
    seed: int | None = None,
    only: str = "",
    how: Mapping[str, Any] | None = None,
    unseen_by: UnseenBy = "all",
    daring: float = 0.0,
    draw: int | None = None,
) -> dict[str, Any]:
    """Return the best unseen movies that pass the filter ``only``, as ``recommend --json`` prints them.

    What one of the viewers has seen without rating it, or does not want to be offered, is left out too. ``how``: of
    several viewers, the fields of an ``Aggregation``. ``draw``: the seed of a surprise, one movie.
    """
    from models.filters import parse
    from models.ranking import Aggregation, Ranker

    loaded, fitted = served(store, dataset, model, seed)
    passing = parse(only, loaded).passes(loaded)
    people = [viewer(loaded, store.asked(ref)) for ref in viewers]
    return Ranker(loaded, fitted).recommend(
        people,
        k,
        hidden=_not_offered(store, loaded, viewers),
        how=Aggregation(**(how or {})),
        passing=passing,
        unseen_by=unseen_by,
        daring=daring,
        draw=draw,
    )


def similar(store: Store, dataset: str, movie: str, k: int, model: str | None = None) -> dict[str, Any]:
    """Return the movies that are most like one, as ``similar --json`` prints them.

    By who rated what; with a ``model``, by what that knows of the movies. Raises ``Problem`` for a model that knows
    nothing of single movies.
    """
    from models.search import Search
    from models.similar import Similarities

    if model is None:
        loaded, vectors = catalogue.load(dataset, store.cleaning_of(dataset)), None
    else:
        loaded, fitted = served(store, dataset, model)
        vectors = fitted.movie_vectors()
        if vectors is None:
            raise Problem(f"{model} has no vectors of movies to compare; take mf, or leave --model out.")
    row = Search(loaded).the_movie(movie)
    return {
        "dataset": loaded.name,
        "model": model,
        "movie": _movie(loaded, row),
        "movies": [
            {
                "rank": rank,
                **_movie(loaded, each.movie),
                "similarity": each.similarity,
                "common": each.common,
                "shared": asdict(each.shared),
            }
            for rank, each in enumerate(Similarities(loaded).nearest(row, k, vectors), start=1)
        ],
    }


def explain(
    store: Store, dataset: str, viewers: Sequence[ViewerRef], movie: str, most: int, model: str | None = None
) -> dict[str, Any]:
    """Return why each viewer is expected to like a movie so much, as ``explain --json`` prints it."""
    from models import reasons
    from models.search import Search

    loaded, fitted = served(store, dataset, model)
    row = Search(loaded).the_movie(movie)
    told = []
    for ref in viewers:
        person = viewer(loaded, store.asked(ref))
        expected = fitted.expect(fitted.fold_in(person.history))
        found = reasons.explain(fitted, loaded.movies, person.history, expected, row, most)
        told.append(
            {
                "kind": person.kind,
                "id": person.id,
                "ratings": len(person.history),
                **{name: getattr(found, name) for name in ("stars", "low", "high", "uncertainty", "score")},
                "why": [
                    {
                        "id": loaded.movies.ids[reason.movie],
                        "title": loaded.movies.titles[reason.movie],
                        "stars": reason.stars,
                        "share": reason.share,
                        "shared": asdict(reason.shared),
                    }
                    for reason in found.reasons
                ],
                "shared": asdict(found.shared),
            }
        )
    return {"dataset": loaded.name, "model": fitted.name, "movie": _movie(loaded, row), "viewers": told}


def taste(
    store: Store, dataset: str, viewers: Sequence[ViewerRef], most: int, model: str | None = None
) -> dict[str, Any]:
    """Return what each viewer likes against the crowd, as ``taste --json`` prints it.

    Of a profile also how good the model is for it; of two viewers the movies that divide them, and such as neither has
    rated and would. That takes a model; one viewer's taste is told without, where there is none.
    """
    from models.ranking import Ranker

    loaded: Dataset
    fitted: AnyModel | None
    try:
        loaded, fitted = served(store, dataset, model)
    except Problem:
        if len(viewers) == 2 or model:
            raise
        loaded, fitted = catalogue.load(dataset, store.cleaning_of(dataset)), None
    people = [viewer(loaded, store.asked(ref)) for ref in viewers]
    ranker = Ranker(loaded, fitted) if fitted else None
    hidden = rows_of(loaded, set[str]().union(*(store.keys_marked(ref, "hidden") for ref in viewers)))
    return tell_taste(loaded, people, most, ranker, _not_offered(store, loaded, viewers), hidden)


def tell_taste(
    loaded: Dataset,
    people: Sequence[Viewer],
    most: int,
    ranker: Ranker | None,
    not_offered: Collection[int] = (),
    hidden: Collection[int] = (),
) -> dict[str, Any]:
    """Return what viewers like, as ``taste --json`` prints it.

    With a ranker also how good it is for each profile, and what divides two; rows that are ``not_offered`` are not told
    of as movies that would divide them. Rows that are ``hidden`` are not named at all, though their ratings count.
    """
    from models import taste as tastes
    from models.personal import lacking, personal
    from models.ranking import alikeness

    def named(found: Sequence[Any]) -> list[dict[str, Any]]:
        rows = [asdict(each) for each in found if each.movie not in hidden][:most]
        return [{**_movie(loaded, row.pop("movie")), **row} for row in rows]

    def one(person: Viewer) -> dict[str, Any]:
        found = tastes.taste(loaded, person.history, most + len(hidden))
        unusual = {name: named(getattr(found, name)) for name in ("likes", "dislikes")}
        return {"kind": person.kind, "id": person.id, **asdict(found), **unusual, "for_you": for_you(person)}

    def for_you(person: Viewer) -> dict[str, Any] | None:
        if ranker is None or person.kind == "user":  # whom the model learnt from
            return None
        if more := lacking(len(person.history)):
            return {"model": ranker.model.name, "lacking": more}
        return {"model": ranker.model.name, "lacking": 0, **asdict(personal(ranker, person.history))}

    told: dict[str, Any] = {"dataset": loaded.name, "viewers": [one(person) for person in people]}
    if ranker is None or len(people) != 2:
        return told
    first, second = (person.history for person in people)
    alike = alikeness(first, second)
    open_to = ranker.candidates(people, {*not_offered, *hidden})
    would = tastes.dividing(open_to, ranker.expect(first), ranker.expect(second), most)
    told["pair"] = {
        "model": ranker.model.name,
        "alike": None if alike is None else asdict(alike),
        "divided": named(tastes.divided(first, second, most + len(hidden))),
        "would_divide": named(would),
    }
    return told


def search(store: Store, dataset: str, typed: str, most: int) -> dict[str, Any]:
    """Return the movies, people and users that a search finds, as ``search --json`` prints them."""
    from models.search import Search

    loaded = catalogue.load(dataset, store.cleaning_of(dataset))
    found = Search(loaded).find(typed, most)
    imdb, users = loaded.movies.imdb, loaded.users
    return {
        "dataset": loaded.name,
        "movies": [_movie(loaded, row) for row in found.movies],
        "people": [{"name": name, "movies": len(imdb.directed[name]) if imdb else 0} for name in found.people],
        "users": [{"id": users.ids[row], "ratings": len(loaded.rows_of(row))} for row in found.users],
    }


def _not_offered(store: Store, dataset: Dataset, viewers: Sequence[ViewerRef]) -> set[int]:
    """The rows of the movies that one of the viewers has seen without rating them, or does not want to be offered."""
    return set(rows_of(dataset, set[str]().union(*(store.not_offered(ref) for ref in viewers))))


def rows_of(dataset: Dataset, films: Collection[str]) -> list[int]:
    """Return the rows of films, by their keys, as far as the dataset has them."""
    return [row for film in films for row in dataset.movies.rows_by_key.get(film, ())]


def _movie(dataset: Dataset, row: int) -> dict[str, Any]:
    movies = dataset.movies
    return {
        "id": movies.ids[row],
        "title": movies.titles[row],
        "year": int(movies.years[row]) or None,
        "genres": movies.genres_of(row),
        "count": int(dataset.counts[row]),
    }


def history(store: Store, viewers: Sequence[ViewerRef], most: int | None = None) -> dict[str, Any]:
    """Return what each viewer did, newest first and at most so many steps, as ``history --json`` prints it."""
    return {
        "viewers": [
            {"kind": ref.kind, "id": ref.id, "steps": [_step_json(step) for step in store.history(ref)[:most]]}
            for ref in viewers
        ]
    }


def _step_json(step: Step) -> dict[str, Any]:
    changes = [
        {
            "title": change.film.title,
            "year": change.film.year or None,
            "kind": change.kind,
            "before": change.before,
            "after": change.after,
        }
        for change in step.changes
    ]
    return {"at": step.at, "kind": step.kind, "undone": step.undone, "note": step.note, "changes": changes}


def named_profile(store: Store, name: str) -> ViewerRef:
    """Return a profile by its name. Raises ``Problem`` where there is none."""
    ref = store.find_profile(name)
    if ref is None:
        known = ", ".join(known.id for known, _ in store.profiles()) or "none yet"
        raise Problem(f"There is no profile {plain(name)!r}; the profiles are: {known}.")
    return ref


def rate(store: Store, dataset: str, name: str, movie: str, stars: float) -> dict[str, Any]:
    """Give a movie stars as a profile, which is made where it does not exist."""
    check_stars(stars)
    found = find_movie(catalogue.load(dataset), movie)
    ref = store.find_profile(name) or store.create_profile(name)
    change = store.rate(ref, found, stars)
    return {
        "profile": ref.id,
        "movie": {"title": found.title, "year": found.year or None},
        "stars": change.after,
        "before": change.before,
        "ratings": len(store.ratings(ref)),
    }


def export(
    store: Store, ref: ViewerRef, format_: str, output: Path, dataset: str, k: int, *, force: bool
) -> dict[str, Any]:
    """Write what a profile has, or the ``k`` best movies for it, as ``export --json`` prints it."""
    from movietui import exporting
    from movietui.files import write_file

    if format_ != exporting.SHORTLIST:
        return exporting.export(store, ref, format_, output, force=force)
    found = recommend(store, dataset, [ref], k)
    write_file(output, exporting.shortlist(ref.id, found).encode("utf-8"), force=force)
    return {
        "profile": ref.id,
        "format": format_,
        "output": str(output),
        "films": found["movies"],
        "left_out": 0,
        "note": "",
    }


def find_movie(dataset: Dataset, text: str) -> Film:
    """Return the one film that a person means, see ``Search.the_movie``."""
    from models.search import Search

    movies, row = dataset.movies, Search(dataset).the_movie(text)
    return Film(movies.keys[row], movies.titles[row], int(movies.years[row]))
