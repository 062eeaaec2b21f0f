"""Summarises a dataset as JSON-able values: facts, and charts of its distributions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.cleaning.rules import day
from movietui.data.cleaning.working_tables import pieces
from movietui.data.dataset import Dataset, Scale
from movietui.data.language import tr
from movietui.data.movielens.release import AGE_GROUPS

QUANTILES = {"minimum": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "maximum": 1.0}
ADULT = 18
MONTHS = 48
"""If the ratings span more months than this, they are counted by year."""
MOST_BINS = 100
"""The maximum number of bars in the charts of ratings, and of ratings over time. A user's own dataset may have any
number of different ratings and years."""
DAY = 86_400
TENTHS = 10


def summary(dataset: Dataset) -> dict[str, Any]:
    """Return counts, density, distributions, the ten most rated movies, charts, and counts of missing values."""
    ratings, users, movies = dataset.ratings, dataset.users, dataset.movies
    per_user = np.bincount(ratings.user, minlength=len(users))
    known_years = movies.years[movies.years > 0]
    known_ages = users.age[users.age > 0]
    genre_counts = movies.genres.sum(axis=0)
    genre_ratings = dataset.counts.astype(np.int64) @ movies.genres
    given = {} if dataset.implicit else dict(_counted(dataset.ratings_scale.ratings_of(ratings.stars)))
    times = ratings.time[ratings.time > 0]
    return {
        "ratings": len(ratings),
        "users": len(users),
        "movies": len(movies),
        "density": len(ratings) / (len(users) * len(movies)),
        "scale": None if dataset.implicit else asdict(dataset.ratings_scale),
        "scale_note": _scale_note(dataset),
        "mean_rating": sum(value * count for value, count in given.items()) / len(ratings) if given else None,
        "mean_stars": None if dataset.implicit else float(ratings.stars.mean(dtype=np.float64)),
        "stars": {f"{value:g}": count for value, count in given.items()},
        "first": day(times.min()) if len(times) else None,
        "last": day(times.max()) if len(times) else None,
        "ratings_per_user": _quantiles(per_user),
        "ratings_per_movie": _quantiles(dataset.counts),
        "genres": {
            name: {"movies": int(genre_counts[column]), "ratings": int(genre_ratings[column])}
            for column, name in enumerate(movies.genre_names)
        },
        "years": _quantiles(known_years),
        "covered_year": dataset.covered_year or None,
        "decades": {f"{decade}s": count for decade, count in _counted(known_years // 10 * 10)},
        "ages": _quantiles(known_ages),
        "children": int((known_ages < ADULT).sum()),
        "adults": int((known_ages >= ADULT).sum()),
        "genders": _texts(users.gender),
        "occupations": _texts(users.occupation),
        "most_rated": [
            {"id": movies.ids[row], "title": movies.label(row), "ratings": int(dataset.counts[row])}
            for row in np.argsort(-dataset.counts, kind="stable")[:10]
        ],
        "charts": _charts(dataset, given, per_user),
        "missing": {
            "year": int((movies.years == 0).sum()),
            "genre": int((~movies.genres.any(axis=1)).sum()),
            "rating_of_movie": int((dataset.counts == 0).sum()),
            "rating_of_user": int((per_user == 0).sum()),
            **({"age": len(users) - len(known_ages)} if len(users.age) else {}),
        },
        **_absent(dataset),
        "fingerprint": dataset.fingerprint,
    }


def _scale_note(dataset: Dataset) -> str:
    """Return a sentence on the scale of the ratings."""
    if dataset.implicit:
        return tr("There are no ratings, only who watched what.")
    shown = (
        tr(" They are shown as {lowest:.3g} to 5 stars.", lowest=dataset.scale.low) if dataset.published_scale else ""
    )
    return tr("Ratings from {scale}.{shown}", scale=dataset.ratings_scale, shown=shown)


def _absent(dataset: Dataset) -> dict[str, Any]:
    users = dataset.users
    parts = {
        "age": len(users.age),
        "gender": len(users.gender),
        "occupation": len(users.occupation),
        "month of release": len(dataset.movies.months),
    }
    absent = [part for part, length in parts.items() if not length]
    note = tr("Not published in this dataset: {facts}.", facts=", ".join(absent)) if absent else ""
    return {"absent": absent, "absent_note": note}


# Charts: labelled bars, and a map of the density. There is no chart of a fact that the dataset lacks.


def _charts(dataset: Dataset, given: dict[float, int], per_user: NDArray[np.intp]) -> list[dict[str, Any]]:
    users = dataset.users
    known_ages = users.age[users.age > 0]
    children = int((known_ages < ADULT).sum())
    charts = [
        _by_rating(dataset.ratings_scale, given),
        _by_genre(dataset),
        _by_year(dataset),
        _chart(
            "ages",
            tr("users by age"),
            tr("users"),
            _ages(known_ages),
            tr(
                "{children:,} under {age}, {adults:,} aged {age} or over",
                children=children,
                age=ADULT,
                adults=len(known_ages) - children,
            ),
        ),
        _chart("ratings per user", tr("users by their number of ratings"), tr("users"), _by_size(per_user)),
        _by_popularity(dataset),
        _chart("ratings over time", tr("ratings over time"), tr("ratings"), *_over_time(dataset.ratings.time)),
    ]
    density = _chart(
        "density",
        tr("share of movies rated"),
        tr("pairs"),
        [],
        tr("by tenths of users and of movies, most active first"),
    )
    return [*(chart for chart in charts if chart["counts"]), {**density, "shares": _density_map(dataset, per_user)}]


def charts_of_movies(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the charts that need only the movies and the number of their ratings."""
    return [chart for chart in (_by_genre(dataset), _by_year(dataset), _by_popularity(dataset)) if chart["counts"]]


