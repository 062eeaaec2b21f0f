"""Models with dense layers over embeddings, from the systems 001, 003 and 004."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from movietui.data.dataset import Dataset, Floats
from movietui.data.language import tr
from movietui.models.embeddings import UNSPECIFIED, Embedded, EmbeddingSettings, Shape
from movietui.models.settings import setting
from movietui.models.side_features import movie_inputs, user_inputs


@dataclass(frozen=True)
class TowerSettings(EmbeddingSettings):
    """Settings of dense layers over two embeddings."""

    hidden: int = setting(64, 1, 1024)
    """The size of the first dense layer."""
    second: int = setting(0, 0, 1024)
    """The size of the second dense layer; 0 for none."""
    dropout: float = setting(0.3, 0.0, 0.9)
    """The dropout rate of each dense layer (Srivastava et al. 2014)."""

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the dense layers."""
        return (self.hidden, self.second) if self.second else (self.hidden,)


@dataclass(frozen=True)
class LayerSettings(TowerSettings):
    """Settings of dense layers over two embeddings of the same size."""

    factors: int = setting(16, 1, 256)
    """The size of an embedding."""
    normalise: bool = setting(True, False, True)
    """Whether batch normalisation (Ioffe and Szegedy 2015) follows each dense layer."""


L = TypeVar("L", bound=LayerSettings)


class Layered(Embedded[L]):
    """A tower over two embeddings of the same size."""

    product: ClassVar[bool] = False
    """Whether the product of the embeddings is added to the output of the tower."""

    @property
    def shape(self) -> Shape:
        """A tower over both embeddings."""
        settings = self.settings
        return Shape(
            settings.factors,
            settings.factors,
            self.product,
            settings.layers,
            settings.dropout,
            settings.normalise,
            settings.biases,
        )


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
    "mean": False,
    "folded": False,
    "biases": False,
    "decay": 0.0,
    "bias_decay": 0.0,
}
"""The published settings that both networks of system 003 share. The system gives the learning rate and the momentum,
and says that there are dense layers, dropout and batch normalisation. We assume the rest (see ``DeepMF``)."""


@dataclass(frozen=True)
class DeepMFSettings(LayerSettings):
    """Settings of ``DeepMF``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k. Caution
    and popularity are those of ``mf``.
    """

    epochs: int = setting(7, 1, 500)
    rate: float = setting(0.02, 0.000001, 1.0)
    decay: float = setting(0.04, 0.0, 10.0)
    bias_decay: float = setting(0.01, 0.0, 10.0)


class DeepMF(Layered[DeepMFSettings]):
    """``f = m + b_u + c_i + tower(p_u, q_i)``: system 003's factorisation with deep learning.

    As published: dense layers, dropout, batch normalisation and ReLU, and gradient descent with a learning rate of 0.01
    and a momentum of 0.9. The author gives no sizes. We assume embeddings of 10, layers of 400 and 100, a dropout rate
    of a half, batches of 128 and 15 epochs. The author mentions no mean and no biases, so the model has none.
    """

    name = "deep-mf"
    summary = tr("Dense layers over the embeddings of user and movie.")
    formula = "m + b_u + c_i + f(p_u, q_i)"
    reference = tr("He et al. 2017; earlier system 003")
    settings_type = DeepMFSettings
    published = DeepMFSettings(**AS_003)


@dataclass(frozen=True)
class ResidualMFSettings(DeepMFSettings):
    """Settings of ``ResidualMF``. The defaults were chosen in the same way as those of ``DeepMF``."""

    decay: float = setting(0.1, 0.0, 10.0)


class ResidualMF(Layered[ResidualMFSettings]):
    """``f = m + b_u + c_i + p_u . q_i + tower(p_u, q_i)``: a tower learns the residuals of the product (system 003).

    As published: gradient descent with a learning rate of 0.01 and a momentum of 0.9, without mean and biases. We
    assume the same sizes as for ``DeepMF``.
    """

    name = "residual-mf"
    summary = tr("Matrix factorisation, and dense layers for what it misses.")
    formula = "m + b_u + c_i + p_u · q_i + f(p_u, q_i)"
    reference = tr("He et al. 2017; earlier system 003")
    settings_type = ResidualMFSettings
    published = ResidualMFSettings(**AS_003)
    product = True


