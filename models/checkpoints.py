"""Trained models on disk: a folder with the arrays as safetensors and a manifest as JSON. Never pickle."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays

from movietui.data.dataset import Dataset, Movies, Scale
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.data.storage import atomic_files, disk, strict_json
from movietui.data.versions import version_of
from movietui.models.base import AnyModel, Parameters
from movietui.models.choices import FittedOn
from movietui.models.metrics import Metrics
from movietui.models.registry import MODELS, plugin_of
from movietui.models.training.threads import meanwhile

FORMAT = 6
"""The format of a checkpoint; a checkpoint in another one cannot be loaded."""
ARRAYS = "model.safetensors"
MANIFEST = "manifest.json"
LIBRARIES = ("numpy", "safetensors", "torch")
KINDS = {
    "BOOL": np.dtype(np.bool_),
    **{f"{letter}{8 * size}": np.dtype(f"<{kind}{size}") for letter, kind in ("Ii", "Uu") for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
}
"""The types of arrays, by their names in a safetensors file."""


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
        raise Problem(
            tr("{folder} already exists, and a checkpoint is never overwritten; choose another folder.", folder=folder)
        )
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
            tr(
                "The model could not be saved in {folder} ({reason}); free some space or choose another folder.",
                folder=folder,
                reason=reason,
            )
        ) from error
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a checkpoint. Raises ``Problem`` if the manifest is missing, unreadable, damaged or in
    another format."""
    try:
        content: Any = strict_json.loads(disk.read(folder / MANIFEST))
    except FileNotFoundError:
        raise Problem(tr("There is no checkpoint in {folder}; train a model first.", folder=folder)) from None
    except OSError as error:
        raise Problem(
            tr(
                "{file} cannot be read ({reason}); check its permissions.",
                file=folder / MANIFEST,
                reason=error.strerror,
            )
        ) from error
    except ValueError:
        raise _damaged(folder / MANIFEST) from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise _damaged(folder / MANIFEST)
    if content["format"] > FORMAT:
        raise Problem(
            tr(
                "The checkpoint in {folder} was written by a newer version of movietui; update movietui.",
                folder=folder,
            )
        )
    if content["format"] < FORMAT:
        raise Problem(
            tr(
                "The checkpoint in {folder} was written by an older version of movietui; train the model again.",
                folder=folder,
            )
        )
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


class Checkpoint:
    """A checkpoint on disk. Another thread checks its arrays, so that the dataset can be loaded meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Raises ``Problem`` like ``read_manifest``."""
        self.manifest = read_manifest(folder)
        self._folder = folder
        self._arrays = meanwhile(lambda: _read_arrays(folder / ARRAYS, self.manifest.checksum))

    def load(self, dataset: Dataset) -> tuple[AnyModel, Dataset]:
        """Load the model for the dataset that it was fitted on. Imports neither torch nor pandas.

        Returns the model, and the dataset that it can serve: without the unrated movies, unless the model was fitted on
        the same ones. Raises ``Problem`` for a checkpoint of another dataset or of other unrated movies, a missing,
        damaged or truncated file, a model that this version and the installed plug-ins lack, and another format.
        """
        folder, manifest = self._folder, self.manifest
        if manifest.model not in MODELS:
            lacking = (
                tr(
                    "the package {package}, which is not installed; install it or choose another model",
                    package=manifest.package,
                )
                if manifest.package
                else tr("a newer version; update movietui")
            )
            raise Problem(
                tr(
                    "The checkpoint in {folder} needs the model {model!r} of {source}.",
                    folder=folder,
                    model=manifest.model,
                    source=lacking,
                )
            )
        if manifest.fingerprint != dataset.fingerprint:
            theirs = _named(manifest.dataset, manifest.cleaning, manifest.fingerprint)
            ours = _named(dataset.name, dataset.cleaning, dataset.fingerprint)
            raise Problem(
                tr(
                    "The checkpoint in {folder} was trained on {theirs}, not on {ours}; train again on this dataset.",
                    folder=folder,
                    theirs=theirs,
                    ours=ours,
                )
            )
        if manifest.unrated and manifest.unrated != _digest_of_unrated(dataset.movies):
            raise Problem(
                tr(
                    "The checkpoint in {folder} was trained with other movies from IMDb than {dataset} has now; train "
                    "it again.",
                    folder=folder,
                    dataset=dataset.name,
                )
            )
        dataset = dataset if manifest.unrated else dataset.without_unrated()
        kind = MODELS[manifest.model]
        try:
            model = kind(kind.settings_type(**manifest.settings), seed=manifest.seed)
        except (TypeError, Problem):
            raise _damaged(folder / MANIFEST) from None
        if not restore(model, self._arrays.result(), Scale(**manifest.scale), len(dataset.movies)):
            raise _damaged(folder / ARRAYS)
        return model, dataset


