"""Models that multiply two embeddings: the dot product of system 001 and the simple factorisation of 003."""

from dataclasses import dataclass
from typing import TypeVar

from movietui.data.language import tr
from movietui.models.embeddings import UNSPECIFIED, Embedded, EmbeddingSettings, Shape
from movietui.models.settings import setting


@dataclass(frozen=True)
class SgdMFSettings(EmbeddingSettings):
    """Settings of ``SgdMF``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k. Caution
    and popularity are those of ``mf``.
    """

    factors: int = setting(32, 1, 256)
    """The number of latent factors."""
    members: int = setting(3, 1, 16)
    epochs: int = setting(10, 1, 500)


P = TypeVar("P", bound=SgdMFSettings)


class Product(Embedded[P]):
    """The product of two embeddings of the same size."""

    @property
    def shape(self) -> Shape:
        """A dot product without a tower."""
        return Shape(self.settings.factors, self.settings.factors, dot=True, biases=self.settings.biases)


class SgdMF(Product[SgdMFSettings]):
    """``f = m + b_u + c_i + p_u . q_i``, fitted by stochastic gradients: system 003's simple factorisation.

    As published: ``f = p_u . q_i``, mean squared error, Adam, batches of 32, 10 epochs. The author mentions no mean, no
    biases and no regularisation, so the model has none. The author gives no number of factors. We assume 10.
    """

    name = "sgd-mf"
    summary = tr("Matrix factorisation by stochastic gradients; averages several models.")
    formula = "m + b_u + c_i + p_u · q_i"
    reference = tr("Koren, Bell and Volinsky 2009; earlier system 003")
    settings_type = SgdMFSettings
    published = SgdMFSettings(**(UNSPECIFIED | {"factors": 10, "epochs": 10, "batch": 32}))


@dataclass(frozen=True)
class DotSettings(SgdMFSettings):
    """Settings of ``Dot``.

    The defaults were chosen on a held-out tenth (``hold_out``) of the train part of ``random90`` of ml-1m.
    """

    factors: int = setting(50, 1, 256)
    members: int = setting(1, 1, 16)
    batch: int = setting(8192, 1, 65536)
    rate: float = setting(0.01, 0.000001, 1.0)
    decay: float = setting(0.08, 0.0, 10.0)
    epochs: int = setting(10, 1, 500)


class Dot(Product[DotSettings]):
    """``f = m + b_u + c_i + p_u . q_i`` with embeddings of 50 and the mean squared error: system 001, on ml-1m.

    As published, ``f = p_u . q_i``. The author gives no other details. We assume Adam at its default rate, batches of
    64 and 5 epochs.
    """

    name = "dot"
    summary = tr("The product of two embeddings.")
    formula = "m + b_u + c_i + p_u · q_i"
    reference = tr("Koren, Bell and Volinsky 2009; earlier system 001")
    settings_type = DotSettings
    published = DotSettings(epochs=5, **UNSPECIFIED)
