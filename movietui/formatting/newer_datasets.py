"""The texts of an offer of a dataset with newer movies: why the dataset is offered, what it takes, and what to type."""

import shlex

from movietui.data.language import tr
from movietui.formatting import text
from movietui.models.choices import QUICK
from movietui.protocol.messages import NewerDataset


def reason(newer: NewerDataset) -> str:
    """Return why the dataset is offered.

    ``141 of 174 movies are newer than ml-100k (1998)`` or, without an import, ``ml-100k ends in 1998``.
    """
    if newer["movies"]:
        return tr(
            "{newer:,} of {movies:,} movies are newer than {dataset} ({year})",
            newer=newer["newer"],
            movies=newer["movies"],
            dataset=newer["than"],
            year=newer["than_year"],
        )
    return tr("{dataset} ends in {year}", dataset=newer["than"], year=newer["than_year"])


def offer(newer: NewerDataset) -> str:
    """Return the dataset's last year and what it takes: ``ml-32m goes to 2023 (239 MB, about 11 minutes)``."""
    reach = tr("{dataset} goes to {year}", dataset=newer["dataset"], year=newer["last_year"])
    if newer["state"] == "full":
        free = text.size(newer["free"])
        return tr(
            "{reach}, but it needs {needed} of disk space, and only {free} is free",
            reach=reach,
            needed=text.size(newer["disk"]),
            free=free,
        )
    if newer["state"] == "open":
        return tr("{reach} and is ready", reach=reach)
    download = f"{text.size(newer['download'])}, " if newer["download"] else ""
    return tr(
        "{reach} ({download}about {duration})", reach=reach, download=download, duration=text.about(newer["seconds"])
    )


def commands(newer: NewerDataset, profile: str) -> list[str]:
    """Return the commands that make the profile's list from the dataset; empty if the disk is too full."""
    get, learn = f"movietui data get {newer['dataset']}", f"movietui train {QUICK} --dataset {newer['dataset']}"
    show = f"movietui recommend --profile {shlex.quote(profile)} --dataset {newer['dataset']}"
    return {"get": [get, learn, show], "learn": [learn, show], "open": [show], "full": []}[newer["state"]]
