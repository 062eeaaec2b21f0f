"""Trained models on disk: a folder with the arrays as safetensors and a manifest as JSON. Never pickle."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from movietui.data.dataset import Dataset, Movies, Scale
from movietui.data.problems import Problem
from movietui.data.storage import atomic_files, disk, strict_json
from movietui.models.base import AnyModel
from movietui.models.choices import FittedOn
from movietui.models.metrics import Metrics
from movietui.models.registry import MODELS, plugin_of

FORMAT = 3
"""The format of a checkpoint; a checkpoint in another one cannot be loaded."""
ARRAYS = "model.safetensors"
MANIFEST = "manifest.json"
LIBRARIES = ("numpy", "safetensors", "torch")


@dataclass(frozen=True)
class Manifest:
    """A description of a checkpoint, read without opening its arrays."""

    model: str
    settings: dict[str, float]
    seed: int
    dataset: str
    cleaning: str
    fingerprint: str
    """``Dataset.fingerprint`` of the dataset that the model was fitted on: the model's rows of users and movies are
    valid only there."""
    scale: dict[str, float]
    unrated: str = ""
    """The digest of the ids of the unrated movies that the model was fitted on; empty if there were none."""
    split: str = ""
    """The split that ``metrics`` were measured on."""
    fitted_on: FittedOn = "all ratings"
    metrics: Metrics = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    checksum: str = ""
    """The checksum of the file with the arrays."""
    package: str = ""
    """The package of the plug-in that has the model; empty for a model of movietui."""
    format: int = FORMAT


def save(
    folder: Path,
    model: AnyModel,
    dataset: Dataset,
    *,
    split: str = "",
    fitted_on: FittedOn = "all ratings",
    metrics: Metrics | None = None,
) -> Manifest:
    """Write a fitted model to a new folder; parent folders are created.

    Writes the folder atomically, without the parameters that are ``only_for_predict``. Raises ``Problem`` if the folder
    exists or cannot be written.
    """
    # safetensors writes the bytes of an array in the order of memory, so a transposed array would be read back wrong.
    arrays = save_arrays({name: np.asarray(values, order="C") for name, values in model.serving_parameters().items()})
    manifest = Manifest(
        model=model.name,
        settings=asdict(model.settings),
        seed=model.seed,
        dataset=dataset.name,
        cleaning=dataset.cleaning,
        fingerprint=dataset.fingerprint,
        scale=asdict(model.scale),
        unrated=_digest_of_unrated(dataset.movies) if len(model.counts) == len(dataset.movies) else "",
        split=split,
        fitted_on=fitted_on,
        metrics={name: value for name, value in (metrics or {}).items() if math.isfinite(value)},
        libraries=_libraries(),
        checksum=disk.checksum(arrays),
        package=plugin.package if (plugin := plugin_of(model.name)) else "",
    )
    if folder.exists():
        raise Problem(f"{folder} already exists, and a checkpoint is never overwritten; choose another folder.")
    facts = asdict(manifest)
    sealed = json.dumps({**facts, "seal": _seal(facts)}, indent=2, allow_nan=False).encode()
    try:
        with atomic_files.new_folder(folder) as draft:
            atomic_files.write_new(draft / ARRAYS, arrays)
            atomic_files.write_new(draft / MANIFEST, sealed)
            atomic_files.sync_folder(draft)
        atomic_files.sync_folder(folder.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Problem(
            f"The model could not be saved in {folder} ({reason}); free some space or choose another folder."
        ) from error
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a checkpoint. Raises ``Problem`` if the manifest is missing, unreadable, damaged or in
    another format."""
    try:
        content: Any = strict_json.loads(disk.read(folder / MANIFEST))
    except FileNotFoundError:
        raise Problem(f"There is no checkpoint in {folder}; train a model first.") from None
    except OSError as error:
        raise Problem(f"{folder / MANIFEST} cannot be read ({error.strerror}); check its permissions.") from error
    except ValueError:
        raise _damaged(folder / MANIFEST) from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise _damaged(folder / MANIFEST)
    if content["format"] > FORMAT:
        raise Problem(f"The checkpoint in {folder} was written by a newer version of movietui; update movietui.")
    if content["format"] < FORMAT:
        raise Problem(f"The checkpoint in {folder} was written by an older version of movietui; train the model again.")
    if content.pop("seal", None) != _seal(content):
        raise _damaged(folder / MANIFEST)
    try:
        manifest = Manifest(**content)
    except TypeError:
        raise _damaged(folder / MANIFEST) from None
    if not _is_valid(manifest):
        raise _damaged(folder / MANIFEST)
    return manifest