def _chart(name: str, title: str, of: str, bars: Sequence[tuple[str, int]], note: str = "") -> dict[str, Any]:
    labels, counts = [label for label, _ in bars], [count for _, count in bars]
    return {
        "name": name,
        "title": title,
        "of": of,
        "labels": labels,
        "counts": counts,
        "also_of": "",
        "also": [],
        "note": note,
        "shares": [],
    }


def _by_rating(scale: Scale, given: dict[float, int]) -> dict[str, Any]:
    """Return the chart of how often each rating was given, on the published scale.

    If there are more than ``MOST_BINS`` different ratings, they are counted by tenths of the scale.
    """
    on_scale = tr("ratings on a scale of {scale}", scale=scale)
    title = tr("ratings by stars") if scale == scale.in_stars else on_scale
    if len(given) <= MOST_BINS:
        return _chart("ratings", title, tr("ratings"), [(f"{value:g}", count) for value, count in given.items()])
    edges = np.linspace(scale.low, scale.high, TENTHS + 1)
    bins = np.clip(np.searchsorted(edges, [*given], side="right") - 1, 0, TENTHS - 1)
    counts = np.bincount(bins, [*given.values()], TENTHS).astype(np.int64).tolist()
    return _chart(
        "ratings",
        title,
        tr("ratings"),
        [
            (tr("{low:g} to {high:g}", low=low, high=high), count)
            for (low, high), count in zip(pairwise(edges.tolist()), counts, strict=True)
        ],
    )


def _by_genre(dataset: Dataset) -> dict[str, Any]:
    """Return the chart of the movies of each genre."""
    movies = dataset.movies
    genres = sorted(zip(movies.genres.sum(axis=0).tolist(), movies.genre_names, strict=True), reverse=True)
    without_genre = int((~movies.genres.any(axis=1)).sum())
    others = tr("; {count:,} have none", count=without_genre) if without_genre else ""
    return _chart(
        "genres",
        tr("movies by genre"),
        tr("movies"),
        [(name, count) for count, name in genres if count],
        tr("a movie counts in each of its genres") + others,
    )


def _by_popularity(dataset: Dataset) -> dict[str, Any]:
    """Return the chart of how many movies have how many ratings."""
    return _chart("ratings per movie", tr("movies by their number of ratings"), tr("movies"), _by_size(dataset.counts))


def _by_year(dataset: Dataset) -> dict[str, Any]:
    """Return the chart of the movies of each year of release and of the ratings that these movies have."""
    years = dataset.movies.years
    known = years > 0
    if not known.any():
        return _chart("release years", tr("movies and ratings by year"), tr("movies"), [])
    first = int(years[known].min())
    movies = np.bincount(years[known] - first).tolist()
    ratings = np.bincount(years[known] - first, dataset.counts[known]).astype(np.int64).tolist()
    note = tr("newest well-covered year: {year}", year=dataset.covered_year) if dataset.covered_year else ""
    bars = [(str(first + index), count) for index, count in enumerate(movies)]
    chart = _chart("release years", tr("movies and ratings by year"), tr("movies"), bars, note)
    return {**chart, "also_of": tr("ratings"), "also": ratings}


