"""Explanations are exact for every model and say what movies have in common."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from movietui.data.dataset import Floats, ImdbFacts, Ints
from movietui.models import MODELS
from movietui.models.base import History, history_of
from movietui.models.popularity import Popularity
from movietui.models.serving.explanations import Reason, Reasons, explain, reasons_for
from movietui.models.serving.kinship import Shared, are_kin, shared
from movietui.models.serving.raters import Likers
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
    (chosen,) = reasons_for(Chosen(shares), Similarities(KIN), history, np.int32([0]))
    return chosen


def rows(of: tuple[Reason, ...]) -> list[int]:
    return [reason.movie for reason in of]


def test_only_liked_movies_that_raise_the_score_are_reasons() -> None:
    chosen = reasons([5, 4, 3, 2, 5], [0.3, 0.4, 0.5, 0.6, -0.5])
    assert rows(chosen.liked) == [2, 1]
    assert chosen.liked[0].weight == pytest.approx(0.4 / 2.3)


def test_only_disliked_movies_that_lower_the_score_are_objections() -> None:
    chosen = reasons([1, 2, 5, 3, 2, 5], [-0.3, 0.9, -0.5, -0.6, -0.4, 1.0])
    assert rows(chosen.against) == [5, 1]


def test_objections_weigh_no_more_than_the_heaviest_reason() -> None:
    assert rows(reasons([1, 2, 5], [-0.3, -0.9, 0.5]).against) == [1]
    assert not reasons([1, 2], [-0.3, -0.9]).against


def test_there_are_at_most_three_reasons_and_two_objections() -> None:
    assert rows(reasons([5] * 5, [0.1, 0.2, 0.3, 0.4, 0.5]).liked) == [5, 4, 3]
    assert rows(reasons([1] * 5 + [5], [-0.1, -0.2, -0.3, -0.4, -0.5, 0.9]).against) == [5, 4]


def test_an_unrelated_movie_is_not_a_reason() -> None:
    assert rows(reasons([5, 5], [0.2, 0.9], movies=[1, 31]).liked) == [1]


def test_similarity_counts_more_than_weight() -> None:
    years = np.full(400, 1990, np.int32)
    years[1] = 1930
    older = Similarities(replace(KIN, movies=replace(KIN.movies, years=years)))
    history = History(np.int32([1, 2]), np.float32([5, 5]))
    (chosen,) = reasons_for(Chosen([0.5, 0.4]), older, history, np.int32([0]))
    assert rows(chosen.liked)[0] == 2


def test_reasons_far_behind_the_best_are_left_out() -> None:
    assert rows(reasons([5, 5, 5], [1.0, 0.5, 0.2]).liked) == [1, 2]


def test_a_movie_is_not_a_reason_for_itself() -> None:
    assert rows(reasons([5, 5], [0.5, 0.4], movies=[0, 1]).liked) == [1]


@pytest.mark.parametrize(
    ("alike", "names", "expected"),
    [(True, ("Horror", "Drama"), [1]), (False, ("Horror", "Drama"), []), (True, ("Comedy", "Drama"), [])],
)
def test_a_movie_of_another_kind_is_a_reason_if_the_same_people_like_both_and_neither_is_a_comedy(
    alike: bool, names: tuple[str, ...], expected: list[int]
) -> None:
    users = np.arange(200)
    stars = np.concatenate([1 + 4 * (users % 2), 1 + 4 * ((users if alike else users // 2) % 2)])
    two = dataset(np.tile(users, 2), np.repeat([0, 1], 200), stars, movies=20)
    two = replace(two, movies=replace(two.movies, genres=np.eye(20, 2, dtype=bool), genre_names=names))
    (chosen,) = reasons_for(Chosen([1.0]), Similarities(two), History(np.int32([1]), np.float32([5])), np.int32([0]))
    assert rows(chosen.liked) == expected
    assert [reason.fans for reason in chosen.liked] == [Likers(100, 100)] * len(expected)


def test_a_movie_of_the_same_kind_is_no_reason_if_other_people_like_it() -> None:
    users, names = np.arange(60), (("Ann",), ("Ann",), *((),) * 18)
    numbers = np.ones(20, np.int32)
    facts = ImdbFacts(np.full(20, 7, np.float32), numbers, numbers, names, names)
    for alike in (True, False):
        stars = np.concatenate([1 + 4 * (users % 2), 1 + 4 * ((users if alike else users // 2) % 2)])
        two = dataset(np.tile(users, 2), np.repeat([0, 1], 60), stars, movies=20)
        two = replace(two, movies=replace(two.movies, genres=np.arange(20)[:, None] < np.int32([2, 2]), imdb=facts))
        history = History(np.int32([1]), np.float32([5]))
        (chosen,) = reasons_for(Chosen([1.0]), Similarities(two), history, np.int32([0]))
        assert rows(chosen.liked) == [1] * alike


def test_content_alone_makes_a_movie_a_reason_only_for_a_little_known_one() -> None:
    for raters, expected in ((20, [1]), (40, [])):
        rated = dataset([*range(raters), 0], [0] * raters + [1], [3] * raters + [5], movies=20)
        genres = np.arange(20)[:, None] < np.int32([2, 2])
        rated = replace(rated, movies=replace(rated.movies, genres=genres))
        history = History(np.int32([1]), np.float32([5]))
        (chosen,) = reasons_for(Chosen([1.0]), Similarities(rated), history, np.int32([0]))
        assert rows(chosen.liked) == expected


def chosen_for(stars: Sequence[float], weights: Sequence[float], given: Sequence[Sequence[float]]) -> Reasons:
    """Return the reasons for movie 0, which has nothing in common with the viewer's movies, from 1 on.

    ``given``: the stars that each of a group of people gave movie 0 and the viewer's movies; 0 for no rating.
    """
    table = np.asarray(given)
    user, movie = np.nonzero(table)
    rated = dataset(user, movie, table[user, movie], users=len(table), movies=table.shape[1])
    rated = replace(rated, movies=replace(rated.movies, genres=np.eye(table.shape[1], 2, dtype=bool)))
    history = History(np.arange(1, len(stars) + 1, dtype=np.int32), np.float32(stars))
    return reasons_for(Chosen(weights), Similarities(rated), history, np.int32([0]))[0]


def test_without_a_reason_people_who_agree_are_named() -> None:
    agreeing, others = [[5, 5, 1, 5, 1]] * 11 + [[2, 5, 1, 5, 1]], [[1, 1, 5, 1, 5]] * 20
    chosen = chosen_for([5, 1, 4, 1], [-1, -1, -1, -1], agreeing + others)
    assert (chosen.basis, chosen.likers, chosen.liked) == ("alike", Likers(12, 11), ())
    # If they like the movie less than everyone does, everyone is named.
    agreeing, others = [[2, 5, 1, 5, 1]] * 12, [[5, 1, 5, 1, 5]] * 20
    chosen = chosen_for([5, 1, 4, 1], [-1, -1, -1, -1], agreeing + others)
    assert (chosen.basis, chosen.likers) == ("everyone", Likers(32, 20))


def test_without_people_who_agree_those_who_like_the_same_movie_are_named() -> None:
    pairs = [[5, 5], [1, 1]] * 40 + [[5, 1], [1, 5]] * 10
    chosen = chosen_for([5], [1], pairs)
    assert (chosen.basis, chosen.likers, chosen.agreed_on, chosen.liked) == ("fans", Likers(50, 40), (1,), ())
    assert chosen_for([5], [-1], pairs).basis == "everyone"  # the rating counts against the movie
    few = [[5, 5], [1, 1]] * 26 + [[5, 1], [1, 5]] * 2
    assert chosen_for([5], [1], few).basis == "everyone"


def test_people_agree_above_all_on_movies_that_both_like() -> None:
    chosen = chosen_for([5, 1, 5, 4, 1], [1, 1, 1, 1, 1], [[5, 5, 1, 1, 5, 1]] * 12 + [[1, 1, 5, 5, 1, 5]] * 40)
    assert chosen.basis == "alike"
    assert set(chosen.agreed_on) <= {1, 4}


def test_if_the_model_does_not_look_at_the_ratings_everyone_is_named() -> None:
    chosen = chosen_for([5, 1, 4, 1], [0, 0, 0, 0], [[5, 5, 1, 5, 1]] * 12)
    assert (chosen.basis, chosen.likers) == ("everyone", Likers(12, 12))


def test_without_ratings_the_basis_is_everyone() -> None:
    assert chosen_for([], [], [[5, 1]] * 3 + [[3, 1]]) == Reasons((), (), "everyone", Likers(4, 3))
    assert chosen_for([], [], [[0, 1]]) == Reasons((), (), "everyone", None)


def test_a_rated_movie_is_explained_with_its_rating() -> None:
    model = Chosen([0.5, 0.4])
    model.fit(KIN)
    history = History(np.int32([0, 2]), np.float32([4, 5]))
    assert explain(model, Similarities(KIN), history, model.expect(model.fold_in(history)), 0).rated == 4


def test_movies_of_one_director_are_kin() -> None:
    few = dataset([0], [0], [3], movies=4)
    genres = np.asarray([[1, 1], [0, 1], [0, 1], [0, 0]], bool)  # both are common
    movies = replace(few.movies, genres=genres)
    assert are_kin(movies, 0, np.int32([1, 2, 3])).tolist() == [False, False, False]
    names, numbers = (("Ann", "Bo"), ("Bo",), ("Cy",), ()), np.ones(4, np.int32)
    facts = ImdbFacts(np.full(4, 7, np.float32), numbers, numbers, names, ((),) * 4)
    assert are_kin(replace(movies, imdb=facts), 0, np.int32([1, 2, 3])).tolist() == [True, False, False]


def test_movies_with_one_lead_or_a_strong_rare_tag_are_kin() -> None:
    few = dataset([0], [0], [3], movies=40)
    movies = replace(few.movies, genres=np.asarray([[0, 1]] * 40, bool))
    numbers, nobody = np.ones(40, np.int32), ((),) * 36
    cast = (("Ann", "Bo", "Cy"), ("Dee", "Ann"), ("Dee", "Eve", "Ann"), ("Cy",), *nobody)
    facts = ImdbFacts(np.full(40, 7, np.float32), numbers, numbers, ((),) * 40, ((),) * 40, cast=cast)
    others = np.int32([1, 2, 3])
    assert are_kin(replace(movies, imdb=facts), 0, others).tolist() == [True, False, False]
    common = [(row, "funny", 0.9) for row in range(40)]
    tags = tags_of([*common, (0, "heist", 0.9), (1, "heist", 0.4), (3, "heist", 0.7)], 40)
    assert are_kin(replace(movies, tags=tags), 0, others).tolist() == [False, False, True]


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
