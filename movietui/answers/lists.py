"""Lists, explanations, tastes and searches as the command line prints them. The engine uses some of these functions.

Does not import torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from movietui.data import catalogue
from movietui.data.ids import user_row
from movietui.data.imdb.external_ids import NO_LINKS, links_of
from movietui.data.imports.entries import Entry
from movietui.data.imports.matching import SURE, Matcher
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.storage import locations
from movietui.models.base import History, history_of
from movietui.models.choices import DEFAULT_ORDER, Order, UnseenBy
from movietui.models.serving.ranking import Viewer
from movietui.protocol.messages import (
    DividingMovie,
    FoundNames,
    HeldOutAccuracy,
    MovieChoice,
    MovieEntry,
    PersonalAccuracy,
    RatedMovie,
    Recognised,
    TasteGroup,
    TasteReport,
    ViewerRatings,
    ViewerTaste,
)
from movietui.protocol.viewers import ViewerRef
from movietui.store.ratings import Ids, Movie, Step, Store, StoredMovie, check_stars
from movietui.store.same_movies import SameMovies

if TYPE_CHECKING:
    from movietui.data.dataset import Dataset
    from movietui.data.query.search import SearchResult
    from movietui.models.base import AnyModel
    from movietui.models.checkpoints import Manifest
    from movietui.models.serving.explanations import Reason
    from movietui.models.serving.ranking import Ranker


def viewer(dataset: Dataset, ratings: ViewerRatings) -> Viewer:
    """Return a viewer as the model sees them.

    A user has the ratings in the dataset and those in the store; if a movie has both, the one in the store counts.
    Movies that the dataset does not have are left out. Raises ``Problem`` for an unknown user.
    """
    known = History(np.empty(0, np.int32), np.empty(0, np.float32))
    if ratings["kind"] == "user":
        known = history_of(dataset, user_row(dataset, ratings["id"]))
    rated_at = ratings.get("rated_at") or [0] * len(ratings["rated"])
    stored: dict[int, tuple[float, int]] = {}
    for (key, value), moment in zip(ratings["rated"], rated_at, strict=True):
        for movie in dataset.movies.rows_by_key.get(key, ()):
            stored[movie] = value, moment
    stars, time = known.stars.copy(), np.zeros(len(known), np.int64) if known.time is None else known.time.copy()
    for index in np.flatnonzero(np.isin(known.movies, [*stored])).tolist():
        stars[index], time[index] = stored.pop(int(known.movies[index]))
    history = History(
        np.append(known.movies, np.fromiter(stored, np.int32, len(stored))),
        np.append(stars, np.asarray([value for value, _ in stored.values()], np.float32)),
        known.user,
        np.append(time, np.asarray([moment for _, moment in stored.values()], np.int64)),
    )
    return Viewer(
        ratings["kind"],
        ratings["id"],
        history,
        rows_of(dataset, ratings["seen"]),
        rows_of(dataset, ratings["hidden"]),
        {row: above for key, above in ratings.get("held", ()) for row in dataset.movies.rows_by_key.get(key, ())},
    )


def recognise(
    matcher: Matcher, stored: Iterable[StoredMovie], settled: Mapping[str, str | None]
) -> dict[str, Recognised]:
    """Return which movie of the matcher's dataset each stored movie is, by stored key.

    ``settled`` has the matches chosen by hand, see ``Store.settled``.
    """
    return {movie.key: _recognised(matcher, movie, settled) for movie in stored}


def _recognised(matcher: Matcher, movie: StoredMovie, settled: Mapping[str, str | None]) -> Recognised:
    movies = matcher.dataset.movies
    if movie.key in movies.rows_by_key:
        return {"key": movie.key, "sure": True, "ids": matcher.links.of(movies.rows_by_key[movie.key][0])}
    entry = Entry(movie.title, movie.year, imdb=movie.ids.imdb, tmdb=movie.ids.tmdb, movielens=movie.ids.movielens)
    match = matcher.match_alone(entry, settled)
    also = {key for key in movie.aliases if key in movies.rows_by_key}
    if match.way not in SURE and len(also) == 1:
        return {"key": also.pop(), "sure": True, "ids": NO_LINKS}
    if match.row is None:
        return {"key": "", "sure": False, "ids": NO_LINKS}
    sure = match.way in SURE
    return {"key": movies.keys[match.row], "sure": sure, "ids": matcher.links.of(match.row) if sure else NO_LINKS}


def same_movies(
    store: Store,
    dataset: Dataset,
    viewers: Sequence[ViewerRef],
    matcher: Matcher | None = None,
    lists: Collection[str] | None = (),
) -> SameMovies:
    """Return what viewers rated and marked in any dataset, by the keys of ``dataset``.

    ``matcher`` is a matcher for this dataset, if there is one already. ``lists`` has the names of the viewers' lists
    whose movies are matched too, as ``folded`` returns them; ``None`` means all lists.
    """
    same = SameMovies(store)
    unknown = [*same.unknown(viewers), *same.unknown_listed(viewers, lists)]
    recognised = recognise(matcher or Matcher(dataset), unknown, store.settled())
    with contextlib.suppress(Problem):  # if the store cannot be written, the movies are recognised again next time
        same.learn(unknown, recognised)
    return same


def served(
    store: Store,
    dataset: str,
    model: str | None = None,
    seed: int | None = None,
    viewers: Sequence[ViewerRef] = (),
) -> tuple[Dataset, AnyModel]:
    """Return a dataset and the model that serves it.

    The run in use serves if it has this model and seed; otherwise, the newest run that has them does. A run that cannot
    be loaded is skipped. Raises ``Problem`` if no run is left, or for an unknown dataset or model.

    If the model was trained on a cluster, the dataset has all movies, but only the ratings of those users who are among
    the viewers.
    """
    from movietui.models.checkpoints import Checkpoint
    from movietui.models.registry import check_name

    if model is not None:
        check_name(model)

    problem = Problem(
        tr(
            "No {kind} has been trained on {dataset} yet; run movietui train {model} --dataset {dataset}.",
            kind=model or tr("model"),
            dataset=dataset,
            model=model or "mf",
        )
    )
    runs = [run for run in store.serving_runs(dataset) if model in (None, run.model) and seed in (None, run.seed)]
    if not runs:
        catalogue.check_name(dataset)
    for index, run in enumerate(runs):
        try:
            checkpoint = Checkpoint(locations.checkpoint(run.checkpoint))
            fitted, loaded = checkpoint.load(dataset_of(checkpoint.manifest, dataset, run.cleaning))
        except Problem as error:
            problem = error if index == 0 else problem
            continue
        return with_users(loaded, _users(viewers)), fitted
    raise problem


def dataset_of(manifest: Manifest, dataset: str, cleaning: str) -> Dataset:
    """Return the dataset that a checkpoint was fitted on; of one on a cluster, only the movies (see ``with_users``).

    If the dataset has changed since the fit, it is returned as it is now, and the checkpoint cannot be loaded with it.
    """
    from movietui.data.storage import remote_view

    return remote_view.find(dataset, manifest.fingerprint) or _movies_of(dataset, cleaning)


def with_users(dataset: Dataset, ids: Sequence[str]) -> Dataset:
    """Return a dataset that has the ratings of these users, which are read now if the dataset is on a cluster.

    Raises ``Problem`` if they cannot be read. A dataset on this machine has all ratings, and is returned as it is.
    """
    from movietui.data.storage.remote_view import RemoteView

    return dataset.read_users(ids) if isinstance(dataset, RemoteView) else dataset


def _movies_of(dataset: str, cleaning: str = catalogue.STANDARD, viewers: Sequence[ViewerRef] = ()) -> Dataset:
    """Return a dataset for code that needs only its movies.

    A dataset that is only on a cluster has no ratings but those of the users among the viewers.
    """
    from movietui.data.storage import remote_view

    elsewhere = remote_view.find_if_only_there(dataset)
    return with_users(elsewhere, _users(viewers)) if elsewhere else catalogue.load(dataset, cleaning)


def _users(viewers: Sequence[ViewerRef]) -> list[str]:
    """Return the ids of those viewers who are users of the dataset."""
    return [ref.id for ref in viewers if ref.kind == "user"]


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
    order: Order = DEFAULT_ORDER,
    recent: float = 0.0,
) -> dict[str, Any]:
    """Return the best candidates that pass the filter ``only``, as ``recommend --json`` prints them.

    The filter can name lists of any of the viewers. ``Ranker.candidates`` decides which movies are candidates. ``how``
    has fields of an ``Aggregation``, for several viewers. With ``draw``, a seed, the result is one good movie at
    random.
    """
    from movietui.data.query.filters import parse
    from movietui.data.query.list_conditions import KnownLists, combined, names_in
    from movietui.models.serving.groups import Aggregation
    from movietui.models.serving.ranking import Ranker

    loaded, fitted = served(store, dataset, model, seed, viewers)
    names = names_in(only)
    same = same_movies(store, loaded, viewers, lists=names)
    owners = tuple(ref.id for ref in viewers if ref.kind == "profile")
    lists = KnownLists(owners, combined(same.lists(ref, names) for ref in viewers))
    passing = parse(only, loaded, lists).passes(loaded)
    people = [viewer(loaded, same.for_engine(ref)) for ref in viewers]
    return Ranker(loaded, fitted).recommend(
        people,
        k,
        how=Aggregation(**(how or {})),
        passing=passing,
        unseen_by=unseen_by,
        daring=daring,
        draw=draw,
        order=order,
        recent=recent,
    )


def similar(store: Store, dataset: str, movie: str, k: int, model: str | None = None) -> dict[str, Any]:
    """Return the movies most similar to a movie, as ``similar --json`` prints them.

    Movies are compared by their ratings, their raters and their content; see ``Similarities``. With ``model``, the
    movie vectors of this model are used instead of the ratings, and without the ratings, which are on a cluster, those
    of the run in use. Raises ``Problem`` for a model without movie vectors.
    """
    from movietui.data.query.search import Search
    from movietui.data.storage.remote_view import RemoteView
    from movietui.models.serving.similar import Similarities

    loaded, vectors = _movies_of(dataset, store.cleaning_of(dataset)), None
    elsewhere = isinstance(loaded, RemoteView)
    if model is not None or elsewhere:
        loaded, fitted = served(store, dataset, model)
        model, vectors = fitted.name, fitted.movie_vectors()
        if vectors is None:
            others = tr("train another model on the cluster") if elsewhere else tr("use --model mf, or omit --model")
            raise Problem(tr("{model} cannot compare movies; {others}.", model=model, others=others))
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
                "common": None if elsewhere else each.common,
                "shared": asdict(each.shared),
            }
            for rank, each in enumerate(Similarities(loaded).nearest(row, k, vectors), start=1)
        ],
    }


def explain(
    store: Store, dataset: str, viewers: Sequence[ViewerRef], movie: str, most: int, model: str | None = None
) -> dict[str, Any]:
    """Return the reasons for each viewer's prediction of a movie, as ``explain --json`` prints them."""
    from movietui.data.query.search import Search
    from movietui.models.serving import explanations
    from movietui.models.serving.similar import Similarities

    loaded, fitted = served(store, dataset, model, viewers=viewers)
    row = Search(loaded).the_movie(movie)
    same, similarities = same_movies(store, loaded, viewers), Similarities(loaded)
    explained = []
    for ref in viewers:
        person = viewer(loaded, same.for_engine(ref))
        expected = fitted.expect(fitted.fold_in(person.history))
        explanation = explanations.explain(fitted, similarities, person.history, expected, row, most)
        explained.append(
            {
                "kind": person.kind,
                "id": person.id,
                "ratings": len(person.history),
                **{name: getattr(explanation, name) for name in ("stars", "low", "high", "uncertainty", "score")},
                "rated": explanation.rated,
                "why": [_reason(loaded, reason) for reason in explanation.reasons.liked],
                "alike": [_reason(loaded, reason) for reason in explanation.reasons.alike],
                "similar": [_reason(loaded, reason) for reason in explanation.reasons.similar],
                "examples": [_reason(loaded, reason) for reason in explanation.reasons.examples],
                **explanation.reasons.evidence,
                "against": [_reason(loaded, reason) for reason in explanation.reasons.against],
                "shared": asdict(explanation.shared),
            }
        )
    entry = {**_movie(loaded, row), "mean": loaded.mean_of(row)}
    return {"dataset": loaded.name, "model": fitted.name, "movie": entry, "viewers": explained}


