"""Generates the demo dataset: real movies, rated by invented users.

The demo needs no download, so the app and its tests can run without a network. ``movietui.data.demo.movies`` lists the
movies with their genres, quality and fame; a random generator with a fixed seed invents the users and ratings. Each
invented user has a taste: a weight for each genre and for the age of a movie. Users watch more movies of the genres
that they like, and rate these higher.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movietui.data.demo.movies import GENRE_CODES, MOVIES
from movietui.data.movielens.release import Raw
from movietui.data.titles import with_year

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SEED = 20
USERS = 400
RATINGS = 28_000
"""About how many ratings all users give together."""
FEWEST = 20
"""The fewest ratings that a user has, as in MovieLens."""
FIRST_TIME = 1_577_836_800
"""2020-01-01, in seconds since 1970."""
YEARS_OF_RATING = 4

OCCUPATIONS = (
    "artist",
    "baker",
    "carpenter",
    "cook",
    "dentist",
    "editor",
    "electrician",
    "farmer",
    "gardener",
    "journalist",
    "lawyer",
    "librarian",
    "musician",
    "nurse",
    "pharmacist",
    "programmer",
    "salesperson",
    "scientist",
    "teacher",
    "translator",
)

# Directions in the space of genres; a user's taste is a random mixture of them.
_TASTES = (
    {"Action": 1, "Sci-Fi": 0.8, "Adventure": 0.8, "Thriller": 0.4, "Romance": -0.7, "Musical": -0.6, "Drama": -0.3},
    {"Romance": 1, "Musical": 0.8, "Comedy": 0.5, "Horror": -0.9, "War": -0.5, "Action": -0.3},
    {"Horror": 1, "Thriller": 0.6, "Mystery": 0.5, "Children's": -0.8, "Musical": -0.5},
    {"Children's": 1, "Animation": 0.9, "Fantasy": 0.7, "Adventure": 0.3, "Crime": -0.5, "Film-Noir": -0.5},
    {"Film-Noir": 1, "Crime": 0.7, "Mystery": 0.6, "Western": 0.5, "Animation": -0.5, "Fantasy": -0.4},
    {"Drama": 0.9, "War": 0.6, "Documentary": 0.8, "Action": -0.6, "Sci-Fi": -0.4, "Comedy": -0.2},
)


def generate() -> Raw:
    """Return the demo dataset, which is the same every time."""
    import pandas as pd

    random = np.random.RandomState(SEED)  # its sequences never change; those of default_rng may
    movies, genres, quality, fame = _movies()
    years = movies["year"].to_numpy()
    old = (2000 - years) / 30.0

    strength = random.gamma(0.7, 0.8, (USERS, len(_TASTES))) - 0.25
    genre_names = list(GENRE_CODES.values())
    directions = np.array([[taste.get(genre, 0.0) for genre in genre_names] for taste in _TASTES])
    weights = strength @ directions + random.normal(0, 0.25, (USERS, len(genre_names)))
    ages = np.clip(np.round(random.gamma(7, 5, USERS) + 3), 14, 82).astype(np.int64)
    love_of_old = random.normal((ages - 38)[:, None] / 60, 0.35, (USERS, 1))

    fit = weights @ (genres / np.sqrt(genres.sum(axis=1, keepdims=True))).T + love_of_old * old
    fit -= fit.mean(axis=1, keepdims=True)
    rated = _who_saw_what(random, fit, fame)

    kindness = random.normal(0, 0.35, (USERS, 1))
    spread = random.uniform(0.75, 1.25, (USERS, 1))
    opinion = (
        3.35 + kindness + spread * (0.38 * (quality - 7.0) + 0.85 * np.tanh(fit)) + random.normal(0, 0.55, fit.shape)
    )
    stars = np.clip(np.round(opinion), 1, 5)

    user, movie = np.nonzero(rated)
    start = random.uniform(0, YEARS_OF_RATING * 365 * 86_400, USERS)
    # Most of a user's ratings follow within a few weeks of the user's start, in random order; a few come later.
    time = FIRST_TIME + start[user] + random.exponential(20 * 86_400, len(user))
    order = random.permutation(len(user))
    ratings = pd.DataFrame(
        {
            "user_id": (user + 1).astype(np.int32),
            "movie_id": (movie + 1).astype(np.int32),
            "stars": stars[user, movie].astype(np.float32),
            "time": time.astype(np.int64),
        }
    ).iloc[order]
    users = pd.DataFrame(
        {
            "user_id": np.arange(1, USERS + 1, dtype=np.int32),
            "age": ages,
            "gender": pd.Series(random.choice(["F", "M"], USERS).tolist(), dtype="str"),
            "occupation": pd.Series(_occupations(random, ages), dtype="str"),
            "zip_code": pd.Series([""] * USERS, dtype="str"),
        }
    )
    published = movies[["movie_id", "title", "release_date", "genres"]]
    return Raw(ratings.reset_index(drop=True), published, users, tuple(genre_names), ratings_file="demo")


def _movies() -> "tuple[pd.DataFrame, Floats, Floats, Floats]":
    """Return the movies, their genres, shape (movies, genres), and their quality and fame, shape (movies,)."""
    import pandas as pd

    rows = [line.split("|") for line in MOVIES.strip().splitlines()]
    codes = [row[2].split() for row in rows]
    movies = pd.DataFrame(
        {
            "movie_id": np.arange(1, len(rows) + 1, dtype=np.int32),
            "title": pd.Series([with_year(title, int(year)) for year, title, *_ in rows], dtype="str"),
            "release_date": pd.Series([f"{row[0]}-01-01" for row in rows], dtype="str"),
            "genres": pd.Series(["|".join(GENRE_CODES[code] for code in row) for row in codes], dtype="str"),
            "year": [int(row[0]) for row in rows],
        }
    )
    genres = np.array([[code in row for code in GENRE_CODES] for row in codes], float)
    return movies, genres, np.array([float(row[3]) for row in rows]), np.array([float(row[4]) for row in rows])


def _who_saw_what(random: np.random.RandomState, fit: Floats, fame: Floats) -> Bools:
    """Draw which movies each user rated, shape (users, movies).

    Famous movies, and movies that fit the taste of the user, are more likely.
    """
    activity = random.lognormal(0, 0.7, USERS)
    counts = np.round(FEWEST + (RATINGS - FEWEST * USERS) * activity / activity.sum()).astype(int)
    counts = np.minimum(counts, int(len(fame) * 0.8))
    draw = 0.42 * fame + 0.8 * np.tanh(fit) + random.gumbel(0, 1, fit.shape)
    rank = np.argsort(np.argsort(-draw, axis=1), axis=1)
    chosen: Bools = rank < counts[:, None]
    return chosen


def _occupations(random: np.random.RandomState, ages: np.ndarray) -> list[str]:
    drawn = random.choice(OCCUPATIONS, len(ages))
    return [
        "student" if age < 20 else "retired" if age > 67 else str(name) for age, name in zip(ages, drawn, strict=True)
    ]
