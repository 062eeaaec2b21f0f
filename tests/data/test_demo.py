import numpy as np
from pandas.testing import assert_frame_equal

from movietui.data import catalogue
from movietui.data.demo import generate as demo
from movietui.data.demo.movies import GENRE_CODES, MOVIES
from movietui.data.titles import parse_label


def test_the_demo_is_the_same_every_time() -> None:
    one, two = demo.generate(), demo.generate()
    assert_frame_equal(one.ratings, two.ratings)
    assert_frame_equal(one.users, two.users)


def test_movies_are_well_formed() -> None:
    rows = [line.split("|") for line in MOVIES.strip().splitlines()]
    assert len(rows) > 250
    assert len({(year, title) for year, title, *_ in rows}) == len(rows)
    for year, title, genres, quality, fame in rows:
        assert 1930 <= int(year) <= 2023
        assert set(genres.split()) <= set(GENRE_CODES)
        assert 1 <= int(quality) <= 9
        assert 1 <= int(fame) <= 9
        assert parse_label(f"{title} ({year})") == (title, int(year))


def test_ratings_are_whole_stars_and_nothing_needs_cleaning() -> None:
    raw = demo.generate()
    assert len(raw.users) == 400
    assert 25_000 <= len(raw.ratings) <= 30_000
    assert set(raw.ratings["stars"]) == {1, 2, 3, 4, 5}
    assert raw.ratings["user_id"].value_counts().min() >= demo.FEWEST
    assert all(
        not (rule.removed or rule.removed_movies or rule.removed_users) for rule in catalogue.clean("demo").rules
    )


def test_the_demo_says_that_it_is_invented() -> None:
    result = catalogue.get("demo")
    assert result.source == "generated"
    assert "invented" in result.note
    assert "invented" in catalogue.show("demo")["terms"]
    assert catalogue.get("demo").source == "generated"


def test_good_movies_are_rated_high_and_famous_movies_often() -> None:
    dataset = catalogue.load("demo")
    stars = np.bincount(dataset.ratings.movie, dataset.ratings.stars) / dataset.counts
    godfather = dataset.movies.titles.index("The Godfather")
    assert stars[godfather] > np.quantile(stars, 0.9)
    assert dataset.counts[godfather] > np.quantile(dataset.counts, 0.9)
    assert stars[dataset.movies.titles.index("Battlefield Earth")] < np.quantile(stars, 0.05)


def test_tastes_show_in_the_ratings() -> None:
    """Users who rate some horror movies above average tend to rate other horror movies above average, too."""
    dataset = catalogue.load("demo")
    ratings, movies = dataset.ratings, dataset.movies
    mean = np.bincount(ratings.movie, ratings.stars) / dataset.counts
    above = ratings.stars - mean[ratings.movie]
    above -= (np.bincount(ratings.user, above) / np.bincount(ratings.user))[ratings.user]
    horror = movies.genres[ratings.movie, movies.genre_names.index("Horror")]
    first, second = horror & (ratings.movie % 2 == 0), horror & (ratings.movie % 2 == 1)
    sums = [np.bincount(ratings.user[rows], above[rows], len(dataset.users)) for rows in (first, second)]
    assert np.corrcoef(sums[0], sums[1])[0, 1] > 0.3