def _seal(facts: Mapping[str, object]) -> str:
    """Return the checksum of a manifest. It covers the arrays too, because the manifest contains their checksum."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _is_valid(manifest: Manifest) -> bool:
    """Return whether all fields have valid types and the scale is valid; ``strict_json`` reads only finite numbers."""
    texts = ("unrated", "model", "dataset", "cleaning", "fingerprint", "split", "checksum", "package")
    numbers = (manifest.settings, manifest.scale, manifest.metrics)
    return (
        all(isinstance(getattr(manifest, name), str) for name in texts)
        and manifest.fitted_on in get_args(FittedOn)
        and type(manifest.seed) is int
        and all(
            isinstance(table, dict) and all(isinstance(value, int | float) for value in table.values())
            for table in numbers
        )
        and isinstance(manifest.libraries, dict)
        and set(manifest.scale) == {"low", "high", "step"}
        and manifest.scale["low"] < manifest.scale["high"]
    )


def load(folder: Path, dataset: Dataset) -> tuple[AnyModel, Manifest, Dataset]:
    """Load a model for the dataset that it was fitted on. Imports neither torch nor pandas.

    Returns the model, its manifest, and the dataset that it can serve: without the unrated movies, unless the model was
    fitted on the same ones. Raises ``Problem`` for a checkpoint of another dataset or of other unrated movies, a
    missing, damaged or truncated file, a model that this version and the installed plug-ins lack, and another format.
    """
    manifest = read_manifest(folder)
    if manifest.model not in MODELS:
        lacking = (
            f"the package {manifest.package}, which is not installed; install it or choose another model"
            if manifest.package
            else "a newer version; update movietui"
        )
        raise Problem(f"The checkpoint in {folder} needs the model {manifest.model!r} of {lacking}.")
    if manifest.fingerprint != dataset.fingerprint:
        theirs = _named(manifest.dataset, manifest.cleaning, manifest.fingerprint)
        ours = _named(dataset.name, dataset.cleaning, dataset.fingerprint)
        raise Problem(
            f"The checkpoint in {folder} was trained on {theirs}, not on {ours}; train again on this dataset."
        )
    if manifest.unrated and manifest.unrated != _digest_of_unrated(dataset.movies):
        raise Problem(
            f"The checkpoint in {folder} was trained with other movies from IMDb than {dataset.name} has now; train it "
            "again."
        )
    dataset = dataset if manifest.unrated else dataset.without_unrated()
    try:
        arrays = disk.read(folder / ARRAYS, disk.MAX_FILE_BYTES)
    except OSError as error:
        raise Problem(f"{folder / ARRAYS} cannot be read ({error.strerror}); train the model again.") from error
    if disk.checksum(arrays) != manifest.checksum:
        raise _damaged(folder / ARRAYS)
    kind = MODELS[manifest.model]
    try:
        model = kind(kind.settings_type(**manifest.settings), seed=manifest.seed)
        parameters = load_arrays(arrays)
        model.restore(parameters, Scale(**manifest.scale))
        whole = len(model.counts) == len(dataset.movies) and all(map(_is_finite, parameters.values()))
    except (SafetensorError, TypeError, ValueError, LookupError, AttributeError, Problem):
        raise _damaged(folder / MANIFEST) from None
    if not whole:
        raise _damaged(folder / ARRAYS)
    return model, manifest, dataset


def _digest_of_unrated(movies: Movies) -> str:
    """Return a digest of the ids of the unrated movies; empty if there are none."""
    ids = movies.ids[len(movies) - movies.unrated :]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest() if ids else ""


def _is_finite(values: NDArray[Any]) -> bool:
    """Return whether an array holds neither NaN nor infinity; either would show in its minimum or maximum."""
    if not values.size or values.dtype.kind not in "fc":
        return True
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _named(name: str, cleaning: str, fingerprint: str) -> str:
    return f"{name} (cleaning {cleaning}, {fingerprint[:8]})"


def _damaged(file: Path) -> Problem:
    return Problem(f"{file} is damaged; delete the checkpoint and train the model again.")


def _libraries() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions
