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
from movietui.models.serving.kinship import KIN_COINCIDENCE, OVERLAP, SPECIFIC, Shared, kinship, shared
from movietui.models.serving.similar import Relations, Similarities
from movietui.models.serving.standing import Record, Standing
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


ALIKE = dataset(np.tile(np.arange(10), 36), np.repeat(np.arange(36), 10), np.full(360, 3), movies=400)
GENRES = np.asarray([[1, 0]] * 30 + [[0, 1]] * 370, bool)
ALIKE = replace(ALIKE, movies=replace(ALIKE.movies, genres=GENRES))
"""Ten users gave 3 stars to each of movies 0 to 35. Movies 0 to 29 are of one genre, the others of another."""


KIN, SIMILAR, RELATED, NEAR, FAR = 0.05, 0.08, 0.2, 0.5, 0.95
"""With so many well-known movies as close, movies of the genre of ``ALIKE`` are kin, similar, related, near enough to
be named as the closest, or none of these."""


class Close(Similarities):
    """Similarities by which this share of the well-known movies is as close to any other movie."""

    def __init__(self, dataset: Dataset, share: float) -> None:
        super().__init__(dataset)
        self.share = share

    def closer_shares(self, row: int, relations: Relations, others: Ints) -> NDArray[np.float64]:
        return np.full((3, len(others)), self.share)


def reasons(
    stars: Sequence[float],
    shares: Sequence[float],
    movies: Sequence[int] | None = None,
    share: float = KIN,
    train: Dataset = ALIKE,
) -> Reasons:
    """Return the reasons for movie 0 for a viewer who rated ``movies``, by default those from 1 on.

    ``share``: see ``Close``.
    """
    rows = np.arange(1, len(stars) + 1) if movies is None else np.asarray(movies)
    history = History(rows.astype(np.int32), np.float32(stars))
    (chosen,) = reasons_for(Chosen(shares), Close(train, share), history, np.int32([0]))
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


def test_a_movie_of_another_genre_is_not_a_reason() -> None:
    assert rows(reasons([5, 5], [0.4, 0.9], movies=[1, 31]).liked) == [1]


def test_closeness_counts_more_than_weight_and_the_heaviest_reason_comes_first() -> None:
    years = np.full(400, 1990, np.int32)
    years[1] = 1970
    older = replace(ALIKE, movies=replace(ALIKE.movies, years=years))
    shares = [0.5, 0.4, 0.3, 0.4]
    assert rows(reasons([5] * 4, shares, share=0.02).liked) == [1, 2, 4]
    assert rows(reasons([5] * 4, shares, share=0.02, train=older).liked) == [2, 4, 3]


def test_a_reason_has_at_least_half_the_average_weight() -> None:
    assert rows(reasons([5, 3, 3], [0.25, 0.5, 0.5]).liked) == [1]
    assert not rows(reasons([5, 3, 3], [0.2, 0.6, 0.6]).liked)


def test_movies_of_one_genre_that_are_not_close_are_no_reasons() -> None:
    assert rows(reasons([5, 5], [0.5, 0.4], share=SIMILAR).liked) == [1, 2]
    assert not reasons([5, 5], [0.5, 0.4], share=RELATED).liked


BROAD = replace(ALIKE, movies=replace(ALIKE.movies, genres=np.asarray([[1, 0]] * 200 + [[0, 1]] * 200, bool)))
"""Like ``ALIKE``, but half of the movies are of each genre."""


def test_a_single_reason_has_a_specific_genre_in_common() -> None:
    assert not reasons([5], [0.5], share=0.02, train=BROAD).liked
    assert rows(reasons([5, 5], [0.5, 0.5], share=0.02, train=BROAD).liked) == [1, 2]
    assert rows(reasons([5, 1], [0.5, 0.5], share=0.02, train=BROAD).similar) == [1]


