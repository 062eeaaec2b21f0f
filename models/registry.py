"""The models by name. To add a model, add a line to ``_CLASSES``."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from movietui.data.near_names import no_such

if TYPE_CHECKING:
    from movietui.models.base import AnyModel

_CLASSES = {
    "popularity": "popularity.Popularity",
    "bias": "bias.Bias",
    "mf": "mf.BiasedMF",
    "als": "als.Als",
    "bayes": "bayes.Bayes",
    "blend": "blend.Blend",
    "demographic": "demographic.Demographic",
    "user-knn": "user_knn.UserKNN",
    "item-knn": "item_knn.ItemKNN",
    "sgd-mf": "embedding_products.SgdMF",
    "deep-mf": "embedding_networks.DeepMF",
    "residual-mf": "embedding_networks.ResidualMF",
    "dot": "embedding_products.Dot",
    "ncf": "embedding_networks.Ncf",
    "autorec": "autorec.AutoRec",
    "hybrid": "embedding_networks.Hybrid",
    "pair": "pair.Pair",
    "ease": "ease.Ease",
    "ials": "ials.Ials",
}
"""For each name, the module in ``movietui.models`` and the class."""


class Registry(Mapping[str, "type[AnyModel]"]):
    """Model classes by name. Looking up a class imports its module; listing the names imports nothing."""

    def __getitem__(self, name: str) -> "type[AnyModel]":
        module, _, kind = _CLASSES[name].partition(".")
        model: type[AnyModel] = getattr(import_module(f"movietui.models.{module}"), kind)
        return model

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)

    def __contains__(self, name: object) -> bool:
        return name in _CLASSES  # the inherited method would import the model


MODELS = Registry()


def check_name(name: str) -> None:
    """Raise ``Problem`` if there is no model with this name."""
    if name not in MODELS:
        raise no_such(f"There is no model {name!r}", name, MODELS, f"choose one of {', '.join(MODELS)}.")
