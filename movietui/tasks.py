"""The work itself, without a screen: what the command line calls directly and the app's jobs call in a child."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

from data import catalogue, locations
from data.problems import Cancelled, Problem
from data.progress import Report, silent
from data.titles import plain
from movietui import __version__
from movietui.processes import peak_bytes
from movietui.runs import SERVED_SPLIT, Recorder, Runs
from movietui.store import Film, Store, check_stars
from movietui.viewers import ViewerRef
from movietui.wire import Message, sentence

if TYPE_CHECKING:
    from data.dataset import Dataset, Floats, Ratings
    from models.model import AnyModel, Epoch
    from models.ranking import Ranker, Viewer

DEVICE = "cpu"
"""What every model is fitted on today."""
OnEpoch = Callable[[str, Message], None]


def unheard(phase: str, epoch: Message) -> None:
    """Tell no epochs."""


def get(name: str, path: Path | None = None, report: Report = silent, *, insecure: bool = False) -> dict[str, Any]:
    """Get a dataset, as ``data get --json`` prints it."""
    return catalogue.get(name, path, report, insecure=insecure).to_json()


def remove(store: Store, name: str) -> dict[str, Any]:
    """Remove a dataset, as ``data remove --json`` prints it."""
    removed = catalogue.remove(name).to_json()
    return {**removed, "in_use": store.dataset_in_use() == name}


def clean(name: str, cleaning: str, report: Report = silent) -> dict[str, Any]:
    """Clean a dataset, as ``data clean --json`` prints it."""
    return catalogue.clean(name, cleaning, report).to_json()


def imdb(name: str, folder: Path | None = None, report: Report = silent) -> dict[str, Any]:
    """Join a dataset with IMDb, as ``data imdb --json`` prints it."""
    return catalogue.join(name, folder, report).to_json()


def train(
    store: Store,
    model: str,
    dataset: str,
    *,
    split: str | None = None,
    cleaning: str,
    published: bool = False,
    settings: Mapping[str, str],
    seed: int = 0,
    run: int | None = None,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    say: Callable[[str], None] = lambda line: None,
    gate: Event | None = None,
) -> dict[str, Any]:
    """Train a model, keep the run and its checkpoint, and return it as ``train --json`` prints it.

    Without a split the model is measured on ``SERVED_SPLIT`` and then learns from all ratings; with one it knows the
    train part only. ``settings`` are changes to the tuned settings, or to the published ones. Whatever ends it early
    is written down in the run: a new one, or ``run``, which waits in a queue. The same call again then goes on after
    the last epoch, and ``say`` is told so. After each epoch it waits while the ``gate`` is closed.
    """
    from data.splits import split as cut
    from models import evaluation
    from models.checkpoints import save
    from models.keeping import Keeper, keeping
    from models.tally import tally

    chosen = evaluation.choose(model, published, settings)
    loaded = catalogue.load(dataset, cleaning, on_stage)
    measured_on = split or SERVED_SPLIT
    cut(loaded, measured_on)  # a split that does not fit is told before a run is begun
    runs = Runs(store)
    if run is None:
        request = {"split": split, "cleaning": cleaning, "published": published, "settings": {**settings}, "seed": seed}
        run = store.start_run(
            model, dataset, loaded.cleaning, measured_on, seed, asdict(chosen), request=request, device=DEVICE
        )
    else:
        runs.begin(run, loaded.cleaning, asdict(chosen), DEVICE)
    recorder = Recorder(runs, run, ("curve", "measure") if split else ("curve", "measure", "serve"))
    curve = recorder.curve

    def watch(phase: str, epoch: Epoch) -> None:
        told = {
            "epoch": epoch.number,
            "train_loss": epoch.train_loss,
            "validation_loss": epoch.validation_loss,
            "of": epoch.of,
        }
        recorder.epoch(phase, told)
        on_epoch(phase, told)
        if gate is not None and not gate.is_set():
            recorder.hold(gate.wait)

    imdb = loaded.movies.imdb
    keeper = Keeper(
        locations.unfinished(),
        {
            "model": model,
            "settings": asdict(chosen),
            "seed": seed,
            "split": split,
            "dataset": [loaded.fingerprint, imdb.fingerprint if imdb else ""],
        },
        lambda last: say(f"Going on after epoch {last.number} of {last.of}, where the same training was cut off."),
    )
    try:
        with keeping(keeper):
            trained = evaluation.train(
                model,
                loaded,
                measured_on,
                refit_all=split is None,
                settings=chosen,
                seed=seed,
                progress=watch,
            )
        checkpoint = checkpoint_of(store, run)
        save(
            checkpoint,
            trained.model,
            loaded,
            split=trained.split,
            fitted_on=trained.fitted_on,
            metrics=trained.metrics,
        )
        kept = tally(trained.known, trained.test, trained.prediction, trained.lists)
        detail = _detail(trained.known, trained.test, trained.prediction)
        runs.measured(run, kept.rows, kept.to_bytes(), detail)
    except (KeyboardInterrupt, Cancelled):
        store.end_run(run, "cancelled", curve=curve, seconds=recorder.seconds, peak_bytes=peak_bytes())
        raise
    except Exception as error:
        problem = sentence(error)
        store.end_run(run, "failed", curve=curve, seconds=recorder.seconds, peak_bytes=peak_bytes(), problem=problem)
        raise
    seconds = sum(trained.seconds.values())
    peak = peak_bytes()
    store.end_run(
        run,
        "done",
        seconds=seconds,
        curve=curve,
        best_epoch=trained.fitted.best_epoch,
        metrics=trained.metrics,
        peak_bytes=peak,
    )
    return {
        "run": run,
        "model": model,
        "dataset": dataset,
        "cleaning": loaded.cleaning,
        "split": trained.split,
        "fitted_on": trained.fitted_on,
        "seed": seed,
        "settings": asdict(chosen),
        "epochs": curve,
        "best_epoch": trained.fitted.best_epoch,
        "metrics": trained.metrics,
        "seconds": seconds,
        "device": DEVICE,
        "peak_bytes": peak,
        "checkpoint": str(checkpoint),
    }


def resume(
    store: Store,
    number: int,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train a run that was cut off, cancelled or failed, under its own number; returns what ``train`` does."""
    run = Runs(store).again(number)
    try:
        return train(
            store,
            run.model,
            run.dataset,
            **run.request,
            run=number,
            on_stage=on_stage,
            on_epoch=on_epoch,
            say=say,
        )
    # What keeps it from beginning; a training that began has written down its own end.
    except (KeyboardInterrupt, Cancelled):
        Runs(store).end_unfinished(number, "cancelled")
        raise
    except Exception as error:
        Runs(store).end_unfinished(number, "failed", sentence(error))
        raise