def _reason(dataset: Dataset, reason: Reason) -> dict[str, Any]:
    """Return a rated movie that counts for or against another movie, as ``explain --json`` prints it."""
    return {
        "id": dataset.movies.ids[reason.movie],
        "title": dataset.movies.titles[reason.movie],
        "stars": reason.stars,
        "share": reason.share,
        "weight": reason.weight,
        "shared": asdict(reason.shared),
    }


def taste(store: Store, dataset: str, viewers: Sequence[ViewerRef], most: int, model: str | None = None) -> TasteReport:
    """Return what each viewer likes compared with the crowd, as ``taste --json`` prints it.

    For a profile, the report also says how accurate the model is; for two viewers, which movies divide them, and which
    unseen movies would. Both parts need a model, and are left out if none can be loaded. For two viewers, or with a
    given ``model``, that raises ``Problem`` instead.
    """
    from movietui.models.serving.ranking import Ranker

    loaded: Dataset
    fitted: AnyModel | None
    try:
        loaded, fitted = served(store, dataset, model, viewers=viewers)
    except Problem:
        if len(viewers) == 2 or model:
            raise
        loaded, fitted = catalogue.load(dataset, store.cleaning_of(dataset)), None
    same = same_movies(store, loaded, viewers)
    people = [viewer(loaded, same.for_engine(ref)) for ref in viewers]
    ranker = Ranker(loaded, fitted) if fitted else None
    return taste_report(loaded, people, most, ranker)


