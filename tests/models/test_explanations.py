"""Explanations are exact for every model and say what movies have in common."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from movietui.data.dataset import Dataset, Floats, ImdbFacts, Ints, Movies
from movietui.models import MODELS
from movietui.models.base import Expectation, History, history_of
from movietui.models.popularity import Popularity
from movietui.models.serving.crowds import Crowd
from movietui.models.serving.explanations import Reason, Reasons, explain, reasons_for
from movietui.models.serving.kinship import (
    KIN_COINCIDENCE,
    MOST_INFORMATION,
    Shared,
    are_kin,
    coincidence,
    shared,
    specific_genres,
)
from movietui.models.serving.similar import Relations, Similarities
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


class Close(Similarities):
    """Similarities by which 1 in 100 well-known movies is as close to any other movie, or another share of them."""

    def __init__(self, dataset: Dataset, share: float = 0.01) -> None:
        super().__init__(dataset)
        self.share = share

    def closer_shares(self, row: int, relations: Relations, others: Ints) -> NDArray[np.float64]:
        return np.full((2, len(others)), self.share)


def reasons(
    stars: Sequence[float], shares: Sequence[float], movies: Sequence[int] | None = None, share: float = 0.01
) -> Reasons:
    """Return the reasons for movie 0 for a viewer who rated ``movies``, by default those from 1 on.

    ``share``: see ``Close``.
    """
    rows = np.arange(1, len(stars) + 1) if movies is None else np.asarray(movies)
    history = History(rows.astype(np.int32), np.float32(stars))
    (chosen,) = reasons_for(Chosen(shares), Close(KIN, share), history, predicting(5), np.int32([0]))
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
    similarities = Close(replace(everything, movies=replace(everything.movies, genres=genres)), 0.001)
    history = History(np.int32([1, 5, 7]), np.float32([5, 5, 5]))
    (chosen,) = reasons_for(Chosen([1.0, 1.0, 1.0]), similarities, history, predicting(5), np.int32([0]))
    assert sorted(rows(chosen.liked)) == [1]


def test_similarity_counts_more_than_weight() -> None:
    years = np.full(400, 1990, np.int32)
    years[1] = 1930
    older = Close(replace(KIN, movies=replace(KIN.movies, years=years)))
    history = History(np.int32([1, 2]), np.float32([5, 5]))
    (chosen,) = reasons_for(Chosen([0.5, 0.4]), older, history, predicting(5), np.int32([0]))
    assert rows(chosen.liked)[0] == 2


def test_reasons_far_behind_the_best_are_left_out() -> None:
    assert rows(reasons([5, 5, 5], [1.0, 0.5, 0.2]).liked) == [1, 2]


def test_with_few_ratings_a_reason_has_at_least_half_the_average_weight() -> None:
    assert rows(reasons([5, 3, 3], [0.25, 0.5, 0.5]).liked) == [1]
    assert not rows(reasons([5, 3, 3], [0.2, 0.6, 0.6]).liked)


def test_movies_of_one_genre_that_are_not_close_are_no_reasons() -> None:
    assert rows(reasons([5, 5], [0.5, 0.4], share=0.01).liked) == [1, 2]
    assert not reasons([5, 5], [0.5, 0.4], share=0.02).liked


USERS = np.arange(60)
OPINIONS = {0: np.where(USERS < 30, 5, 2), 30: np.where(USERS < 30, 4, 1), 31: np.where(USERS % 3 < 2, 5, 1)}
OPINIONS |= {32: np.where((USERS < 30) | (USERS % 3 == 0), 5, 1), 33: np.full(60, 5), 34: np.where(USERS < 15, 5, 3)}
DIVIDED = dataset(np.tile(USERS, 6), np.repeat([*OPINIONS], 60), np.concatenate([*OPINIONS.values()]), movies=400)
DIVIDED = replace(DIVIDED, movies=KIN.movies)
"""The first half of 60 users like movie 0 and movie 30. They and every third of the others like movie 32. Two in three
of both halves like movie 31, all like movie 33, and fifteen of the first half like movie 34."""


def for_divided(
    stars: Sequence[float], shares: Sequence[float], movies: Sequence[int], rated: float = 5, share: float = 0.01
) -> Reasons:
    """Return the reasons for movie 0, which is not kin of the rated movies. ``rated``: the predicted stars."""
    history = History(np.int32(movies), np.float32(stars))
    (chosen,) = reasons_for(Chosen(shares), Close(DIVIDED, share), history, predicting(rated), np.int32([0]))
    assert not chosen.liked
    assert chosen.basis == "alike" or not chosen.alike
    return chosen


def test_without_a_reason_the_people_who_liked_the_same_movies_are_named() -> None:
    chosen = for_divided([5, 5], [0.5, 0.5], [32, 30])
    assert (chosen.basis, rows(chosen.alike)) == ("alike", [32, 30])
    assert chosen.crowd == Crowd(theirs=1.0, everyone=0.5, people=30)
    assert rows(for_divided([5, 5, 5], [0.5, 0.6, 0.1], [32, 30, 33]).alike) == [30, 32]
    assert for_divided([5], [0.5], [32]).crowd == Crowd(theirs=0.75, everyone=0.5, people=40)


def test_people_are_described_only_by_movies_that_count_and_are_close() -> None:
    assert rows(for_divided([5, 2], [0.5, 0.5], [30, 32]).alike) == [30]  # the viewer disliked movie 32
    assert rows(for_divided([5, 5], [0.5, -0.5], [30, 32]).alike) == [30]
    assert rows(for_divided([5, 5], [0.9, 0.1], [30, 32]).alike) == [30]  # less than the average weight
    assert not for_divided([5], [0.5], [30], share=0.2).alike


@pytest.mark.parametrize("movie", [31, 33, 34])
def test_people_are_named_only_if_they_like_a_movie_clearly_more_and_are_many(movie: int) -> None:
    assert not for_divided([5], [0.5], [movie]).alike


def test_people_whose_ratings_agree_are_named_if_the_viewer_is_predicted_to_like_the_movie_more() -> None:
    # The first half of the users gives movies 30 to 39 alternately 5 stars and 1 star, the others the opposite.
    opinions = [OPINIONS[0], *(np.where((USERS < 30) == (movie % 2 == 0), 5, 1) for movie in range(30, 40))]
    rated = [0, *range(30, 40)]
    train = dataset(np.tile(USERS, 11), np.repeat(rated, 60), np.concatenate(opinions), movies=400)
    model = Chosen([-0.1] * 10)  # no rating raises the score

    def explained(first: float, second: float, predicted: float) -> tuple[str, Crowd | None]:
        history = History(np.arange(30, 40, dtype=np.int32), np.resize(np.float32([first, second]), 10))
        (chosen,) = reasons_for(model, Similarities(train), history, predicting(predicted), np.int32([0]))
        assert not chosen.alike
        return chosen.basis, chosen.crowd

    assert explained(5, 2, predicted=5) == ("alike", Crowd(theirs=1.0, everyone=0.5, people=30))
    assert explained(5, 2, predicted=3) == ("everyone", None)
    assert explained(2, 5, predicted=5) == ("alike", None)  # those who agree like it less
    rows = np.flatnonzero((train.ratings.movie != 0) | (train.ratings.user % 3 == 0))
    train = train.with_ratings(rows)  # ten of those who agree rated the movie, which are too few
    assert explained(5, 2, predicted=5) == ("alike", None)


@pytest.mark.parametrize(("mean", "basis"), [(3, "watched"), (4, "everyone")])
def test_people_who_watched_the_same_movie_are_named_unless_everyone_likes_the_movie(mean: int, basis: str) -> None:
    # 30 of 100 users rated movie 0, and 25 of them and 5 others movie 30.
    users = np.concatenate([np.arange(30), np.arange(5, 35), np.arange(100)])
    train = dataset(users, np.repeat([0, 30, 31], [30, 30, 100]), np.full(160, mean), movies=400)
    train = replace(train, movies=KIN.movies)
    history = History(np.int32([30, 31]), np.float32([4, 4]))
    (chosen,) = reasons_for(Chosen([0.5, 0.5]), Close(train), history, predicting(3), np.int32([0]))
    assert chosen.basis == basis
    if basis == "watched":
        assert (rows(chosen.alike), chosen.crowd) == ([30], Crowd(25 / 30, 0.3, 30))


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
    explanation = explain(model, Close(KIN), history, predicting(rated), 0)
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


def kin(movies: Movies, others: Sequence[int], together: float = KIN_COINCIDENCE) -> list[bool]:
    """Return which of the others are kin of movie 0, given their ``coincidence``."""
    rows = np.asarray(others, np.int32)
    list_of_kin: list[bool] = are_kin(movies, specific_genres(movies), 0, rows, np.full(len(rows), together)).tolist()
    return list_of_kin


def test_kin_by_genre_agree_more_than_by_chance() -> None:
    movies = replace(KIN.movies, imdb=None)
    assert kin(movies, [1, 31]) == [True, False]
    assert kin(movies, [1, 31], KIN_COINCIDENCE - 0.1) == [False, False]


def test_coincidence_adds_up_rare_genres_closeness_and_years() -> None:
    few = dataset([0], [0], [3], movies=100)
    genres = np.zeros((100, 3), bool)
    genres[:10, 0] = genres[:2, 1] = genres[10:12, 1] = genres[:90, 2] = True
    years = np.full(100, 1990, np.int32)
    years[2], years[3] = 1964, 0
    movies = replace(few.movies, genres=genres, genre_names=("War", "Musical", "Drama"), years=years)
    others, nothing = np.int32([1, 2, 3, 40]), np.ones((2, 4))

    def together(closer: NDArray[np.float64]) -> list[float]:
        values: list[float] = coincidence(movies, specific_genres(movies), 0, others, closer).tolist()
        return values

    rare, very_rare = np.log(10), np.log(25)
    assert together(nothing) == pytest.approx([rare + very_rare, rare - 2, rare, 0])  # 26 years count 2
    closer = np.asarray([[0.1, 1, 1, 0.5], [0.2, 1, 1, 0.5]])
    assert together(closer) == pytest.approx([rare + very_rare + np.log(50), rare - 2, rare, np.log(4)])
    movies = replace(movies, genres=np.eye(100, dtype=bool)[:, :3] | (np.arange(100) < 2)[:, None])
    assert together(nothing)[0] == MOST_INFORMATION


def test_movies_with_one_of_many_genres_in_common_are_not_kin() -> None:
    few = dataset([0], [0], [3], movies=20)
    genres = np.zeros((20, 4), bool)
    genres[0, :3] = genres[1, 2] = True
    genres[2, 2:] = True
    movies = replace(few.movies, genres=genres, genre_names=("Drama", "Romance", "War", "Comedy"))
    assert kin(movies, [1, 2]) == [True, False]


def test_movies_of_one_director_are_kin() -> None:
    few = dataset([0], [0], [3], movies=4)
    genres = np.asarray([[1, 1], [0, 1], [0, 1], [0, 0]], bool)  # both are common
    movies = replace(few.movies, genres=genres)
    assert kin(movies, [1, 2, 3]) == [False, False, True]
    names, numbers = (("Ann", "Bo"), ("Bo",), ("Cy",), ()), np.ones(4, np.int32)
    facts = ImdbFacts(np.full(4, 7, np.float32), numbers, numbers, names, ((),) * 4)
    assert kin(replace(movies, imdb=facts), [1, 2, 3]) == [True, False, True]


def test_movies_with_one_lead_or_a_strong_rare_tag_are_kin() -> None:
    few = dataset([0], [0], [3], movies=40)
    movies = replace(few.movies, genres=np.asarray([[0, 1]] * 40, bool))
    numbers, nobody = np.ones(40, np.int32), ((),) * 36
    cast = (("Ann", "Bo", "Cy"), ("Dee", "Ann"), ("Dee", "Eve", "Ann"), ("Cy",), *nobody)
    facts = ImdbFacts(np.full(40, 7, np.float32), numbers, numbers, ((),) * 40, ((),) * 40, cast=cast)
    assert kin(replace(movies, imdb=facts), [1, 2, 3]) == [True, False, False]
    common = [(row, "funny", 0.9) for row in range(40)]
    tags = tags_of([*common, (0, "heist", 0.9), (1, "heist", 0.4), (3, "heist", 0.7)], 40)
    assert kin(replace(movies, tags=tags), [1, 2, 3]) == [False, False, True]


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