def test_the_closest_movies_with_a_specific_genre_in_common_are_named_first() -> None:
    genres = np.zeros((400, 3), bool)
    genres[:200, 0] = genres[:30, 1] = genres[30:, 2] = True
    years = np.full(400, 1990, np.int32)
    years[2] = 1900
    train = replace(
        ALIKE, movies=replace(ALIKE.movies, genres=genres, genre_names=("Drama", "War", "Comedy"), years=years)
    )
    chosen = reasons([5, 5], [-0.5, -0.5], movies=[2, 31], share=0.05, train=train)
    assert rows(chosen.similar) == [2]  # although movie 31 is closer


BEST = replace(ALIKE, ratings=replace(ALIKE.ratings, stars=np.full(360, 5, np.float32)))
"""Like ``ALIKE``, but everyone gave 5 stars."""


def test_if_everyones_ratings_convince_a_reason_must_be_closer() -> None:
    few, several = [0.5] * 4, [0.5] * 5
    assert rows(reasons([5] * 4, few, share=SIMILAR, train=BEST).liked) == [1, 2, 3]
    assert rows(reasons([5] * 5, several, share=KIN, train=BEST).liked) == [1, 2, 3]
    chosen = reasons([5] * 5, several, share=SIMILAR, train=BEST)
    assert (chosen.basis, rows(chosen.similar)) == ("everyone", [1, 2])
    assert chosen.standing == Standing("", Record("Comedy", 5, 5))
    chosen = reasons([5, 3, 3, 3, 3], several, share=SIMILAR, train=BEST)  # the viewer liked too few of them
    assert (chosen.basis, rows(chosen.liked)) == ("ratings", [1])


def test_a_rated_movie_is_none_of_the_others() -> None:
    chosen = reasons([5] * 5, [-0.5] * 5, movies=range(5), train=BEST)
    assert chosen.standing == Standing("", None)


def test_similar_movies_are_named_beside_everyones_ratings() -> None:
    assert rows(reasons([5] * 5, [-0.5] * 5, share=RELATED, train=BEST).similar) == [1, 2]
    stars = np.where(BEST.ratings.movie == 1, 3, 5).astype(np.float32)
    less_liked = replace(BEST, ratings=replace(BEST.ratings, stars=stars))
    chosen = reasons([5] * 6, [-0.5] * 6, share=RELATED, train=less_liked)
    assert rows(chosen.similar) == [1, 2]
    assert chosen.standing == Standing("", Record("Comedy", 5, 5))
    # Of movies that are only near, the nearest is named, unless everyone's ratings convince the viewer.
    assert rows(reasons([5] * 4, [-0.5] * 4, share=NEAR, train=BEST).similar) == [1]
    assert not reasons([5] * 5, [-0.5] * 5, share=NEAR, train=BEST).similar


def test_without_similar_movies_examples_of_very_well_liked_ones_are_named() -> None:
    stars = np.where(BEST.ratings.movie == 1, 3, 5).astype(np.float32)
    less_liked = replace(BEST, ratings=replace(BEST.ratings, stars=stars))
    chosen = reasons([5, 4, 4, 5, 5, 5], [-0.5] * 6, share=NEAR, train=less_liked)
    assert chosen.standing == Standing("", Record("Comedy", 5, 5))
    assert rows(chosen.examples) == [4, 5]
    # Of comedies too few are known, so the examples are of any genre.
    chosen = reasons([5, 4, 4, 4, 4], [-0.5] * 5, movies=[1, *range(30, 34)], share=NEAR, train=BEST)
    assert chosen.standing == Standing("", Record("", 5, 5))
    assert rows(chosen.examples) == [1, 30]


def test_of_movies_as_similar_loved_ones_are_named_first() -> None:
    assert rows(reasons([4, 4, 5], [-0.5] * 3, share=RELATED).similar) == [3, 1]
    years = np.full(400, 1990, np.int32)
    years[2], years[3] = 1980, 1960
    train = replace(ALIKE, movies=replace(ALIKE.movies, years=years))
    assert rows(reasons([4, 5, 5], [-0.5] * 3, share=SIMILAR, train=train).similar) == [2, 1]  # 1 less, and 3 less


def test_movies_that_have_only_a_broad_genre_in_common_are_called_similar_only_if_they_are_kin() -> None:
    assert rows(reasons([5, 5], [-0.5] * 2, share=0.04, train=BROAD).similar) == [1, 2]
    assert rows(reasons([5, 5], [-0.5] * 2, share=0.08, train=BROAD).similar) == [1]  # because nothing else is known


def test_the_closest_liked_movies_are_named_even_if_they_count_against_a_movie() -> None:
    assert rows(reasons([3, 5, 5, 5], [0.5, -0.6, -0.6, -0.6], share=RELATED).similar) == [2, 3]
    assert rows(reasons([3, 5, 5, 5], [0.5, -0.6, -0.6, -0.6], share=NEAR).similar) == [2]
    assert not reasons([3, 5, 5, 5], [0.5, -0.6, -0.6, -0.6], share=FAR).similar


def test_a_movie_without_a_genre_in_common_is_not_called_the_closest() -> None:
    assert not reasons([5], [-0.5], movies=[31], share=0.02).similar
    assert rows(reasons([5, 5], [-0.5, -0.5], movies=[31, 1], share=0.02).similar) == [1]


def test_a_second_of_the_closest_movies_is_related() -> None:
    years = np.full(400, 1990, np.int32)
    years[1], years[3] = 1960, 1970
    train = replace(ALIKE, movies=replace(ALIKE.movies, years=years))
    assert rows(reasons([5, 5, 5], [-0.9, -0.1, -0.1], share=RELATED, train=train).similar) == [2]


USERS = np.arange(60)
OPINIONS = {0: np.where(USERS < 30, 5, 2), 1: np.where(USERS < 30, 4, 1), 2: np.where(USERS % 3 < 2, 5, 1)}
OPINIONS |= {3: np.where((USERS < 30) | (USERS % 3 == 0), 5, 1), 4: np.full(60, 5), 5: np.where(USERS < 15, 5, 3)}


def divided(opinions: dict[int, NDArray[np.int64]]) -> Dataset:
    """Return a dataset in which 60 users have these opinions, and with the movies of ``ALIKE``."""
    train = dataset(
        np.tile(USERS, len(opinions)), np.repeat([*opinions], 60), np.concatenate([*opinions.values()]), movies=400
    )
    return replace(train, movies=ALIKE.movies)


DIVIDED = divided(OPINIONS)
"""The first half of 60 users like movie 0 and movie 1. They and every third of the others like movie 3. Two in three
of both halves like movie 2, all like movie 4, and fifteen of the first half like movie 5."""


def for_divided(
    stars: Sequence[float], shares: Sequence[float], movies: Sequence[int], train: Dataset = DIVIDED
) -> Reasons:
    """Return the reasons for movie 0, which is related to the rated movies, but no kin."""
    chosen = reasons(stars, shares, movies, RELATED, train)
    assert not chosen.liked
    assert chosen.basis == "alike" or not chosen.alike
    return chosen


def test_without_a_reason_the_people_who_liked_the_same_movies_are_named() -> None:
    chosen = for_divided([5, 5], [0.5, 0.5], [3, 1])
    assert (chosen.basis, rows(chosen.alike)) == ("alike", [3, 1])
    assert chosen.crowd == Crowd(theirs=1.0, everyone=0.5, people=30)
    assert rows(for_divided([5, 5, 5], [0.5, 0.6, 0.1], [3, 1, 4]).alike) == [1, 3]
    assert for_divided([5], [0.5], [3]).crowd == Crowd(theirs=0.75, everyone=0.5, people=40)