def evaluate(
    models: Sequence[str],
    dataset: str,
    splits: Sequence[str],
    *,
    task: str,
    cleaning: str,
    published: bool = False,
    settings: Mapping[str, str] | None = None,
    seed: int,
    split_seed: int,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    detail: bool = False,
) -> list[dict[str, Any]]:
    """Measure models on splits, as ``evaluate --json`` prints it; models after the first are compared with it.

    ``settings`` are changes to the tuned settings of every model, or to the published ones. With several splits the
    row of each model and split has the mean and the standard deviation over them, ``over_splits``. ``detail`` asks
    where a model fails: with the task rating, its errors by subgroup, its calibration, the confusion of stars and
    ``coverage80``.
    """
    from data.splits import split as cut
    from models import evaluation

    # What cannot be is told before anything is fitted.
    chosen = {model: evaluation.choose(model, published, settings) for model in models}
    if task == "ranking" and "popularity" not in models:
        chosen["popularity"] = evaluation.choose("popularity")  # what every ranking figure is read beside
    loaded = catalogue.load(dataset, cleaning, on_stage)
    for name in splits:
        cut(loaded, name, split_seed)
    rows: list[dict[str, Any]] = []
    for name in splits:
        first: evaluation.Evaluation | None = None
        for model, own in chosen.items():
            label = f"{model} on {name}"
            measured = evaluation.evaluate(
                model,
                loaded,
                name,
                task=task,  # type: ignore[arg-type]
                settings=own,
                seed=seed,
                split_seed=split_seed,
                progress=lambda epoch, label=label: on_epoch(label, {**asdict(epoch), "epoch": epoch.number}),  # type: ignore[misc]
                intervals=detail,
            )
            row = measured.as_json()
            if first is None:
                first = measured
            elif task != "pair":
                difference = evaluation.compare(measured, first)
                row["difference"] = {"to": first.model, **asdict(difference)}
            if detail and measured.prediction is not None:
                row |= _detail(measured.train, measured.test, measured.prediction)
            rows.append(row)
    if len(splits) > 1:
        for row in rows:
            row["over_splits"] = _over_splits([own["metrics"] for own in rows if own["model"] == row["model"]])
    return rows