def taste_report(loaded: Dataset, people: Sequence[Viewer], most: int, ranker: Ranker | None) -> TasteReport:
    """Return what viewers like, as ``taste --json`` prints it.

    With a ranker, the report also says how accurate its model is for each profile, and what divides two viewers. Movies
    that a viewer hides are not named, but ratings of them count.
    """
    from movietui.models.serving import taste as tastes
    from movietui.models.serving.groups import alikeness
    from movietui.models.serving.personal_accuracy import personal_accuracy, ratings_needed

    hidden = set[int]().union(*(person.hidden for person in people))

    def unusual(ratings: Sequence[tastes.Rating]) -> list[RatedMovie]:
        shown = [each for each in ratings if each.movie not in hidden][:most]
        return [{**_movie(loaded, each.movie), "stars": each.stars, "crowd": each.crowd} for each in shown]

    def dividing(movies: Sequence[tastes.Divided]) -> list[DividingMovie]:
        shown = [each for each in movies if each.movie not in hidden][:most]
        return [{**_movie(loaded, each.movie), "stars": list(each.stars)} for each in shown]

    def group(each: tastes.TasteGroup) -> TasteGroup:
        return {
            "name": each.name,
            "ratings": each.ratings,
            "mean": each.mean,
            "crowd": each.crowd,
            "difference": each.difference,
            "beyond": each.beyond,
        }

    def one(person: Viewer) -> ViewerTaste:
        taste = tastes.taste(loaded, person.history, most + len(hidden))
        return {
            "kind": person.kind,
            "id": person.id,
            "ratings": taste.ratings,
            "mean": taste.mean,
            "crowd": taste.crowd,
            "generosity": taste.generosity,
            "genres": [group(each) for each in taste.genres],
            "decades": [group(each) for each in taste.decades],
            "likes": unusual(taste.likes),
            "dislikes": unusual(taste.dislikes),
            "for_you": for_you(person),
        }

    def for_you(person: Viewer) -> PersonalAccuracy | None:
        if ranker is None or person.kind == "user":  # the model was trained on their ratings
            return None
        if more := ratings_needed(len(person.history)):
            return {"model": ranker.model.name, "lacking": more}
        accuracy = personal_accuracy(ranker, person.history)
        return {
            "model": ranker.model.name,
            "lacking": 0,
            "older": accuracy.older,
            "newest": accuracy.newest,
            "liked": accuracy.liked,
            "top": accuracy.top,
            "by_model": cast(HeldOutAccuracy, asdict(accuracy.by_model)),
            "by_means": cast(HeldOutAccuracy, asdict(accuracy.by_means)),
        }

    report: TasteReport = {"dataset": loaded.name, "viewers": [one(person) for person in people]}
    if ranker is None or len(people) != 2:
        return report
    first, second = (person.history for person in people)
    alike = alikeness(first, second)
    candidates = ranker.candidates(people)
    report["pair"] = {
        "model": ranker.model.name,
        "alike": None if alike is None else asdict(alike),
        "divided": dividing(tastes.divided(first, second, most + len(hidden))),
        "would_divide": dividing(tastes.dividing(candidates, ranker.expect(first), ranker.expect(second), most)),
    }
    return report