def load(folder: Path, dataset: Dataset) -> tuple[AnyModel, Manifest, Dataset]:
    """Load a model for a dataset that is loaded already: what ``Checkpoint.load`` returns, and the manifest."""
    checkpoint = Checkpoint(folder)
    model, served = checkpoint.load(dataset)
    return model, checkpoint.manifest, served


def restore(model: AnyModel, parameters: Parameters, scale: Scale, movies: int) -> bool:
    """Load parameters from a file into a model; return whether the model accepts them, and they are for this number of
    movies."""
    try:
        model.restore(parameters, scale)
        return len(model.counts) == movies
    except (TypeError, ValueError, LookupError, AttributeError, Problem):
        return False


def _read_arrays(file: Path, checksum: str) -> Parameters:
    """Return the arrays in a safetensors file. Raises ``Problem`` if it cannot be read, has another checksum, is not
    valid, or has a number that is not finite."""
    try:
        content = disk.mapped(file)
    except OSError as error:
        raise Problem(
            tr("{file} cannot be read ({reason}); train the model again.", file=file, reason=error.strerror)
        ) from error
    if disk.checksum(content) != checksum:
        raise _damaged(file)
    try:
        arrays = _arrays_in(content)
    except (TypeError, ValueError, LookupError, AttributeError):
        raise _damaged(file) from None
    if not all(map(is_finite, arrays.values())):
        raise _damaged(file)
    return arrays


def _arrays_in(content: memoryview) -> Parameters:
    """Return the arrays in the content of a safetensors file as parts of it, which cannot be written to.

    The safetensors library copies them, which takes longer than to read the file. Its first eight bytes are the size of
    a JSON document, which says which of the bytes that follow it are which array
    (https://huggingface.co/docs/safetensors). Raises ``TypeError``, ``ValueError``, ``LookupError`` or
    ``AttributeError`` if the content is not valid.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = strict_json.loads(bytes(content[8:start]))
    header.pop("__metadata__", None)
    data = np.frombuffer(content, np.uint8)[start:]
    return {
        name: data[slice(*facts["data_offsets"])].view(KINDS[facts["dtype"]]).reshape(facts["shape"])
        for name, facts in header.items()
    }


def _digest_of_unrated(movies: Movies) -> str:
    """Return a digest of the ids of the unrated movies; empty if there are none."""
    ids = movies.ids[len(movies) - movies.unrated :]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest() if ids else ""


def is_finite(values: NDArray[Any]) -> bool:
    """Return whether an array holds neither NaN nor infinity."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(all="ignore"):
        # One fast pass: NaN and infinity would show in the sum of squares. But it may also be too large.
        return bool(np.isfinite(np.vdot(values, values)) or np.isfinite(values).all())


def _named(name: str, cleaning: str, fingerprint: str) -> str:
    return tr(
        "{dataset} (cleaning {cleaning}, {fingerprint})", dataset=name, cleaning=cleaning, fingerprint=fingerprint[:8]
    )


def _damaged(file: Path) -> Problem:
    return Problem(tr("{file} is damaged; delete the checkpoint and train the model again.", file=file))


def _libraries() -> dict[str, str]:
    installed = {library: version for library in LIBRARIES if (version := version_of(library))}
    return {"python": platform.python_version(), **installed}