@dataclass(frozen=True)
class NcfSettings(TowerSettings):
    """Settings of ``Ncf``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``random90`` of ml-1m.
    """

    user_factors: int = setting(32, 1, 256)
    """The size of a user's embedding."""
    movie_factors: int = setting(32, 1, 256)
    """The size of a movie's embedding."""
    second: int = setting(32, 0, 1024)
    dropout: float = setting(0.2, 0.0, 0.9)
    features: bool = setting(True, False, True)
    """Whether a movie's genres, release date and IMDb facts are inputs in addition to its embedding."""
    batch: int = setting(8192, 1, 65536)
    rate: float = setting(0.01, 0.000001, 1.0)
    decay: float = setting(0.02, 0.0, 10.0)


class Ncf(Embedded[NcfSettings]):
    """``f = low + (high - low) sigmoid(m + b_u + c_i + tower(p_u, q_i))``: system 001 with dense layers.

    ``m`` is the number that the sigmoid turns into the mean rating.

    As published: the embeddings of user and movie concatenated, dense layers with ReLU and dropout, and a sigmoid on
    the normalised target. The author gives only the size of the embeddings, 50. We assume layers of 128 and 64, a
    dropout rate of 0.2, Adam at its default rate, batches of 64 and 5 epochs, without mean and biases.

    The author suggests embeddings of genres and time. Here, the time is the movie's release date, because a movie that
    has not been watched yet has no rating time. On the validation part of ml-1m, four members have an rmse of 0.8647
    without these features and 0.8459 with them.
    """

    name = "ncf"
    summary = tr("Dense layers over embeddings, and a sigmoid that spans the scale.")
    formula = "low + (high − low) σ(m + b_u + c_i + f(p_u, q_i, facts))"
    reference = tr("He et al. 2017; earlier system 001")
    settings_type = NcfSettings
    published = NcfSettings(
        user_factors=50,
        movie_factors=50,
        hidden=128,
        second=64,
        features=False,
        epochs=5,
        **UNSPECIFIED,
    )

    @property
    def shape(self) -> Shape:
        """A tower over both embeddings, and a sigmoid."""
        settings = self.settings
        return Shape(
            settings.user_factors,
            settings.movie_factors,
            False,
            settings.layers,
            settings.dropout,
            biases=settings.biases,
            sigmoid=True,
        )

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return columns for the movies' genres, release date and, if joined, IMDb's facts, and no columns for users.

        Without the setting ``features``, movies have no columns either.
        """
        users, movies = super().side_features(train)
        return users, movie_inputs(train.movies) if self.settings.features else movies


@dataclass(frozen=True)
class HybridSettings(DeepMFSettings):
    """Settings of ``Hybrid``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train parts of ``kfold5-0`` and ``kfold5-1`` of
    ml-100k. Caution and popularity are those of ``mf``.
    """

    members: int = setting(3, 1, 16)
    epochs: int = setting(8, 1, 500)
    batch: int = setting(2048, 1, 65536)
    rate: float = setting(0.03, 0.000001, 1.0)
    dropout: float = setting(0.2, 0.0, 0.9)
    decay: float = setting(0.02, 0.0, 10.0)


class Hybrid(Layered[HybridSettings]):
    """``f = m + b_u + c_i + tower(p_u, q_i, a_u, g_i)``: embeddings and side features, system 004.

    ``a`` are the user's age, gender and occupation. ``g`` are the movie's genres, year and month of release and, if the
    dataset is joined with IMDb, IMDb's facts. A dataset that lacks some of these has fewer inputs. All columns are
    centred, so that an unknown value becomes 0, the mean. The embeddings learn only what the features do not explain. A
    movie or user without ratings has the mean embedding, but its own features.

    A viewer is folded in as in ``Embedded``: a user of the dataset with their own features, a profile with the mean
    features of all users.

    As published: embeddings and features are concatenated, followed by a dense layer, batch normalisation and ReLU, and
    a second dense layer that gives the rating. Training takes 7 epochs with Adam, and the best epoch on a validation
    part is used. The author gives no sizes. We assume embeddings of 50, a layer of 128, batches of 64, a tenth for
    validation and Adam at its default rate, without mean and biases.
    """

    name = "hybrid"
    summary = tr("Dense layers over embeddings, age, gender, occupation, genres and release date.")
    formula = "m + b_u + c_i + f(p_u, q_i, facts)"
    reference = tr("earlier system 004")
    settings_type = HybridSettings
    published = HybridSettings(
        factors=50,
        hidden=128,
        dropout=0.0,
        epochs=7,
        kept_back=0.1,
        **UNSPECIFIED,
    )

    def side_features(self, train: Dataset) -> tuple[Floats, Floats]:
        """Return the columns of the features that the dataset has of users and movies."""
        return user_inputs(train.users), movie_inputs(train.movies)