def search(store: Store, dataset: str, typed: str, most: int, viewers: Sequence[ViewerRef] = ()) -> dict[str, Any]:
    """Return the movies, directors, actors, tags and users that a search finds, as ``search --json`` prints them.

    With ``viewers``, each movie has their ratings and marks.
    """
    from movietui.data.query.search import Search

    loaded = _movies_of(dataset, store.cleaning_of(dataset), viewers)
    matches = Search(loaded).find(typed, most)
    users = loaded.users
    same = same_movies(store, loaded, viewers)
    histories = [viewer(loaded, same.for_engine(ref)).history for ref in viewers]
    stars = [dict(zip(each.movies.tolist(), each.stars.tolist(), strict=True)) for each in histories]
    marks = [same.shown_marks(ref) for ref in viewers]

    def of_viewers(row: int) -> dict[str, Any]:
        key = loaded.movies.keys[row]
        by = [
            {"kind": ref.kind, "id": ref.id, "stars": rated.get(row), "mark": marked.get(key)}
            for ref, rated, marked in zip(viewers, stars, marks, strict=True)
        ]
        return {"viewers": by} if viewers else {}

    return {
        "dataset": loaded.name,
        "joined": loaded.movies.imdb is not None,
        "tagged": loaded.movies.tags is not None,
        "directors_first": matches.directors_first,
        "movies": [{**_movie(loaded, row), **of_viewers(row)} for row in matches.movies],
        **found_names(loaded, matches),
        "users": [{"id": users.ids[row], "ratings": len(loaded.rows_of(row))} for row in matches.users],
    }


