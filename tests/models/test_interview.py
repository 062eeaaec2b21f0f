"""What an interview asks where it is known what would teach most."""

import numpy as np

from data.dataset import Dataset
from models.interview import Answers, Interview
from models.model import History
from tests.models.builders import dataset

NONE = np.empty(0, np.int32)


def answers(rated: dict[int, float] | None = None, unseen: object = (), passed: object = ()) -> Answers:
    given = rated or {}
    history = History(np.asarray(list(given), np.int32), np.asarray(list(given.values()), np.float32))
    return Answers(history, np.asarray(unseen, np.int32), np.asarray(passed, np.int32))


def of_table(stars: np.ndarray) -> Dataset:
    """A dataset from a table of stars, shape (users, movies); 0 is no rating."""
    user, movie = np.nonzero(stars)
    return dataset(user, movie, stars[user, movie], *stars.shape)


def divided(users: int = 200, seed: int = 0) -> np.ndarray:
    """Half of the users give 5 to the movies 0 to 5 and 1 to the next six, the others the other way round.

    The movies 12 to 17 get 5 or 1 from each user by chance. All are rated by all.
    """
    random = np.random.default_rng(seed)
    first = np.arange(users)[:, None] % 2 == 0
    likes = np.concatenate([np.repeat(first, 6, 1), np.repeat(~first, 6, 1), random.random((users, 6)) < 0.5], 1)
    return np.where(likes, 5.0, 1.0)


def test_what_tells_much_is_asked_first() -> None:
    interview = Interview(of_table(divided()[:, ::-1]), directions=3)
    film = interview.next_film(answers())
    assert film in range(6, 18)  # not one of those that everybody rates by chance
    assert interview.known(answers({film: 5.0})) > 4 * interview.known(answers({3: 5.0}))


def test_of_equals_the_better_known_is_asked() -> None:
    for better in (2, 8):
        stars = divided()[:, :12]
        random = np.random.default_rng(1)
        for movie in set(range(12)) - {better}:
            stars[random.random(len(stars)) < 0.6, movie] = 0.0
        assert Interview(of_table(stars), directions=3).next_film(answers()) == better


def test_nothing_is_asked_twice() -> None:
    interview = Interview(of_table(divided(60)), directions=3)
    rated: dict[int, float] = {3: 4.0}
    unseen, passed, asked = [1], [0, 2], {0, 1, 2, 3}
    while (film := interview.next_film(answers(rated, unseen, passed))) is not None:
        assert film not in asked
        asked.add(film)
        (unseen if film % 2 else passed).append(film) if film % 3 else rated.update({film: 3.0})
    assert asked == set(range(18))
    assert interview.next_card(answers(rated, unseen, passed)) == []


def test_who_has_not_seen_one_of_a_kind_is_asked_of_another() -> None:
    """Each user has seen the movies 0 to 5 or the next six; who has not seen one of the first has seen the others."""
    stars = np.where(np.arange(200)[:, None] % 2 == np.arange(12) // 6, 4.0, 0.0)
    stars *= np.random.default_rng(2).random(stars.shape) < 0.9
    interview = Interview(of_table(stars), directions=2)
    assert interview.next_film(answers(unseen=[0])) in range(6, 12)
    assert interview.next_film(answers(unseen=[6])) in range(6)
    assert interview.next_film(answers({0: 4.0}, unseen=[6])) in range(6)


def test_how_well_somebody_is_known_only_grows() -> None:
    interview = Interview(of_table(divided(60)), directions=4)
    rated: dict[int, float] = {}
    shares = [interview.known(answers())]
    for film in np.random.default_rng(3).permutation(18).tolist():
        rated[film] = 1.0 + film % 5
        shares.append(interview.known(answers(rated)))
        assert interview.known(answers(rated, unseen=[5], passed=[6])) == shares[-1]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] <= 1


def test_a_card_tells_tastes_apart() -> None:
    """Three camps of users, each of which likes four movies of its own: two answers tell the camp."""
    random = np.random.default_rng(4)
    stars = np.where(np.arange(240)[:, None] % 3 == np.arange(12) // 4, 5.0, 2.0)
    stars += random.integers(-1, 2, stars.shape) * (stars == 2.0)
    card = Interview(of_table(stars), directions=4).next_card(answers())
    assert len({movie // 4 for movie in card[:2]}) == 2
    assert len(set(card)) == 3


def test_a_card_needs_three() -> None:
    interview = Interview(of_table(divided(60)[:, :4]), directions=2)
    assert len(interview.next_card(answers(passed=[0]))) == 3
    assert interview.next_card(answers({1: 4.0}, passed=[0])) == []


def test_there_is_nothing_to_ask_of_a_dataset_that_nobody_knows() -> None:
    for stars in (np.zeros((3, 4)), np.eye(4) * 4):
        interview = Interview(of_table(stars))
        assert interview.next_film(answers()) is None
        assert interview.next_card(answers({1: 4.0})) == []
        assert interview.known(answers({1: 4.0})) == 0


def test_films_that_few_know_are_not_asked_about() -> None:
    stars = divided(60)
    stars[4:, 7] = 0
    interview = Interview(of_table(stars), films=10)
    assert len(interview.movies) == 10
    assert 7 not in interview.movies
    assert interview.known(answers({7: 5.0})) == 0
