"""Finds users and movies by the ids that a dataset publishes."""

from movietui.data.dataset import Dataset
from movietui.data.near_names import no_such


def user_row(dataset: Dataset, user: str) -> int:
    """Return the row of a user. Raises ``Problem`` if the dataset does not have the user."""
    row = dataset.users.row.get(user)
    if row is None:
        ids = dataset.users.ids
        listed = f"its {len(ids):,} users are {ids[0]} to {ids[-1]}."
        raise no_such(f"{dataset.name} has no user {user}", user, ids, listed)
    return row


def movie_row(dataset: Dataset, movie: str) -> int:
    """Return the row of a movie. Raises ``Problem`` if the dataset does not have the movie."""
    row = dataset.movies.row.get(movie)
    if row is None:
        ids = dataset.movies.ids
        listed = f"its {len(ids):,} movies are {ids[0]} to {ids[-1]}."
        raise no_such(f"{dataset.name} has no movie with the id {movie}", movie, ids, listed)
    return row