def found_names(dataset: Dataset, matches: SearchResult) -> FoundNames:
    """Return the directors, actors and tags that a search found, each with the number of its movies."""
    imdb, tags = dataset.movies.imdb, dataset.movies.tags
    return {
        "directors": [{"name": name, "movies": len(imdb.directed[name])} for name in matches.directors] if imdb else [],
        "actors": [{"name": name, "movies": len(imdb.acted[name])} for name in matches.actors] if imdb else [],
        "tags": [{"name": name, "movies": len(tags.rows_named(name))} for name in matches.tags] if tags else [],
    }


def rows_of(dataset: Dataset, keys: Collection[str]) -> list[int]:
    """Return the rows of movies by their keys; keys that the dataset does not have are skipped."""
    return [row for key in keys for row in dataset.movies.rows_by_key.get(key, ())]


def _movie(dataset: Dataset, row: int) -> MovieEntry:
    movies = dataset.movies
    return {
        **cast(MovieChoice, movies.to_json(row)),
        "genres": movies.genres_of(row),
        "count": int(dataset.counts[row]),
    }


def history(store: Store, viewers: Sequence[ViewerRef], most: int | None = None) -> dict[str, Any]:
    """Return the steps of each viewer, newest first and at most ``most``, as ``history --json`` prints them."""
    return {
        "viewers": [
            {"kind": ref.kind, "id": ref.id, "steps": [_step_json(step) for step in store.history(ref)[:most]]}
            for ref in viewers
        ]
    }


