"""Of which movies a movie is one of the best liked, and how many of the best ones a viewer liked."""

from dataclasses import replace

import numpy as np
import pytest

from movietui.data.dataset import Dataset, Floats
from movietui.models.serving.standing import Record, best_of, record
from movietui.models.serving.taste import crowd_means
from tests.models.builders import dataset


def graded(movies: int = 200) -> Dataset:
    """Return a dataset in which every movie has more stars than the next one, 5 to 3. Movies 0 to 99 are of the 1940s,
    the others of the 1950s; every other movie, beginning with the first, is a war movie, the others comedies."""
    stars: Floats = np.repeat(np.linspace(5, 3, movies, dtype=np.float32), 20)
    made = dataset(np.tile(np.arange(20), movies), np.repeat(np.arange(movies), 20), stars)
    years = np.where(np.arange(movies) < 100, 1942, 1951).astype(np.int32)
    genres = (np.arange(movies) % 2 == 0)[:, None] == np.asarray([True, False])
    return replace(made, movies=replace(made.movies, years=years, genres=genres, genre_names=("War", "Comedy")))


def of(made: Dataset, row: int) -> str | None:
    return best_of(made, crowd_means(made), row)


def test_the_best_of_all_of_a_decade_and_of_a_genre_are_found() -> None:
    made = graded()
    assert [of(made, row) for row in (0, 4)] == ["", ""]
    assert [of(made, row) for row in (5, 9)] == ["Comedy"] * 2  # sixth of all and of the decade, third of the comedies
    assert [of(made, row) for row in (10, 11)] == [None, None]
    assert of(made, 100) == "1950s"
    assert of(graded(400), 7) == ""  # 2 % of 400 movies are 8
    years = np.where(np.arange(200) < 9, 1942, 1951).astype(np.int32)
    assert of(replace(made, movies=replace(made.movies, years=years)), 9) == "1950s"  # and the fifth of the comedies


def test_the_best_of_few_are_not_called_so() -> None:
    few = graded(30)
    years = np.where(np.arange(30) == 6, 1951, 1942).astype(np.int32)
    assert of(replace(few, movies=replace(few.movies, years=years)), 6) is None  # first of one movie, third of 15
    made = graded()
    rows = np.flatnonzero((made.ratings.movie != 0) | (made.ratings.user < 9))
    assert of(made.with_ratings(rows), 0) is None  # nine ratings
    assert of(made.with_ratings(rows), 5) == ""  # now the fifth of all


@pytest.mark.parametrize(
    ("liked", "rated", "expected"),
    [(4, 5, Record("", 4, 5)), (3, 5, None), (4, 4, None), (8, 10, Record("", 8, 10)), (7, 10, None)],
)
def test_a_record_says_that_a_viewer_liked_most_of_several(liked: int, rated: int, expected: Record | None) -> None:
    movies = graded().movies  # half of them are of each genre and of each decade
    assert record(movies, 199, np.arange(rated, dtype=np.int32), np.arange(rated) < liked) == expected


def test_a_record_is_about_the_smallest_group_of_which_it_is_true() -> None:
    movies = graded().movies
    genres = np.stack([np.arange(200) < 20, np.arange(200) < 160, np.arange(200) % 2 == 0], 1)
    years = np.where(np.arange(200) < 40, 1942, 1951).astype(np.int32)
    movies = replace(movies, genres=genres, genre_names=("War", "Drama", "Comedy"), years=years)
    rated = np.arange(60, dtype=np.int32)
    assert record(movies, 0, rated, rated < 50) == Record("War", 20, 20)
    assert record(movies, 0, rated, (rated < 50) & (rated > 9)) is None
    assert record(movies, 0, rated, rated > 7) == Record("1940s", 32, 40)  # only 12 of 20 war movies
    assert record(movies, 100, rated, rated < 50) == Record(
        "", 50, 60
    )  # Drama is a label here, and half of all movies are comedies
    rare = np.zeros((200, 2), bool)
    rare[:3] = True  # War is only a label of a movie that has rarer genres
    labelled = replace(movies, genres=np.column_stack([genres[:, 0], rare]), genre_names=("War", "Western", "Musical"))
    assert record(labelled, 0, rated, rated < 50) == Record("1940s", 40, 40)
    long_ago = replace(labelled, years=np.where(np.arange(200) < 80, 1942, 1951).astype(np.int32))
    assert record(long_ago, 0, rated, rated < 50) == Record("", 50, 60)  # too many movies are of the decade
