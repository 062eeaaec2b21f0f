"""Facts about a dataset, as JSON-able values."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.dataset import Dataset

QUANTILES = {"minimum": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "maximum": 1.0}


def summary(dataset: Dataset) -> dict[str, Any]:
    """Return counts, density, distributions and what is missing; most rated movies first."""
    ratings, users, movies = dataset.ratings, dataset.users, dataset.movies
    per_user = np.bincount(ratings.user, minlength=len(users))
    known_years = movies.years[movies.years > 0]
    known_ages = users.age[users.age > 0]
    genre_counts = movies.genres.sum(axis=0)
    genre_ratings = (movies.genres * dataset.counts[:, None]).sum(axis=0)
    return {
        "ratings": len(ratings),
        "users": len(users),
        "movies": len(movies),
        "density": len(ratings) / (len(users) * len(movies)),
        "scale": {"low": dataset.scale.low, "high": dataset.scale.high, "step": dataset.scale.step},
        "mean_stars": float(ratings.stars.mean(dtype=np.float64)),
        "stars": {f"{stars:g}": int(count) for stars, count in zip(*_counted(ratings.stars), strict=True)},
        "first": _day(ratings.time.min()),
        "last": _day(ratings.time.max()),
        "ratings_per_user": _quantiles(per_user),
        "ratings_per_movie": _quantiles(dataset.counts),
        "genres": {
            name: {"movies": int(genre_counts[column]), "ratings": int(genre_ratings[column])}
            for column, name in enumerate(movies.genre_names)
        },
        "years": _quantiles(known_years),
        "decades": {f"{decade}s": int(count) for decade, count in zip(*_counted(known_years // 10 * 10), strict=True)},
        "ages": _quantiles(known_ages),
        "genders": _texts(users.gender),
        "occupations": _texts(users.occupation),
        "most_rated": [
            {"id": movies.ids[row], "title": movies.label(row), "ratings": int(dataset.counts[row])}
            for row in np.argsort(-dataset.counts, kind="stable")[:10]
        ],
        "missing": {
            "year": int((movies.years == 0).sum()),
            "genre": int((~movies.genres.any(axis=1)).sum()),
            "rating_of_movie": int((dataset.counts == 0).sum()),
            "rating_of_user": int((per_user == 0).sum()),
            "age": int(len(users) - len(known_ages)),
        },
        "fingerprint": dataset.fingerprint,
    }


def _counted(values: NDArray[Any]) -> tuple[list[Any], list[int]]:
    found, counts = np.unique(values, return_counts=True)
    return found.tolist(), counts.tolist()


def _texts(values: tuple[str, ...]) -> dict[str, int]:
    found = {value: values.count(value) for value in sorted(set(values)) if value}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    return {name: float(np.quantile(values, share)) for name, share in QUANTILES.items()}


def _day(seconds: Any) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