def test_people_are_described_only_by_liked_movies_that_count() -> None:
    assert rows(for_divided([5, 2], [0.5, 0.5], [1, 3]).alike) == [1]  # the viewer disliked movie 3
    assert rows(for_divided([5, 5], [0.5, -0.5], [1, 3]).alike) == [1]
    assert rows(for_divided([5, 5], [0.9, 0.1], [1, 3]).alike) == [1]  # less than half the average weight


def test_people_are_described_by_movies_that_are_at_least_near() -> None:
    assert rows(reasons([5], [0.5], [1], NEAR, DIVIDED).alike) == [1]
    assert not reasons([5], [0.5], [1], FAR, DIVIDED).alike


def test_the_closest_two_movies_whose_fans_like_a_movie_more_are_named() -> None:
    assert rows(for_divided([5, 5, 5], [0.5, 0.5, 0.5], [2, 3, 1]).alike) == [3, 1]
    years = np.full(400, 1990, np.int32)
    years[1] = 1980
    train = divided({**OPINIONS, 6: OPINIONS[0]})
    train = replace(train, movies=replace(train.movies, years=years))
    assert rows(for_divided([5, 5, 5], [0.5, 0.5, 0.5], [1, 3, 6], train).alike) == [3, 6]


def test_people_are_described_by_as_many_movies_as_enough_of_them_like() -> None:
    # Only half of those who like movie 1 like movie 6.
    train = divided({**OPINIONS, 6: np.where(USERS % 2, 5, 1)})
    assert rows(for_divided([5, 5], [0.5, 0.5], [1, 6], train).alike) == [1]


@pytest.mark.parametrize("movie", [2, 4, 5])
def test_people_are_named_only_if_they_like_a_movie_clearly_more_and_are_many(movie: int) -> None:
    assert not for_divided([5], [0.5], [movie]).alike


def test_if_everyones_ratings_convince_a_single_movie_says_too_little_about_people() -> None:
    opinions = {0: np.where(USERS < 45, 5, 2), 1: np.where(USERS < 30, 5, 1), 2: np.where(USERS < 36, 5, 1)}
    train = divided({**opinions, **dict.fromkeys(range(3, 8), np.full(60, 5))})
    assert train.mean_of(0) == 4.25
    movies, others = [*range(1, 8)], [-0.1] * 5
    assert rows(for_divided([5] * 7, [0.5, 0.5, *others], movies, train).alike) == [1, 2]
    chosen = for_divided([5] * 7, [0.5, -0.5, *others], movies, train)
    assert (chosen.basis, rows(chosen.similar)) == ("everyone", [1, 2])


def test_people_are_not_named_beside_kin_that_the_viewer_liked() -> None:
    years = np.full(400, 1990, np.int32)
    years[1] = 1970  # related, but no kin
    train = replace(DIVIDED, movies=replace(DIVIDED.movies, years=years))
    assert rows(reasons([5], [0.5], [1], 0.06, train).alike) == [1]
    chosen = reasons([5, 5], [0.5, 0.05], [1, 3], 0.06, train)
    assert not chosen.alike
    assert rows(chosen.similar) == [3, 1]  # the kin first


def test_people_whose_ratings_agree_are_named() -> None:
    # The first half of the users gives movies 30 to 39 alternately 5 stars and 1 star, the others the opposite.
    opinions = [OPINIONS[0], *(np.where((USERS < 30) == (movie % 2 == 0), 5, 1) for movie in range(30, 40))]
    rated = [0, *range(30, 40)]
    train = dataset(np.tile(USERS, 11), np.repeat(rated, 60), np.concatenate(opinions), movies=400)
    model = Chosen([-0.1] * 10)  # no rating raises the score

    def explained(first: float, second: float) -> tuple[str, Crowd | None]:
        history = History(np.arange(30, 40, dtype=np.int32), np.resize(np.float32([first, second]), 10))
        (chosen,) = reasons_for(model, Close(train, 0.5), history, np.int32([0]))
        assert not chosen.alike
        return chosen.basis, chosen.crowd

    assert explained(5, 2) == ("alike", Crowd(theirs=1.0, everyone=0.5, people=30))
    assert explained(2, 5) == ("everyone", None)  # those who agree like it less
    rows = np.flatnonzero((train.ratings.movie != 0) | (train.ratings.user % 3 == 0))
    train = train.with_ratings(rows)  # ten of those who agree rated the movie, which are too few
    assert explained(5, 2) == ("everyone", None)