def _ages(ages: NDArray[np.int32]) -> list[tuple[str, int]]:
    counted = _counted(ages)
    if all(age in AGE_GROUPS for age, _ in counted):
        return [(AGE_GROUPS[age], count) for age, count in counted]
    return [(f"{5 * index}–{5 * index + 4}", count) for index, count in _counted(ages // 5)]


def _by_size(numbers: NDArray[Any]) -> list[tuple[str, int]]:
    """Count numbers in bins of growing width: 0, 1, 2–4, 5–9, 10–19, 20–49 and so on."""
    edges = [0] + [step * 10**power for power in range(9) for step in (1, 2, 5)]
    counts = np.bincount(np.searchsorted(edges, numbers, side="right") - 1, minlength=len(edges)).tolist()
    labels = [str(low) if high - low == 1 else f"{low:,}–{high - 1:,}" for low, high in pairwise(edges)]
    filled = [index for index, count in enumerate(counts) if count]
    return [(labels[index], counts[index]) for index in range(filled[0], filled[-1] + 1)] if filled else []


def _over_time(times: NDArray[np.int64]) -> tuple[list[tuple[str, int]], str]:
    """Count ratings by month, or by year if there are many months; return the bins and a note on the bins left out.

    Empty bins between others stay, unless a stray rating would create far too many of them.
    """
    times = times[times > 0]
    if not len(times):
        return [], ""
    first = int(times.min()) // DAY
    by_day = np.zeros(int(times.max()) // DAY - first + 1, np.int64)
    for piece in pieces(len(times)):
        by_day += np.bincount(times[piece] // DAY - first, minlength=len(by_day))
    days = np.arange(first, first + len(by_day)).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    bins = months if int((months[-1] - months[0]).astype(int)) < MONTHS else days.astype("datetime64[Y]")
    positions = (bins - bins[0]).astype(np.int64)
    counts = np.bincount(positions, weights=by_day).astype(int)
    shown, note = np.arange(len(counts)), ""
    if len(counts) > MOST_BINS:
        shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_BINS])
        shown = shown[counts[shown] > 0]
        left_out = counts.sum() - counts[shown].sum()
        note = tr("years without ratings are not shown")
        if left_out:
            note += tr(", nor are years with few ratings (ratings left out: {count:,})", count=left_out)
    return [(str(bins[0] + index), int(counts[index])) for index in shown], note


def _density_map(dataset: Dataset, per_user: NDArray[np.intp]) -> list[list[float]]:
    """Return the share of rated pairs in each combination of a tenth of the users and a tenth of the movies.

    There is one row per tenth of the users, the most active first, and one column per tenth of the movies, the most
    rated first.
    """
    user = _tenths(per_user)
    movie = _tenths(dataset.counts)
    cells = np.zeros(TENTHS * TENTHS, np.int64)
    for piece in pieces(len(dataset.ratings)):
        cells += np.bincount(
            user[dataset.ratings.user[piece]] * TENTHS + movie[dataset.ratings.movie[piece]], minlength=len(cells)
        )
    pairs = np.outer(np.bincount(user, minlength=TENTHS), np.bincount(movie, minlength=TENTHS))
    shares: list[list[float]] = (cells.reshape(TENTHS, TENTHS) / np.maximum(1, pairs)).tolist()
    return shares


def _tenths(counts: NDArray[Any]) -> NDArray[np.intp]:
    """Return the tenth that each element belongs to; the elements with the highest counts are in tenth 0."""
    tenths = np.empty(len(counts), np.intp)
    tenths[np.argsort(-counts, kind="stable")] = np.arange(len(counts)) * TENTHS // max(1, len(counts))
    return tenths


def _counted(values: NDArray[Any]) -> list[tuple[Any, int]]:
    """Return the distinct values in ascending order, each with its count."""
    counts: dict[Any, int] = {}
    for piece in pieces(len(values)):
        for value, count in zip(
            *(array.tolist() for array in np.unique(values[piece], return_counts=True)), strict=True
        ):
            counts[value] = counts.get(value, 0) + count
    return sorted(counts.items())


def _texts(values: tuple[str, ...]) -> dict[str, int]:
    return dict(sorted(Counter(filter(None, values)).items(), key=lambda pair: (-pair[1], pair[0])))


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    return {name: float(np.quantile(values, share)) for name, share in QUANTILES.items()}
