"""The model core: fit, predict, rank, fold in, evaluate and save. Never imports textual."""

from models.table import MODELS

__all__ = ["MODELS"]
