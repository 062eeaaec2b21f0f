"""The interview asks the most informative questions."""

from dataclasses import replace

import numpy as np

from movietui.data.dataset import Dataset
from movietui.models.base import History
from movietui.models.ease import Ease
from movietui.models.serving.interview import Answers, Interview
from movietui.models.serving.ranking import Ranker, Viewer
from tests.models.builders import dataset, tastes

CARD = 3


def history(rated: dict[int, float]) -> History:
    return History(np.asarray(list(rated), np.int32), np.asarray(list(rated.values()), np.float32))


def answers(
    rated: dict[int, float] | None = None,
    unseen: object = (),
    unchosen: dict[int, float] | None = None,
    genres: dict[int, int] | None = None,
) -> Answers:
    return Answers(history(rated or {}), np.asarray(unseen, np.int32), unchosen or {}, genres=genres or {})


def first_of(interview: Interview, so_far: Answers) -> int:
    (movie,) = interview.next_list(so_far, 1)
    return movie


def of_table(stars: np.ndarray) -> Dataset:
    """Return a dataset from a table of stars, shape (users, movies); 0 means no rating."""
    user, movie = np.nonzero(stars)
    return dataset(user, movie, stars[user, movie], *stars.shape)


def divided(users: int = 200, seed: int = 0) -> np.ndarray:
    """Return a table of stars, shape (users, movies), in which every user has rated every movie.

    Half of the users give 5 stars to movies 0 to 5 and 1 star to the next six; the other half does the opposite. Each
    user gives each of movies 12 to 17 either 5 stars or 1 star, at random.
    """
    random = np.random.default_rng(seed)
    first = np.arange(users)[:, None] % 2 == 0
    likes = np.concatenate([np.repeat(first, 6, 1), np.repeat(~first, 6, 1), random.random((users, 6)) < 0.5], 1)
    return np.where(likes, 5.0, 1.0)


def test_an_informative_movie_is_asked_about_first() -> None:
    interview = Interview(of_table(divided()[:, ::-1]), directions=3)
    movie = first_of(interview, answers())
    assert movie in range(6, 18)  # not one of those that are rated at random
    assert interview.known(answers({movie: 5.0})) > 4 * interview.known(answers({3: 5.0}))


def test_of_equally_informative_movies_the_better_known_is_asked_about() -> None:
    for better in (2, 8):
        stars = divided()[:, :12]
        random = np.random.default_rng(1)
        for movie in set(range(12)) - {better}:
            stars[random.random(len(stars)) < 0.6, movie] = 0.0
        assert first_of(Interview(of_table(stars), directions=3), answers()) == better


def test_nothing_is_asked_twice() -> None:
    interview = Interview(of_table(divided(60)), directions=3)
    rated: dict[int, float] = {3: 4.0}
    unseen, unchosen, asked = [1], {0: 1.0, 2: 1.0}, {0, 1, 2, 3}
    while movies := interview.next_list(answers(rated, unseen, unchosen), 4):
        assert not asked & {*movies}
        assert len({*movies}) == len(movies)
        asked |= {*movies}
        for movie in movies:
            if movie % 3 == 0:
                rated[movie] = 3.0
            elif movie % 3 == 1:
                unseen.append(movie)
            else:
                unchosen[movie] = 1.0
    assert asked == set(range(18))
    assert interview.next_card(answers(rated, unseen, unchosen)) == []


def test_excluded_movies_are_not_asked_about() -> None:
    interview = Interview(of_table(divided(60)), directions=3)
    hidden = Answers(history({}), excluded=np.arange(9, dtype=np.int32))
    assert {*interview.next_list(hidden, 18)} == {*range(9, 18)}
    assert {*interview.next_card(hidden, 9)} == {*range(9, 18)}


