"""Embeddings beside what is known of users and movies: age, gender, occupation, genres, date of release."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data import features
from data.dataset import Bools, Dataset, Floats
from data.features import Block, Index
from models.embeddings import DeepMFSettings, Embedded, Shape
from models.settings import setting


@dataclass(frozen=True)
class HybridSettings(DeepMFSettings):
    """Settings of ``Hybrid``.

    The defaults were chosen on a validation tenth (``hold_out``) of the train parts of ``kfold5-0`` and ``kfold5-1`` of
    ml-100k; caution and popularity are those of ``mf``.
    """

    members: int = setting(3, 1, 16)
    epochs: int = setting(8, 1, 500)
    batch: int = setting(2048, 1, 65536)
    rate: float = setting(0.03, 0.000001, 1.0)
    dropout: float = setting(0.2, 0.0, 0.9)
    decay: float = setting(0.02, 0.0, 10.0)


class Hybrid(Embedded[HybridSettings]):
    """``f = m + b_u + c_i + tower(p_u, q_i, a_u, g_i)``: embeddings and side features, source 004.

    ``a`` are age, gender and occupation of the user, ``g`` genres, year and month of release of the movie, and what
    IMDb says of it where the dataset was joined; a dataset that lacks some of them has fewer inputs. All columns are
    centred, so that 0, which is what an unknown value becomes, is the mean. What is learned for an embedding is only
    what the features leave, so a movie without ratings has the mean embedding but its own features, and so has a user.

    A viewer is folded in as in ``Embedded``: a user of the dataset with the features that are known of them, a profile
    with those of the mean user.

    As published: embeddings and features beside each other, a dense layer, batch normalisation and ReLU, a second dense
    layer that gives the rating; Adam, 7 epochs, of which the best on a validation part is kept. The source gives no
    sizes: embeddings of 50, a layer of 128, batches of 64, a tenth for validation, Adam at its usual rate and no biases
    are taken.
    """

    name = "hybrid"
    summary = "Embeddings with age, gender, occupation, genres and date of release, and dense layers over all."
    settings_type = HybridSettings
    published = HybridSettings(
        factors=50,
        hidden=128,
        dropout=0.0,
        members=1,
        epochs=7,
        batch=64,
        rate=0.001,
        falling=False,
        biases=False,
        decay=0,
        bias_decay=0,
        kept_back=0.1,
    )

    @property
    def shape(self) -> Shape:
        """A tower over both embeddings."""
        own = self.settings
        return Shape(own.factors, own.factors, False, own.layers, own.dropout, own.normalise, own.biases)

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return the columns of users and movies that the dataset publishes."""
        people, movies = features.demographics(train.users), train.movies
        genres = features.genres(movies)
        of_users: list[Block | Index] = [people.age, people.gender, people.occupation] if people else []
        # Without the first column, which says that a movie has no genre: that is unknown, not a genre.
        of_movies: list[Block | Index] = [Block.as_is(genres.names[1:], genres.values[:, 1:])]
        of_movies += [part for part in (features.year(movies), features.month(movies), features.imdb(movies)) if part]
        return _columns(of_users, len(train.users)), _columns(of_movies, len(movies))


def _columns(parts: Sequence[Block | Index], rows: int) -> Floats:
    """Put features beside each other, each column centred over the rows where it is known and 0 where it is not."""
    found: list[Floats] = [np.zeros((rows + 1, 0), np.float32)]
    for part in parts:
        values = (part.one_hot() if isinstance(part, Index) else part).values
        known: Bools = np.asarray(values.any(1))
        if known.any():
            values = np.where(known[:, None], values - values[known].mean(0), np.float32(0))
        found.append(values)
    return np.concatenate(found, 1)