def test_with_a_reason_nobody_else_is_described() -> None:
    assert not reasons([5, 5], [0.5, 0.9], movies=[1, 31]).alike


def test_a_movie_is_not_a_reason_for_itself() -> None:
    assert rows(reasons([5, 5], [0.5, 0.4], movies=[0, 1]).liked) == [1]


@pytest.mark.parametrize(("stars", "basis"), [([5, 5], "ratings"), ([3, 3], "everyone"), ([5, 5, 1, 2], "ratings")])
def test_without_reasons_the_basis_is_everyone(stars: list[float], basis: str) -> None:
    model = Chosen([0.5, 0.4, 0.4, 0.4])
    model.fit(ALIKE)
    history = History(np.arange(1, len(stars) + 1, dtype=np.int32), np.float32(stars))
    explanation = explain(model, Close(ALIKE, KIN), history, predicting(4), 0)
    assert explanation.reasons.basis == basis
    assert explanation.rated is None


def test_without_ratings_the_basis_is_everyone() -> None:
    model = Chosen([])
    model.fit(ALIKE)
    nothing = History(np.int32([]), np.float32([]))
    assert explain(model, Similarities(ALIKE), nothing, predicting(5), 0).reasons.basis == "everyone"


def test_a_rated_movie_is_explained_with_its_rating() -> None:
    model = Chosen([0.5, 0.4])
    model.fit(ALIKE)
    history = History(np.int32([0, 2]), np.float32([4, 5]))
    assert explain(model, Similarities(ALIKE), history, model.expect(model.fold_in(history)), 0).rated == 4


def together(movies: Movies, others: Sequence[int], closer: Sequence[Sequence[float]] = ()) -> list[float]:
    """Return the ``coincidence`` of movie 0 with others. ``closer``: by default, no movie is close to any."""
    shares = np.asarray(closer) if closer else np.ones((3, len(others)))
    values: list[float] = kinship(movies, 0, np.asarray(others, np.int32), shares).coincidence.tolist()
    return values


def test_coincidence_adds_up_rare_genres_their_overlap_closeness_and_years() -> None:
    few = dataset([0], [0], [3], movies=100)
    genres = np.zeros((100, 3), bool)
    genres[:10, 0] = genres[:2, 1] = genres[10:12, 1] = genres[:50, 2] = True
    years = np.full(100, 1990, np.int32)
    years[2], years[3] = 1964, 0
    movies = replace(few.movies, genres=genres, genre_names=("War", "Musical", "Drama"), years=years)
    war, musical, drama = np.log(10), np.log(25), np.log(2)
    of_war = war + drama + OVERLAP * (war + drama) / (war + musical + drama)
    of_drama = drama + OVERLAP * drama / (war + musical + drama)
    expected = [war + musical + drama + OVERLAP, of_war - 2.6, of_war, of_drama]
    assert together(movies, [1, 2, 3, 40]) == pytest.approx(expected)
    close = [[0.1, 1, 1, 0.5], [0.2, 1, 1, 0.5], [1, 1, 1, 0.5]]
    added = [np.log(50), 0, 0, np.log(8)]
    assert together(movies, [1, 2, 3, 40], close) == pytest.approx([*map(sum, zip(expected, added, strict=True))])


