"""Explanations are exact for every model and say what movies have in common."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from movietui.data.dataset import Floats, ImdbFacts, Ints
from movietui.models import MODELS
from movietui.models.base import Expectation, History, history_of
from movietui.models.popularity import Popularity
from movietui.models.serving.explanations import Reason, Reasons, explain, reasons_for
from movietui.models.serving.kinship import Shared, are_kin, shared, specific_genres
from movietui.models.serving.similar import Similarities
from tests.models.builders import dataset, tags_of, tastes

TRAIN = tastes(users=40, movies=30)[0]
SMALL = {"members": 1, "epochs": 1, "sweeps": 2, "samples": 2, "warm_up": 0.5, "hidden": 8, "second": 0, "factors": 4}
"""Settings that shorten a fit, for the models that have them."""


@pytest.mark.parametrize("name", MODELS)
def test_removing_a_reason_changes_the_score_by_its_share(name: str) -> None:
    kind = MODELS[name]
    tuned = kind.settings_type()
    small = {field.name: SMALL[field.name] for field in fields(tuned) if field.name in SMALL}
    model = kind(replace(tuned, **small))
    model.fit(TRAIN)
    history = history_of(TRAIN, 4)
    history = History(history.movies, history.stars)
    movie = int(np.setdiff1d(np.arange(30), history.movies)[0])
    expected = model.expect(model.fold_in(history))
    explanation = explain(model, Similarities(TRAIN), history, expected, movie)
    assert explanation.score == pytest.approx(float(expected.score[movie]))
    assert explanation.low <= explanation.stars <= explanation.high
    shares = model.explain(history, movie)
    for reason in (*explanation.reasons.liked, *explanation.reasons.against):
        index = history.movies.tolist().index(reason.movie)
        without = model.expect(model.fold_in(history.without(index)))
        assert explanation.score - float(without.score[movie]) == pytest.approx(reason.share, abs=2e-4)
        assert reason.weight == pytest.approx(abs(reason.share) / np.abs(shares).sum(), rel=1e-3)
        assert reason.stars == history.stars[index]


class Chosen(Popularity):
    """A model with given contributions."""

    def __init__(self, shares: Sequence[float]) -> None:
        super().__init__()
        self.shares = np.float32(shares)

    def explain_list(self, history: History, movies: Ints) -> Floats:
        return np.tile(self.shares[: len(history)], (len(movies), 1))


KIN = dataset(np.tile(np.arange(10), 36), np.repeat(np.arange(36), 10), np.full(360, 3), movies=400)
KIN = replace(KIN, movies=replace(KIN.movies, genres=np.asarray([[1, 0]] * 30 + [[0, 1]] * 6 + [[0, 0]] * 364, bool)))
"""Ten users gave 3 stars to each of movies 0 to 35. Movies 0 to 29 are of one genre, 30 to 35 of another."""


def reasons(stars: Sequence[float], shares: Sequence[float], movies: Sequence[int] | None = None) -> Reasons:
    """Return the reasons for movie 0 for a viewer who rated ``movies``, by default those from 1 on."""
    rows = np.arange(1, len(stars) + 1) if movies is None else np.asarray(movies)
    history = History(rows.astype(np.int32), np.float32(stars))
    (chosen,) = reasons_for(Chosen(shares), Similarities(KIN), history, predicting(5), np.int32([0]))
    return chosen


def predicting(stars: float) -> Expectation:
    """Return predictions of so many stars for each of 400 movies."""
    return Expectation(np.full(400, stars, np.float32), np.zeros(400, np.float32), np.zeros(400, np.float32))


def rows(of: tuple[Reason, ...]) -> list[int]:
    return [reason.movie for reason in of]


def test_only_liked_movies_that_raise_the_score_are_reasons() -> None:
    chosen = reasons([5, 4, 3, 2, 5], [0.3, 0.4, 0.5, 0.6, -0.5])
    assert rows(chosen.liked) == [2, 1]
    assert chosen.liked[0].weight == pytest.approx(0.4 / 2.3)


def test_only_disliked_movies_that_lower_the_score_are_objections() -> None:
    chosen = reasons([1, 2, 5, 3, 2, 5], [-0.4, 0.9, -0.5, -0.6, -0.5, 1.0])
    assert rows(chosen.against) == [5, 1]


def test_objections_weigh_no_more_than_the_heaviest_reason() -> None:
    assert rows(reasons([1, 2, 5], [-0.3, -0.9, 0.5]).against) == [1]
    assert not reasons([1, 2], [-0.3, -0.9]).against


def test_there_are_at_most_three_reasons_and_two_objections() -> None:
    assert rows(reasons([5] * 5, [0.1, 0.2, 0.3, 0.4, 0.5]).liked) == [5, 4, 3]
    assert rows(reasons([1] * 5 + [5], [-0.1, -0.2, -0.3, -0.4, -0.5, 0.9]).against) == [5, 4]


def test_an_unrelated_movie_is_not_a_reason() -> None:
    assert rows(reasons([5, 5], [0.4, 0.9], movies=[1, 31]).liked) == [1]


def test_a_movie_that_shares_only_a_common_genre_is_not_a_reason() -> None:
    everything = dataset(np.tile(np.arange(10), 20), np.repeat(np.arange(20), 10), np.tile([1, 5], 100), movies=20)
    genres = np.asarray([[1, 1]] + [[1, 0]] + [[0, 1]] * 5 + [[0, 0]] + [[0, 1]] * 12, bool)
    similarities = Similarities(replace(everything, movies=replace(everything.movies, genres=genres)))
    history = History(np.int32([1, 5, 7]), np.float32([5, 5, 5]))
    (chosen,) = reasons_for(Chosen([1.0, 1.0, 1.0]), similarities, history, predicting(5), np.int32([0]))
    assert sorted(rows(chosen.liked)) == [1]


def test_similarity_counts_more_than_weight() -> None:
    years = np.full(400, 1990, np.int32)
    years[1] = 1930
    older = Similarities(replace(KIN, movies=replace(KIN.movies, years=years)))
    history = History(np.int32([1, 2]), np.float32([5, 5]))
    (chosen,) = reasons_for(Chosen([0.5, 0.4]), older, history, predicting(5), np.int32([0]))
    assert rows(chosen.liked)[0] == 2


def test_reasons_far_behind_the_best_are_left_out() -> None:
    assert rows(reasons([5, 5, 5], [1.0, 0.5, 0.2]).liked) == [1, 2]


def test_with_few_ratings_a_reason_has_at_least_half_the_average_weight() -> None:
    assert rows(reasons([5, 3, 3], [0.25, 0.5, 0.5]).liked) == [1]
    assert not rows(reasons([5, 3, 3], [0.2, 0.6, 0.6]).liked)


class Given(Similarities):
    """Similarities of which movies 30 to 33 are 0.2 and all others 0.1."""

    def of(self, row: int, vectors: Floats | None = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        similarity, common = super().of(row, vectors)
        similarity[:] = 0.1
        similarity[30:34] = 0.2
        return similarity, common


def alike(
    stars: Sequence[float], shares: Sequence[float], movies: Sequence[int] = (30, 31, 32, 33), rated: float = 5
) -> list[int]:
    """Return the movies that describe the people who like movie 0, which is not kin of the rated movies.

    ``rated``: the predicted stars.
    """
    history = History(np.int32(movies[: len(stars)]), np.float32(stars))
    (chosen,) = reasons_for(Chosen(shares), Given(KIN), history, predicting(rated), np.int32([0]))
    assert not chosen.liked
    assert chosen.basis == "alike" or not chosen.alike
    return rows(chosen.alike)


def test_without_a_reason_the_liked_movies_that_count_most_describe_who_likes_the_movie() -> None:
    assert alike([5, 5, 5, 5], [0.5, 0.6, 0.7, 0.1]) == [32, 31]
    assert alike([5, 2, 5], [0.5, 0.5, -0.4]) == [30]
    assert alike([5, 2, 5], [0.5, 0.9, -0.5]) == []  # 0.5 is less than a third of 1.9
    assert alike([5, 5], [0.9, 0.9], [34, 35]) == []  # these are hardly similar
    assert alike([5, 5], [0.9, 0.9], rated=3.6) == []  # everyone gives 3, and the viewer half a star more


def test_people_are_described_only_by_movies_that_many_rated_too() -> None:
    history = History(np.int32([30, 31]), np.float32([5, 5]))
    few = KIN.with_ratings(np.flatnonzero((KIN.ratings.movie != 30) | (KIN.ratings.user < 9)))
    (chosen,) = reasons_for(Chosen([0.9, 0.9]), Given(few), history, predicting(5), np.int32([0]))
    assert rows(chosen.alike) == [31]


def test_with_a_reason_nobody_else_is_described() -> None:
    assert not reasons([5, 5], [0.5, 0.9], movies=[1, 31]).alike


def test_a_movie_is_not_a_reason_for_itself() -> None:
    assert rows(reasons([5, 5], [0.5, 0.4], movies=[0, 1]).liked) == [1]


@pytest.mark.parametrize(
    ("stars", "rated", "basis"),
    [
        ([5, 5], 4.0, "ratings"),
        ([3, 3], 3.3, "alike"),
        ([3, 3], 3.1, "everyone"),
        ([1, 2], 2.8, "alike"),  # the viewer gives fewer stars than others
        ([1, 2], 2.6, "everyone"),
        ([5, 5, 1, 2], 4.0, "ratings"),
    ],
)
def test_without_reasons_the_basis_is_named(stars: list[float], rated: float, basis: str) -> None:
    model = Chosen([0.5, 0.4, 0.4, 0.4])
    model.fit(KIN)
    history = History(np.arange(1, len(stars) + 1, dtype=np.int32), np.float32(stars))
    explanation = explain(model, Similarities(KIN), history, predicting(rated), 0)
    assert explanation.reasons.basis == basis
    assert explanation.rated is None


def test_without_ratings_the_basis_is_everyone() -> None:
    model = Chosen([])
    model.fit(KIN)
    nothing = History(np.int32([]), np.float32([]))
    assert explain(model, Similarities(KIN), nothing, predicting(5), 0).reasons.basis == "everyone"


def test_a_rated_movie_is_explained_with_its_rating() -> None:
    model = Chosen([0.5, 0.4])
    model.fit(KIN)
    history = History(np.int32([0, 2]), np.float32([4, 5]))
    assert explain(model, Similarities(KIN), history, model.expect(model.fold_in(history)), 0).rated == 4


def test_movies_with_one_of_many_genres_in_common_are_not_kin() -> None:
    few = dataset([0], [0], [3], movies=20)
    genres = np.zeros((20, 4), bool)
    genres[0, :3] = genres[1, 2] = True
    genres[2, 2:] = True
    movies = replace(few.movies, genres=genres, genre_names=("Drama", "Romance", "War", "Comedy"))
    assert are_kin(movies, specific_genres(movies), 0, np.int32([1, 2])).tolist() == [True, False]


def test_movies_of_one_director_are_kin() -> None:
    few = dataset([0], [0], [3], movies=4)
    genres = np.asarray([[1, 1], [0, 1], [0, 1], [0, 0]], bool)  # both are common
    movies = replace(few.movies, genres=genres)
    assert are_kin(movies, specific_genres(movies), 0, np.int32([1, 2, 3])).tolist() == [False, False, True]
    names, numbers = (("Ann", "Bo"), ("Bo",), ("Cy",), ()), np.ones(4, np.int32)
    facts = ImdbFacts(np.full(4, 7, np.float32), numbers, numbers, names, ((),) * 4)
    assert are_kin(replace(movies, imdb=facts), specific_genres(movies), 0, np.int32([1, 2, 3])).tolist() == [
        True,
        False,
        True,
    ]


def test_movies_with_one_lead_or_a_strong_rare_tag_are_kin() -> None:
    few = dataset([0], [0], [3], movies=40)
    movies = replace(few.movies, genres=np.asarray([[0, 1]] * 40, bool))
    numbers, nobody = np.ones(40, np.int32), ((),) * 36
    cast = (("Ann", "Bo", "Cy"), ("Dee", "Ann"), ("Dee", "Eve", "Ann"), ("Cy",), *nobody)
    facts = ImdbFacts(np.full(40, 7, np.float32), numbers, numbers, ((),) * 40, ((),) * 40, cast=cast)
    others = np.int32([1, 2, 3])
    assert are_kin(replace(movies, imdb=facts), specific_genres(movies), 0, others).tolist() == [True, False, False]
    common = [(row, "funny", 0.9) for row in range(40)]
    tags = tags_of([*common, (0, "heist", 0.9), (1, "heist", 0.4), (3, "heist", 0.7)], 40)
    assert are_kin(replace(movies, tags=tags), specific_genres(movies), 0, others).tolist() == [False, False, True]


def test_shared_actors_and_tags() -> None:
    few = dataset([0], [0], [3], movies=3)
    numbers = np.ones(3, np.int32)
    cast = (("Ann", "Bo", "Cy"), ("Cy", "Ann"), ())
    facts = ImdbFacts(np.full(3, 7, np.float32), numbers, numbers, (("Di",), (), ()), ((),) * 3, cast=cast)
    names = ("comedy", "ann", "di", "heist", "dark", "weak", "clever", "tense")
    cells = [(row, name, 0.3 if name == "weak" else 0.9) for row in (0, 1) for name in names]
    movies = replace(few.movies, imdb=facts, tags=tags_of(cells, 3))
    found = shared(movies, 0, [1])
    assert found.actors == ("Ann", "Cy")
    assert found.tags == ("clever", "dark", "heist")  # the first three; what repeats a genre or a person is left out
    assert shared(movies, 0, [2]).tags == shared(movies, 0, [2]).actors == ()
    assert Shared(("Drama",), ("Di",), ("Ann",), ("heist",)).names() == ["Di", "Ann", "heist", "Drama"]


def test_shared_genres_and_directors() -> None:
    few = dataset([0], [0], [3], movies=4)
    facts = ImdbFacts(
        np.full(4, 7, np.float32),
        np.ones(4, np.int32),
        np.full(4, 90, np.int32),
        (("Ann", "Bo"), ("Bo",), ("Cy",), ("Ann",)),
        ((),) * 4,
    )
    genres = np.asarray([[1, 1], [0, 1], [0, 0], [1, 0]], bool)
    movies = replace(few.movies, genres=genres)
    assert shared(movies, 0, [1]) == Shared(("Drama",), ())
    movies = replace(movies, imdb=facts)
    assert shared(movies, 0, [1]) == Shared(("Drama",), ("Bo",))
    assert shared(movies, 0, [1, 3]) == Shared(("Comedy", "Drama"), ("Ann", "Bo"))
    assert shared(movies, 0, [2]) == shared(movies, 0, []) == Shared((), ())
