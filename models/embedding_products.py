"""The product of two embeddings: source 001 by its dot product, source 003 by its simple factorisation."""

from dataclasses import dataclass

from models.embeddings import UNTOLD, Embedded, EmbeddingSettings, Shape
from models.settings import setting


@dataclass(frozen=True)
class SgdMFSettings(EmbeddingSettings):
    """Settings of ``SgdMF``.

    The defaults were chosen on a validation tenth (``hold_out``) of the train part of ``kfold5-0`` of ml-100k; caution
    and popularity are those of ``mf``.
    """

    factors: int = setting(32, 1, 256)
    """How many directions of taste are told apart."""
    members: int = setting(3, 1, 16)
    epochs: int = setting(10, 1, 500)


class SgdMF(Embedded[SgdMFSettings]):
    """``f = m + b_u + c_i + p_u . q_i``, fitted by stochastic gradients: the simple factorisation of source 003.

    As published: mean squared error, Adam, batches of 32, 10 epochs. The source does not say how many factors it has
    nor how it is kept from overfitting: 10 are taken, and nothing.
    """

    name = "sgd-mf"
    summary = "Matrix factorisation by stochastic gradients, the mean of a few."
    settings_type = SgdMFSettings
    published = SgdMFSettings(
        factors=10, members=1, epochs=10, batch=32, rate=0.001, falling=False, decay=0, bias_decay=0
    )

    @property
    def shape(self) -> Shape:
        """A dot product and nothing else."""
        return Shape(self.settings.factors, self.settings.factors, dot=True, biases=self.settings.biases)


@dataclass(frozen=True)
class DotSettings(SgdMFSettings):
    """Settings of ``Dot``.

    The defaults were chosen on a validation tenth (``hold_out``) of the train part of ``random90`` of ml-1m.
    """

    factors: int = setting(50, 1, 256)
    members: int = setting(1, 1, 16)
    batch: int = setting(8192, 1, 65536)
    rate: float = setting(0.01, 0.000001, 1.0)
    decay: float = setting(0.08, 0.0, 10.0)
    epochs: int = setting(10, 1, 500)


class Dot(Embedded[DotSettings]):
    """``f = p_u . q_i`` with embeddings of 50, fitted to the mean squared error: source 001, on ml-1m.

    The source says no more of it; Adam at its usual rate, batches of 64 and 5 epochs are taken for its settings.
    """

    name = "dot"
    summary = "The product of two embeddings."
    settings_type = DotSettings
    published = DotSettings(epochs=5, **UNTOLD)

    @property
    def shape(self) -> Shape:
        """A dot product and nothing else."""
        return Shape(self.settings.factors, self.settings.factors, dot=True, biases=self.settings.biases)