def test_a_lone_common_genre_may_be_only_a_label() -> None:
    few = dataset([0], [0], [3], movies=100)
    genres = np.zeros((100, 3), bool)
    genres[:3, 0] = genres[0, 1] = genres[1, 2] = True
    genres[10:20, 1] = genres[10:20, 2] = True
    movies = replace(few.movies, genres=genres)
    war, other = np.log(100 / 3), np.log(100 / 11)
    labelled, only = together(movies, [1, 2])
    assert war < 0.45 * (war + 2 * other)
    assert labelled == pytest.approx(1 + OVERLAP / (war + 2 * other))
    assert only == pytest.approx(war + OVERLAP * war / (war + other))


def test_movies_without_genres_count_as_if_they_had_the_same() -> None:
    few = dataset([0], [0], [3], movies=4)
    movies = replace(few.movies, genres=np.asarray([[1, 0], [0, 0], [0, 1], [1, 0]], bool))
    assert together(movies, [1, 2, 3]) == pytest.approx([SPECIFIC + OVERLAP, 0, np.log(2) + OVERLAP])


def test_movies_of_one_director_are_kin_and_closer_if_the_director_is_rare() -> None:
    few = dataset([0], [0], [3], movies=8)
    movies = replace(few.movies, genres=np.asarray([[1, 0], *[[0, 1]] * 7], bool))
    names, numbers = (("Ann", "Bo"), ("Bo",), ("Cy",), *[("Ann",)] * 5), np.ones(8, np.int32)
    facts = ImdbFacts(np.full(8, 7, np.float32), numbers, numbers, names, ((),) * 8)
    assert together(movies, [1, 2, 3]) == [0, 0, 0]
    directed = replace(movies, imdb=facts)
    assert together(directed, [1, 2, 3]) == [KIN_COINCIDENCE, 0, KIN_COINCIDENCE]
    alike = [[1e-3] * 3] * 3
    rare, none, common = together(directed, [1, 2, 3], alike)
    assert (rare - none, common - none) == pytest.approx((np.log(4), np.log(8 / 6)))


def test_movies_with_one_lead_or_a_strong_rare_tag_are_kin() -> None:
    few = dataset([0], [0], [3], movies=40)
    movies = replace(few.movies, genres=np.asarray([[1, 0], *[[0, 1]] * 39], bool))
    numbers, nobody = np.ones(40, np.int32), ((),) * 36
    cast = (("Ann", "Bo", "Cy"), ("Dee", "Ann"), ("Dee", "Eve", "Ann"), ("Cy",), *nobody)
    facts = ImdbFacts(np.full(40, 7, np.float32), numbers, numbers, ((),) * 40, ((),) * 40, cast=cast)
    assert together(replace(movies, imdb=facts), [1, 2, 3]) == [KIN_COINCIDENCE, 0, 0]
    common = [(row, "funny", 0.9) for row in range(40)]
    tags = tags_of([*common, (0, "heist", 0.9), (1, "heist", 0.4), (3, "heist", 0.7)], 40)
    assert together(replace(movies, tags=tags), [1, 2, 3]) == [0, 0, KIN_COINCIDENCE]


def test_shared_actors_and_tags() -> None:
    few = dataset([0], [0], [3], movies=3)
    numbers = np.ones(3, np.int32)
    cast = (("Ann", "Bo", "Cy"), ("Cy", "Ann"), ())
    facts = ImdbFacts(np.full(3, 7, np.float32), numbers, numbers, (("Di",), (), ()), ((),) * 3, cast=cast)
    names = ("comedy", "ann", "di", "heist", "dark", "weak", "clever", "tense")
    cells = [(row, name, 0.3 if name == "weak" else 0.9) for row in (0, 1) for name in names]
    movies = replace(few.movies, imdb=facts, tags=tags_of(cells, 3))
    common = shared(movies, 0, [1])
    assert common.actors == ("Ann", "Cy")
    assert common.tags == ("clever", "dark", "heist")  # the first three; what repeats a genre or a person is left out
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
