"""The models by name: those of movietui, which are in ``_CLASSES``, and those of plug-ins."""

import functools
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from movietui.data import plugins
from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.plugins import Plugin, explained
from movietui.data.problems import Problem

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
    "vae": "vae.Vae",
    "sasrec": "sasrec.SasRec",
}
"""For each name, the module in ``movietui.models`` and the class."""


class Registry(Mapping[str, "type[AnyModel]"]):
    """Model classes by name, with those of plug-ins last.

    Looking up a class imports its module. Listing the names imports nothing.
    """

    def __getitem__(self, name: str) -> "type[AnyModel]":
        """Return a class. Raises ``Problem`` for a plug-in that cannot be used."""
        if name not in _CLASSES:
            return load(plugins.usable("model", _CLASSES.__contains__)[name])
        module, _, kind = _CLASSES[name].partition(".")
        model: type[AnyModel] = getattr(import_module(f"movietui.models.{module}"), kind)
        return model

    def __iter__(self) -> Iterator[str]:
        return iter((*_CLASSES, *plugins.usable("model", _CLASSES.__contains__)))

    def __len__(self) -> int:
        return len(_CLASSES) + len(plugins.usable("model", _CLASSES.__contains__))

    def __contains__(self, name: object) -> bool:
        # The inherited method would import the model.
        return name in _CLASSES or name in plugins.usable("model", _CLASSES.__contains__)

    def __repr__(self) -> str:
        return f"{len(self)} models: {', '.join(self)}"

    def load_all(self) -> "dict[str, type[AnyModel]]":
        """Return the classes of all models. A plug-in that cannot be used is reported and left out."""
        classes = {}
        for name in self:
            try:
                classes[name] = self[name]
            except Problem as problem:
                plugins.report(problem)
        return classes


def declared() -> tuple[Plugin, ...]:
    """Return the models that plug-ins declare, even those that cannot be used."""
    return plugins.declared("model", _CLASSES.__contains__)


def plugin_of(name: str) -> Plugin | None:
    """Return the plug-in that has a model; ``None`` for a model of movietui and for an unknown name."""
    return None if name in _CLASSES else plugins.usable("model", _CLASSES.__contains__).get(name)


@functools.cache
def load(plugin: Plugin) -> "type[AnyModel]":
    """Return a plug-in's class. Raises ``Problem`` if it is not a model that can be listed and made."""
    from movietui.models.base import Model
    from movietui.models.settings import describe

    kind = plugin.load()
    if not (isinstance(kind, type) and issubclass(kind, Model)):
        raise plugin.problem(tr("is not a subclass of movietui.models.Model; update or uninstall the package"))
    if missing := sorted(getattr(kind, "__abstractmethods__", ())):
        raise plugin.problem(tr("lacks the method {method}; update or uninstall the package", method=missing[0]))
    if getattr(kind, "name", None) != plugin.name:
        raise plugin.problem(
            tr("calls itself {name!r}; update or uninstall the package", name=getattr(kind, "name", None))
        )
    with explained(plugin, tr("describe itself")):
        kind.summary.strip()
        describe(kind.settings_type)
        kind()
    return kind


MODELS = Registry()


def check_name(name: str) -> None:
    """Raise ``Problem`` if there is no model with this name."""
    if name not in MODELS:
        known = tr("choose one of {names}.", names=", ".join(MODELS))
        raise no_such(tr("There is no model {model!r}", model=name), name, MODELS, known)
