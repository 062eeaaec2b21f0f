"""The models that can be fitted on a cluster."""

from collections.abc import Callable, Mapping
from typing import Any

from movietui.data.near_names import no_such
from movietui.models.base import AnyModel, Parameters
from movietui.models.cluster.als import fit_als, fit_ials
from movietui.models.cluster.bayes import fit_bayes
from movietui.models.cluster.effects import fit_bias, fit_popularity
from movietui.models.cluster.mf import fit_mf
from movietui.models.cluster.networks import NETWORKS, network_fit
from movietui.models.cluster.partitions import Partitions
from movietui.models.cluster.products import fit_ease, fit_item_knn
from movietui.models.registry import MODELS
from movietui.models.settings import Settings

FITS: Mapping[str, Callable[[Partitions, Any, int], Parameters]] = {
    "popularity": fit_popularity,
    "bias": fit_bias,
    "mf": fit_mf,
    "bayes": fit_bayes,
    "als": fit_als,
    "item-knn": fit_item_knn,
    "ease": fit_ease,
    "ials": fit_ials,
    **{name: network_fit(name) for name in NETWORKS},
}
"""For each model, a function that takes the ratings, the settings and the seed, and returns the parameters.

Parameters with a row for each user have only the row of an unknown user, because users stay on the cluster and are
folded in.
"""


def check_name(name: str) -> None:
    """Raise ``Problem`` if no model with this name can be fitted on a cluster."""
    if name not in FITS:
        known = f"choose one of {', '.join(FITS)}."
        raise no_such(f"There is no model {name!r} on a cluster", name, FITS, known)


def fit(name: str, train: Partitions, settings: Settings, seed: int) -> AnyModel:
    """Return a model fitted on the ratings of a train part."""
    model = MODELS[name](settings, seed=seed)
    model.restore({**FITS[name](train, settings, seed), "counts": train.counts}, train.dataset.scale)
    return model