def test_after_an_unseen_movie_one_of_another_kind_is_asked_about() -> None:
    """Each user has seen most of movies 0 to 5 or most of the next six, but none of the others."""
    stars = np.where(np.arange(200)[:, None] % 2 == np.arange(12) // 6, 4.0, 0.0)
    stars *= np.random.default_rng(2).random(stars.shape) < 0.9
    interview = Interview(of_table(stars), directions=2)
    assert first_of(interview, answers(unseen=[0])) in range(6, 12)
    assert first_of(interview, answers(unseen=[6])) in range(6)
    assert first_of(interview, answers({0: 4.0}, unseen=[6])) in range(6)


def test_answers_never_reduce_what_is_known() -> None:
    interview = Interview(of_table(divided(60)), directions=4)
    rated: dict[int, float] = {}
    shares = [interview.known(answers())]
    for movie in np.random.default_rng(3).permutation(18).tolist():
        rated[movie] = 1.0 + movie % 5
        shares.append(interview.known(answers(rated)))
        assert interview.known(answers(rated, unseen=[5], unchosen={6: 0.1}, genres={0: 1})) == shares[-1]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 1


def test_a_card_distinguishes_tastes() -> None:
    """There are three camps of users, each of which likes four movies of its own: two answers identify the camp."""
    random = np.random.default_rng(4)
    stars = np.where(np.arange(240)[:, None] % 3 == np.arange(12) // 4, 5.0, 2.0)
    stars += random.integers(-1, 2, stars.shape) * (stars == 2.0)
    card = Interview(of_table(stars), directions=4).next_card(answers(), CARD)
    assert len({movie // 4 for movie in card[:2]}) == 2
    assert len(set(card)) == 3


def test_a_card_needs_enough_movies() -> None:
    interview = Interview(of_table(divided(60)[:, :4]), directions=2)
    assert len(interview.next_card(answers(unchosen={0: 1.0}), CARD)) == CARD
    assert interview.next_card(answers({1: 4.0}, unchosen={0: 1.0}), CARD) == []
    assert len(interview.next_list(answers({1: 4.0}, unchosen={0: 1.0}), CARD)) == 2


def test_a_list_asks_about_different_tastes() -> None:
    """Each of three camps of users likes four movies of its own: two movies that one camp likes say less about a viewer
    than two that different camps like."""
    stars = np.where(np.arange(240)[:, None] % 3 == np.arange(12) // 4, 5.0, 2.0)
    movies = Interview(of_table(stars), directions=4).next_list(answers(), 2)
    assert len({movie // 4 for movie in movies}) == 2


def test_a_list_begins_with_the_movie_likeliest_to_be_seen() -> None:
    stars = divided(200)
    random = np.random.default_rng(5)
    for movie in range(18):
        stars[random.random(len(stars)) < movie / 24, movie] = 0.0
    movies = Interview(of_table(stars), directions=3).next_list(answers(), 6)
    assert movies == sorted(movies, key=lambda movie: -np.count_nonzero(stars[:, movie]))


def test_a_dataset_without_common_movies_has_no_questions() -> None:
    for stars in (np.zeros((3, 4)), np.eye(4) * 4):
        interview = Interview(of_table(stars))
        assert interview.next_list(answers(genres={0: 1, 1: -1})) == []
        assert interview.next_card(answers({1: 4.0}, unchosen={2: 0.5})) == []
        assert interview.known(answers({1: 4.0})) == 0


def test_movies_with_few_ratings_are_not_asked_about() -> None:
    stars = divided(60)
    stars[4:, 7] = 0
    interview = Interview(of_table(stars), movies=10)
    assert len(interview.movies) == 10
    assert 7 not in interview.movies
    assert interview.known(answers({7: 5.0})) == 0


def with_genres(stars: np.ndarray) -> Dataset:
    """Return a dataset in which movies 0 to 5 are of the first genre, and movies 6 to 11 of the second."""
    planted = of_table(stars)
    genre = np.arange(len(planted.movies)) // 6
    return replace(planted, movies=replace(planted.movies, genres=genre[:, None] == np.arange(2)))


def test_a_liked_genre_raises_its_movies_and_a_disliked_genre_lowers_them() -> None:
    interview = Interview(with_genres(divided()), directions=3)
    everything = np.arange(18, dtype=np.int32)
    neutral = np.asarray(interview.liking(answers(), everything))
    for genre, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        of_genre, other = slice(6 * genre, 6 * genre + 6), slice(6 - 6 * genre, 12 - 6 * genre)
        change = np.asarray(interview.liking(answers(genres={genre: sign}), everything)) - neutral
        assert (sign * change[of_genre] > 0.1).all()
        assert (sign * change[other] < -0.1).all()


def test_movies_of_a_liked_genre_are_asked_about() -> None:
    """Users of one camp have seen mostly movies of the first genre, and users of the other camp mostly movies of the
    second."""
    random = np.random.default_rng(6)
    camp = np.arange(300)[:, None] % 2 == np.arange(12) // 6
    stars = np.where(random.random(camp.shape) < np.where(camp, 0.7, 0.2), random.integers(2, 6, camp.shape), 0)
    interview = Interview(with_genres(stars), directions=4)
    for genre in (0, 1):
        for genres in ({genre: 1}, {1 - genre: -1}):
            movies = interview.next_list(answers(genres=genres), 4)
            assert sum(movie // 6 == genre for movie in movies) >= 3
            everything = interview.next_list(answers(genres=genres), 12)
            assert {movie // 6 for movie in everything[:6]} == {genre}  # likelier to be seen


def answer_cards(interview: Interview, ranker: Ranker, random: np.random.Generator, cards: int, size: int) -> int:
    """Answer cards at random, and check after each that no movie without a point rose; return how many had no point."""
    rated: dict[int, float] = {}
    unchosen: dict[int, float] = {}
    held: dict[int, int] = {}
    for _ in range(cards):
        so_far = answers(rated, unchosen=unchosen, genres={0: 1})
        card = interview.next_card(so_far, size)
        if not card:
            break
        viewer = Viewer("profile", "p", history(rated), held=held)
        before = ranker.rank([viewer]).order.tolist()
        expected = dict(zip(card, interview.liking(so_far, np.asarray(card, np.int32)), strict=True))
        above = dict(zip(card, ranker.movies_above(viewer, card), strict=True))
        chosen = random.choice(card, random.integers(1, min(3, size - 1) + 1), replace=False).tolist()
        lost = [movie for movie in card if movie not in chosen]
        rated |= {movie: float(random.choice([4.0, 4.5, 5.0])) for movie in chosen}
        unchosen |= {movie: expected[movie] for movie in lost}
        held |= {movie: above[movie] for movie in lost}
        liking = interview.liking(answers(rated, unchosen=unchosen, genres={0: 1}), np.asarray(lost, np.int32))
        assert (np.asarray(liking) <= [expected[movie] + 1e-8 for movie in lost]).all()
        after = ranker.rank([Viewer("profile", "p", history(rated), held=held)]).order.tolist()
        for movie in lost:
            above = [sum(other not in card for other in order[: order.index(movie)]) for order in (before, after)]
            assert above[1] >= above[0]
    return len(held)


def risen(interview: Interview, ranker: Ranker, card: list[int], chosen: list[int]) -> int:
    """Return how many movies without a point would rise in the list if the card said nothing about them."""
    before, after = (
        ranker.rank([Viewer("profile", "p", history(rated))]).order.tolist()
        for rated in ({}, dict.fromkeys(chosen, 5.0))
    )
    return sum(
        sum(other not in card for other in after[: after.index(movie)])
        < sum(other not in card for other in before[: before.index(movie)])
        for movie in card
        if movie not in chosen
    )


def test_a_movie_without_a_point_does_not_rise() -> None:
    would_rise = 0
    for seed in range(30):
        train, _ = tastes(seed=seed)
        model = Ease()
        model.fit(train)
        interview, ranker = Interview(train, directions=6), Ranker(train, model)
        assert answer_cards(interview, ranker, np.random.default_rng(seed), cards=5, size=5) > 5
        card = interview.next_card(answers(), 5)
        would_rise += risen(interview, ranker, card, card[:1])
    assert would_rise > 10  # without the rule, movies do rise


def test_a_rating_counts_more_than_a_card_without_a_point() -> None:
    interview = Interview(of_table(divided()), directions=3)
    movie = np.asarray([0], np.int32)
    (expected,) = interview.liking(answers(), movie)
    rated = {0: 5.0, 1: 5.0}
    assert interview.liking(answers(rated, unchosen={0: expected}), movie) == interview.liking(answers(rated), movie)
    assert interview.liking(answers(rated), movie)[0] > expected
