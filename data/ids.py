"""Finds users and movies by the ids that a dataset publishes."""

from movietui.data.dataset import Dataset, Movies, Users
from movietui.data.near_names import no_such


def user_row(dataset: Dataset, user: str) -> int:
    """Return the row of a user. Raises ``Problem`` if the dataset does not have the user."""
    return _row(dataset.users, user, f"{dataset.name} has no user {user}", "users")


def movie_row(dataset: Dataset, movie: str) -> int:
    """Return the row of a movie. Raises ``Problem`` if the dataset does not have the movie."""
    return _row(dataset.movies, movie, f"{dataset.name} has no movie with the id {movie}", "movies")


def _row(table: Users | Movies, key: str, missing: str, kind: str) -> int:
    if (row := table.row.get(key)) is None:
        raise no_such(missing, key, table.ids, f"its {len(table.ids):,} {kind} are {table.ids[0]} to {table.ids[-1]}.")
    return row
