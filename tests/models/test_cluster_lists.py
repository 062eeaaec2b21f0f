"""How executors hand lists back to Spark. Needs no Spark."""

import numpy as np
import pandas as pd

from movietui.models.cluster.users import LISTS_PER_FRAME, BestMovies, in_frames


def of_user(user: int) -> BestMovies:
    """Return a list of zero to three movies, with figures that tell whose it is."""
    movies = np.arange(user, user + user % 4)
    figures = np.full(len(movies), user, np.float32)
    return BestMovies(user, movies, figures, figures / 2, figures / 4)


def test_lists_arrive_whole_and_in_order_in_several_tables() -> None:
    users = 2 * LISTS_PER_FRAME + 5
    frames = list(in_frames(map(of_user, range(users))))
    assert [len(set(frame["user"])) for frame in frames] == [
        sum(user % 4 > 0 for user in range(first, min(first + LISTS_PER_FRAME, users)))
        for first in range(0, users, LISTS_PER_FRAME)
    ]
    rows = pd.concat(frames)
    for user, of in rows.groupby("user"):
        assert of["rank"].tolist() == [*range(1, user % 4 + 1)]
        assert of["movie"].tolist() == [*range(user, user + user % 4)]
        assert (of["stars"] == user).all()
        assert (of["uncertainty"] == user / 2).all()
        assert (of["score"] == user / 4).all()
    assert len(rows) == sum(user % 4 for user in range(users))


def test_no_users_give_no_table() -> None:
    assert list(in_frames(iter(()))) == []
