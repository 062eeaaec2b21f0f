"""Trained models on disk: a folder with the arrays as safetensors and a manifest as JSON. Never pickle."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from data.dataset import Dataset, Scale
from data.problems import Problem
from models.metrics import Metrics
from models.model import AnyModel
from models.table import MODELS

FORMAT = 1
ARRAYS = "model.safetensors"
MANIFEST = "manifest.json"
LIBRARIES = ("numpy", "safetensors", "torch")


@dataclass(frozen=True)
class Manifest:
    """What is known of a checkpoint without opening its arrays."""

    model: str
    settings: dict[str, float]
    seed: int
    dataset: str
    cleaning: str
    fingerprint: str
    """Of the dataset, ``Dataset.fingerprint``: rows of users and movies mean nothing in another one."""
    scale: dict[str, float]
    split: str = ""
    """The split that ``metrics`` were measured on."""
    fitted_on: str = ""
    """``train`` or ``all ratings``."""
    metrics: Metrics = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    """Of the file with the arrays."""
    format: int = FORMAT


def save(
    folder: Path,
    model: AnyModel,
    dataset: Dataset,
    *,
    split: str = "",
    fitted_on: str = "",
    metrics: Metrics | None = None,
) -> Manifest:
    """Write a fitted model into a new folder; parent folders are made.

    The folder appears whole or not at all. Raises ``Problem`` if it is there already or cannot be written.
    """
    # safetensors writes the memory of an array as it lies, so that a transposed one would come back wrong.
    arrays = save_arrays({name: np.asarray(values, order="C") for name, values in model.parameters.items()})
    manifest = Manifest(
        model=model.name,
        settings=asdict(model.settings),
        seed=model.seed,
        dataset=dataset.name,
        cleaning=dataset.cleaning,
        fingerprint=dataset.fingerprint,
        scale=asdict(model.scale),
        split=split,
        fitted_on=fitted_on,
        metrics=metrics or {},
        libraries=_libraries(),
        sha256=hashlib.sha256(arrays).hexdigest(),
    )
    if folder.exists():
        raise Problem(f"{folder} is there already; a checkpoint is never overwritten.")
    draft: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        _write(draft / ARRAYS, arrays)
        _write(draft / MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
        _flush(draft)
        draft.rename(folder)
        draft = None
        _flush(folder.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Problem(
            f"The model could not be saved in {folder} ({reason}); make room or choose another place."
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read what a checkpoint says of itself. Raises ``Problem`` if it is missing, damaged or of a newer format."""
    try:
        content: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        raise Problem(f"There is no checkpoint in {folder}; train a model first.") from None
    except OSError as error:
        raise Problem(f"{folder / MANIFEST} cannot be read ({error.strerror}); check its permissions.") from error
    except ValueError:
        raise _damaged(folder / MANIFEST) from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise _damaged(folder / MANIFEST)
    if content["format"] > FORMAT:
        raise Problem(f"The checkpoint in {folder} was written by a newer version of movietui; update this one.")
    try:
        return Manifest(**content)
    except TypeError:
        raise _damaged(folder / MANIFEST) from None


def load(folder: Path, dataset: Dataset) -> tuple[AnyModel, Manifest]:
    """Bring a model back for the dataset that it was fitted on. Imports neither torch nor pandas by itself.

    Raises ``Problem`` for a checkpoint of another dataset, a missing, damaged or truncated file, a model that this
    version does not have, and a newer format.
    """
    manifest = read_manifest(folder)
    if manifest.model not in MODELS:
        raise Problem(f"The checkpoint in {folder} is of a model {manifest.model!r} that this version does not have.")
    if manifest.fingerprint != dataset.fingerprint:
        theirs = _named(manifest.dataset, manifest.cleaning, manifest.fingerprint)
        ours = _named(dataset.name, dataset.cleaning, dataset.fingerprint)
        raise Problem(
            f"The checkpoint in {folder} was trained on {theirs}, not on {ours}; train again on this dataset."
        )
    try:
        arrays = (folder / ARRAYS).read_bytes()
    except OSError as error:
        raise Problem(f"{folder / ARRAYS} cannot be read ({error.strerror}); train the model again.") from error
    if hashlib.sha256(arrays).hexdigest() != manifest.sha256:
        raise _damaged(folder / ARRAYS)
    kind = MODELS[manifest.model]
    try:
        model = kind(kind.settings_type(**manifest.settings), seed=manifest.seed)
        model.restore(load_arrays(arrays), Scale(**manifest.scale))
    except (SafetensorError, TypeError, Problem):
        raise _damaged(folder / MANIFEST) from None
    return model, manifest


def _named(name: str, cleaning: str, fingerprint: str) -> str:
    return f"{name} (cleaning {cleaning}, {fingerprint[:8]})"


def _damaged(file: Path) -> Problem:
    return Problem(f"{file} is damaged; delete the checkpoint and train the model again.")


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush(folder: Path) -> None:
    """Make names in a folder durable; not every system can open a folder, and those need not."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
