"""Builds the tables of ``Raw``, whose columns have the types that ``Raw`` documents."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movietui.data.fetch.archive import DATASET_HINT
from movietui.data.language import tr
from movietui.data.movielens.release import MISSING
from movietui.data.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

MOVIE = {"movie_id": "int32", "title": "str", "release_date": "str", "genres": "str"}
USER = {"user_id": "int32", "age": "int64", "gender": "str", "occupation": "str", "zip_code": "str"}

MOST_GENRES = 200


def frame(rows: Sequence[Sequence[Any]], types: Mapping[str, str]) -> "pd.DataFrame":
    """Return rows as a table whose columns have these names and types."""
    import pandas as pd

    return pd.DataFrame(list(rows), columns=list(types)).astype(dict(types))


def numbers(columns: Mapping[str, NDArray[Any]]) -> "pd.DataFrame":
    """Return columns of numbers as a table, without copying them."""
    import pandas as pd

    return pd.DataFrame(columns, copy=False)


def users_of(ratings: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table of the users who rated, ordered by id, for releases that publish nothing else about users."""
    import pandas as pd

    users = np.sort(pd.unique(ratings["user_id"].to_numpy()))
    return pd.DataFrame({"user_id": users[users != MISSING]})


def genre_names(known: Sequence[str], genres: "pd.Series[str]") -> tuple[str, ...]:
    """Return the ``known`` genres, followed by any other genres that the movies have, in alphabetical order.

    Raises ``Problem`` if the movies have more than ``MOST_GENRES`` genres, far more than in any release.
    """
    used = {name for names in set(genres) for name in names.split("|") if name}
    if len(used) > MOST_GENRES:
        raise Problem(
            tr(
                "The movies have {count:,} genres, more than the limit of {limit}; {hint}.",
                count=len(used),
                limit=MOST_GENRES,
                hint=DATASET_HINT,
            )
        )
    return (*known, *sorted(used.difference(known)))