def _detail(train: Dataset, test: Ratings, prediction: Floats) -> dict[str, Any]:
    from models.metrics import calibration, calibration_error, confusion
    from models.subgroups import subgroups

    bins = calibration(prediction, test.stars)
    return {
        "subgroups": [asdict(found) for found in subgroups(train, test, prediction)],
        "calibration": {"error": calibration_error(bins), "bins": [asdict(found) for found in bins]},
        "confusion": asdict(confusion(prediction, test.stars)),
    }


def _over_splits(metrics: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation (of the sample) of each metric."""
    values = {name: [own[name] for own in metrics] for name in metrics[0]}
    return {name: {"mean": fmean(each), "std": stdev(each)} for name, each in values.items()}


def sweep(
    model: str,
    dataset: str,
    split: str,
    grid: Mapping[str, Sequence[str]],
    *,
    cleaning: str = "none",
    published: bool = False,
    seed: int = 0,
    split_seed: int = 0,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
    on_result: Callable[[dict[str, Any]], None] = lambda row: None,
    on_known: Callable[[int], None] = lambda known: None,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Measure a model with every combination of settings, as ``sweep --json`` prints it, best first.

    What was measured before, by a sweep that was broken off or had fewer values, is taken from there unless all is to
    be ``fresh``; ``on_known`` hears how many combinations that are. ``on_result`` hears each row as it arrives.
    """
    from models.sweep import Notes, Swept, combine, told
    from models.sweep import sweep as run

    combinations = combine(model, grid, published)
    loaded = catalogue.load(dataset, cleaning, on_stage)
    notes = Notes(
        locations.sweeps(),
        model=model,
        data=loaded.fingerprint,
        split=split,
        seeds=[seed, split_seed],
        version=__version__,
    )
    if fresh:
        notes.forget()
    before = notes.read()
    known = sum(told(settings) in before for _, settings in combinations)
    if known:
        on_known(known)
    many = len(combinations)
    order = {told_settings(changes): number for number, (changes, _) in enumerate(combinations, 1)}

    def watch(changes: dict[str, str], epoch: Epoch) -> None:
        told = told_settings(changes)
        on_epoch(f"{order[told]} of {many}: {told}", {**asdict(epoch), "epoch": epoch.number})

    def row(swept: Swept) -> dict[str, Any]:
        return {
            "model": model,
            "dataset": dataset,
            "split": split,
            "split_seed": split_seed,
            "seed": seed,
            "cleaning": loaded.cleaning,
            "grid": swept.changes,
            "settings": asdict(swept.settings),
            "metrics": swept.metrics,
            "test": swept.test,
            "seconds": {"fit": swept.fit_seconds},
        }

    found = run(model, loaded, split, combinations, seed, split_seed, watch, lambda swept: on_result(row(swept)), notes)
    return [row(swept) for swept in found]


def told_settings(changes: Mapping[str, str]) -> str:
    """Return settings as a person writes them."""
    return " ".join(f"{key}={value}" for key, value in changes.items())


def reproduce(
    *,
    seed: int = 0,
    on_stage: Report = silent,
    on_epoch: OnEpoch = unheard,
) -> list[dict[str, Any]]:
    """Run the experiments of the source systems, as ``reproduce --json`` prints them."""
    from models import reproduce as sources

    datasets = {
        name: catalogue.load(name, "none", on_stage) for name in dict.fromkeys(one.dataset for one in sources.here())
    }
    return list(
        sources.reproduce(
            datasets, seed, lambda label, epoch: on_epoch(label, {**asdict(epoch), "epoch": epoch.number})
        )
    )


def checkpoint_of(store: Store, number: int) -> Path:
    """Return the folder of a run's checkpoint."""
    run = store.run(number)
    assert run is not None
    return locations.checkpoints() / run.checkpoint


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
    unseen_by: Literal["all", "any"] = "all",
    daring: float = 0.0,
    draw: int | None = None,
) -> dict[str, Any]:
    """Return the best unseen movies that pass the filter ``only``, as ``recommend --json`` prints them.

    What one of the viewers has seen without rating it, or does not want to be offered, is left out too. ``how``: of
    several viewers, the fields of an ``Aggregation``. ``draw``: the seed of a surprise, one movie.
    """
    from models.filters import parse
    from models.ranking import Aggregation, Ranker
    from movietui.serving import viewer

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
    from movietui.serving import viewer

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

    Of two viewers also the movies that divide them, and such as neither has rated and would; for that a model is asked.
    """
    from models.ranking import Ranker
    from movietui.serving import viewer

    two = len(viewers) == 2
    loaded, fitted = (
        served(store, dataset, model) if two else (catalogue.load(dataset, store.cleaning_of(dataset)), None)
    )
    people = [viewer(loaded, store.asked(ref)) for ref in viewers]
    ranker = Ranker(loaded, fitted) if fitted else None
    return tell_taste(loaded, people, most, ranker, _not_offered(store, loaded, viewers))


def tell_taste(
    loaded: Dataset, people: Sequence[Viewer], most: int, ranker: Ranker | None, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return what viewers like, as ``taste --json`` prints it; with a ranker also what divides the two.

    ``hidden`` rows are not told of as movies that would divide them.
    """
    from models import taste as tastes
    from models.ranking import alikeness

    def with_movie(each: Any) -> dict[str, Any]:
        told = asdict(each)
        return {**_movie(loaded, told.pop("movie")), **told}

    def one(person: Viewer) -> dict[str, Any]:
        found = tastes.taste(loaded, person.history, most)
        unusual = {name: [with_movie(each) for each in getattr(found, name)] for name in ("likes", "dislikes")}
        return {"kind": person.kind, "id": person.id, **asdict(found), **unusual}

    told: dict[str, Any] = {"dataset": loaded.name, "viewers": [one(person) for person in people]}
    if ranker is None:
        return told
    first, second = (person.history for person in people)
    alike = alikeness(first, second)
    open_to = ranker.candidates(people, hidden)
    would = tastes.dividing(open_to, ranker.expect(first), ranker.expect(second), most)
    told["pair"] = {
        "model": ranker.model.name,
        "alike": None if alike is None else asdict(alike),
        "divided": [with_movie(each) for each in tastes.divided(first, second, most)],
        "would_divide": [with_movie(each) for each in would],
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
    films = set[str]().union(*(store.not_offered(ref) for ref in viewers))
    return {row for film in films for row in dataset.movies.rows_by_key.get(film, ())}


def _movie(dataset: Dataset, row: int) -> dict[str, Any]:
    movies = dataset.movies
    return {
        "id": movies.ids[row],
        "title": movies.titles[row],
        "year": int(movies.years[row]) or None,
        "genres": movies.genres_of(row),
        "count": int(dataset.counts[row]),
    }


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

    if format_ != exporting.SHORTLIST:
        return exporting.export(store, ref, format_, output, force=force)
    found = recommend(store, dataset, [ref], k)
    exporting.write_file(output, exporting.shortlist(ref.id, found).encode("utf-8"), force=force)
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
