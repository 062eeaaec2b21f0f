"""The names of the splits, for code that must start fast; ``movietui.data.splits`` makes the splits."""

import os.path
import re

from movietui.data.language import tr
from movietui.data.near_names import no_such
from movietui.data.problems import Problem
from movietui.data.storage import public_demo

SHIPPED = tuple(f"u{fold}" for fold in range(1, 6))
"""The splits that GroupLens ships with ``ml-100k``; no other dataset has them."""
NAMES = (
    *SHIPPED,
    *(f"kfold5-{fold}" for fold in range(5)),
    "random90",
    "random80",
    "latest",
    "latest-global",
    "loo",
    "cold-movies",
    "cold-newest",
    "new-users",
    "strong",
)
WITHOUT_SEED = (*SHIPPED, "latest", "latest-global", "loo", "cold-newest")
"""The splits that are the same for every split seed."""
SUFFIXES = (".csv", ".tsv", ".parquet")
"""A name with such a suffix, also before ``.gz``, is that of a file."""


def is_file(name: str) -> bool:
    """Return whether a split is named by the path of a file. Raises ``Problem`` if it is, in the public demo."""
    if is_path := "/" in name or name.lower().removesuffix(".gz").endswith(SUFFIXES):
        public_demo.refuse_files()
    return is_path


def resolved(name: str) -> str:
    """Return the name of a split; the path of a file becomes absolute, so that a run can be repeated."""
    return os.path.abspath(os.path.expanduser(name)) if is_file(name) else name


def protocol(name: str) -> str:
    """Return the name shared by the splits whose figures may be averaged: ``kfold5`` for its folds, ``u`` for ``u1`` to
    ``u5``, or else the name of the split.

    >>> protocol("kfold5-3"), protocol("u1"), protocol("random80")
    ('kfold5', 'u', 'random80')
    """
    return re.sub(r"^(kfold5)-[0-4]$|^(u)[1-5]$", r"\1\2", name)


def check_name(name: str) -> None:
    """Raise ``Problem`` unless a name is one of ``NAMES``."""
    if name not in NAMES:
        raise no_such(
            tr("There is no split {split!r}", split=name),
            name,
            NAMES,
            tr("choose one of {splits}, or the path of a CSV or Parquet.", splits=", ".join(NAMES)),
        )


def check(name: str, dataset: str) -> None:
    """Raise ``Problem`` if a dataset cannot have a split, as far as their names say. ``name``: one of ``NAMES``, or the
    path of a file, which must exist."""
    if is_file(name):
        if not os.path.isfile(os.path.expanduser(name)):  # unlike Path, it raises nothing for an impossible path
            raise Problem(tr("There is no file {split}; type the name of a split, or the path of a file.", split=name))
        return
    check_name(name)
    if name in SHIPPED and dataset != "ml-100k":
        raise Problem(
            tr(
                "Only ml-100k has the split {split}; for {dataset}, choose another, such as kfold5-0.",
                split=name,
                dataset=dataset,
            )
        )


def check_seed(name: str, seed: int) -> None:
    """Raise ``Problem`` if a split seed is given for a split that is the same with every seed."""
    if seed and (name in WITHOUT_SEED or is_file(name)):
        raise Problem(tr("{split} is the same with every split seed; leave out the split seed.", split=name))
