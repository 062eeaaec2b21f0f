"""Dense layers over embeddings: sources 001, 003 and 004."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from data.dataset import Dataset, Floats
from models.embeddings import UNTOLD, Embedded, EmbeddingSettings, Shape
from models.settings import setting
from models.sides import movie_inputs, user_inputs


@dataclass(frozen=True)
class TowerSettings(EmbeddingSettings):
    """Settings of dense layers over two embeddings."""

    hidden: int = setting(64, 1, 1024)
    """Size of the first dense layer."""
    second: int = setting(0, 0, 1024)
    """Size of the second; 0 for none."""
    dropout: float = setting(0.3, 0.0, 0.9)
    """The share of a dense layer that is left out of each batch."""

    @property
    def layers(self) -> tuple[int, ...]:
        """Sizes of the dense layers."""
        return (self.hidden, self.second) if self.second else (self.hidden,)


@dataclass(frozen=True)
class LayerSettings(TowerSettings):
    """Settings of dense layers over two embeddings of the same size."""

    factors: int = setting(16, 1, 256)
    """How many entries an embedding has."""
    normalise: bool = setting(True, False, True)
    """Whether batch normalisation follows each dense layer."""


L = TypeVar("L", bound=LayerSettings)


class Layered(Embedded[L]):
    """A tower over both embeddings, of the same size."""

    product: ClassVar[bool] = False
    """Whether the product of the embeddings is part of the answer as well."""

    @property
    def shape(self) -> Shape:
        """A tower over both embeddings."""
        own = self.settings
        return Shape(own.factors, own.factors, self.product, own.layers, own.dropout, own.normalise, own.biases)


AS_003: dict[str, Any] = {
    "factors": 10,
    "hidden": 400,
    "second": 100,
    "dropout": 0.5,
    "members": 1,
    "epochs": 15,
    "batch": 128,
    "rate": 0.01,
    "adam": False,
    "falling": False,
    "decay": 0.0,
    "bias_decay": 0.0,
}
"""What both networks of source 003 are published with, or taken to be: it tells the rate, the momentum and that there
are dense layers, dropout and batch normalisation, but no sizes."""


@dataclass(frozen=True)
class DeepMFSettings(LayerSettings):
    """Settings of ``DeepMF``.

    The defaults were chosen on a validation tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k; caution
    and popularity are those of ``mf``.
    """

    epochs: int = setting(7, 1, 500)
    rate: float = setting(0.02, 0.000001, 1.0)
    decay: float = setting(0.04, 0.0, 10.0)
    bias_decay: float = setting(0.01, 0.0, 10.0)


class DeepMF(Layered[DeepMFSettings]):
    """``f = m + b_u + c_i + tower(p_u, q_i)``: the factorisation of source 003 with deep learning in it.

    As published: dense layers, dropout, batch normalisation and ReLU, gradient descent at 0.01 with momentum 0.9. The
    source gives no sizes: embeddings of 10, layers of 400 and 100, dropout of a half, batches of 128 and 15 epochs are
    taken.
    """

    name = "deep-mf"
    summary = "Dense layers over the embeddings of user and movie."
    settings_type = DeepMFSettings
    published = DeepMFSettings(biases=False, **AS_003)


@dataclass(frozen=True)
class ResidualMFSettings(DeepMFSettings):
    """Settings of ``ResidualMF``, chosen as those of ``DeepMF``."""

    decay: float = setting(0.1, 0.0, 10.0)


class ResidualMF(Layered[ResidualMFSettings]):
    """``f = m + b_u + c_i + p_u . q_i + tower(p_u, q_i)``: what the product leaves, a tower learns (source 003).

    As published: gradient descent at 0.01 with momentum 0.9; sizes as taken for ``DeepMF``.
    """

    name = "residual-mf"
    summary = "Matrix factorisation, and dense layers for what it leaves."
    settings_type = ResidualMFSettings
    published = ResidualMFSettings(**AS_003)
    product = True


@dataclass(frozen=True)
class NcfSettings(TowerSettings):
    """Settings of ``Ncf``.

    The defaults were chosen on a validation tenth (``hold_out``) of the train part of ``random90`` of ml-1m.
    """

    user_factors: int = setting(32, 1, 256)
    """How many entries the embedding of a user has."""
    movie_factors: int = setting(32, 1, 256)
    """How many entries that of a movie has."""
    second: int = setting(32, 0, 1024)
    dropout: float = setting(0.2, 0.0, 0.9)
    features: bool = setting(True, False, True)
    """Whether genres and date of release of the movie have embeddings beside its own."""
    batch: int = setting(8192, 1, 65536)
    rate: float = setting(0.01, 0.000001, 1.0)
    decay: float = setting(0.02, 0.0, 10.0)


class Ncf(Embedded[NcfSettings]):
    """``f = low + (high - low) sigmoid(m + b_u + c_i + tower(p_u, q_i))``: source 001 with dense layers.

    As published: the embeddings of user and movie beside each other, dense layers with ReLU and dropout, and a sigmoid
    on the normalised target. The source gives no sizes but that of the embeddings, 50: layers of 128 and 64, dropout
    of 0.2, Adam at its usual rate, batches of 64 and 5 epochs are taken, and no biases.

    That genres and time might have embeddings as well is the source's own wish. The time is that of the movie, not of
    the rating, which a list of what to watch next cannot know. On the validation part of ml-1m four members alone give
    an rmse of 0.8647, with these embeddings 0.8459.
    """

    name = "ncf"
    summary = "Dense layers over embeddings, and a sigmoid that spans the scale."
    settings_type = NcfSettings
    published = NcfSettings(
        user_factors=50,
        movie_factors=50,
        hidden=128,
        second=64,
        features=False,
        epochs=5,
        **UNTOLD,
    )

    @property
    def shape(self) -> Shape:
        """A tower over both embeddings, and a sigmoid."""
        own = self.settings
        sizes = own.user_factors, own.movie_factors
        return Shape(*sizes, False, own.layers, own.dropout, biases=own.biases, sigmoid=True)

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return the columns of genres and date of release, if they are asked for; users have none."""
        users, movies = super().side_features(train)
        return users, movie_inputs(train.movies) if self.settings.features else movies


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


class Hybrid(Layered[HybridSettings]):
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
        epochs=7,
        kept_back=0.1,
        **UNTOLD,
    )

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return the columns of users and movies that the dataset publishes."""
        return user_inputs(train.users), movie_inputs(train.movies)
