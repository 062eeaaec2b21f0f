"""Finds users and movies by the ids that a dataset publishes."""

from movietui.data.dataset import Dataset, Movies, Users
from movietui.data.language import tr
from movietui.data.near_names import no_such


def user_row(dataset: Dataset, user: str) -> int:
    """Return the row of a user. Raises ``Problem`` if the dataset does not have the user."""
    return _row(dataset.users, user, tr("{dataset} has no user {user}", dataset=dataset.name, user=user), tr("users"))


def movie_row(dataset: Dataset, movie: str) -> int:
    """Return the row of a movie. Raises ``Problem`` if the dataset does not have the movie."""
    missing = tr("{dataset} has no movie with the id {movie}", dataset=dataset.name, movie=movie)
    return _row(dataset.movies, movie, missing, tr("movies"))


def _row(table: Users | Movies, key: str, missing: str, kind: str) -> int:
    if (row := table.row.get(key)) is None:
        otherwise = tr(
            "its {count:,} {kind} are {first} to {last}.",
            count=len(table.ids),
            kind=kind,
            first=table.ids[0],
            last=table.ids[-1],
        )
        raise no_such(missing, key, table.ids, otherwise)
    return row