def _step_json(step: Step) -> dict[str, Any]:
    changes = [
        {
            "title": change.movie.title,
            "year": change.movie.year or None,
            "kind": change.kind,
            "before": change.before,
            "after": change.after,
        }
        for change in step.changes
    ]
    facts = {"at": step.at, "kind": step.kind, "undone": step.undone, "note": step.note}
    return {**facts, "changes": changes, "lists": list(step.lists)}


def named_profile(store: Store, name: str) -> ViewerRef:
    """Return a profile by its name. Raises ``Problem`` if there is none."""
    ref = store.find_profile(name)
    if ref is None:
        known = [known.id for known, _ in store.profiles()]
        listed = tr("profiles: {profiles}.", profiles=", ".join(known) or tr("none yet"))
        raise no_such(tr("There is no profile {name!r}", name=name), name, known, listed)
    return ref


def rate(store: Store, dataset: str, name: str, movie: str, stars: float) -> dict[str, Any]:
    """Rate a movie for a profile, which is created if it does not exist; return what ``rate --json`` prints.

    Raises ``Problem`` for invalid stars and for an unknown movie.
    """
    check_stars(stars)
    loaded = _movies_of(dataset, store.cleaning_of(dataset))
    rated = find_movie(loaded, movie)
    ref = store.find_profile(name) or store.create_profile(name)
    change = store.rate(ref, same_movies(store, loaded, [ref]).stored(ref, rated), stars)
    return {
        "profile": ref.id,
        "movie": {"title": rated.title, "year": rated.year or None},
        "stars": change.after,
        "before": change.before,
        "ratings": len(store.ratings(ref)),
    }


def export(
    store: Store, ref: ViewerRef, format_: str, output: Path, dataset: str, k: int, *, force: bool
) -> dict[str, Any]:
    """Export a profile, or the ``k`` best movies for it, and return what ``export --json`` prints."""
    from movietui.answers import export_ratings
    from movietui.data.storage.atomic_files import write_file

    if format_ != export_ratings.SHORTLIST:
        return export_ratings.export(store, ref, format_, output, force=force)
    recommended = recommend(store, dataset, [ref], k)
    write_file(output, export_ratings.shortlist(ref.id, recommended).encode("utf-8"), force=force)
    return {
        "profile": ref.id,
        "format": format_,
        "output": str(output),
        "movies": recommended["movies"],
        "left_out": 0,
        "note": "",
    }


def find_movie(dataset: Dataset, text: str) -> Movie:
    """Return the movie that a text names; see ``Search.the_movie``. Raises ``Problem`` if there is not exactly one."""
    from movietui.data.query.search import Search

    movies, row = dataset.movies, Search(dataset).the_movie(text)
    return Movie(movies.keys[row], movies.titles[row], int(movies.years[row]), Ids(*links_of(dataset).of(row)))
