"""The texts of an offer of a dataset with newer movies: why the dataset is offered, what it takes, and what to type."""

import shlex

from movietui.formatting import text
from movietui.models.choices import QUICK
from movietui.protocol.messages import NewerDataset


def reason(newer: NewerDataset) -> str:
    """Return why the dataset is offered.

    ``141 of 174 movies are newer than ml-100k (1998)`` or, without an import, ``ml-100k ends in 1998``.
    """
    if newer["movies"]:
        return f"{newer['newer']:,} of {newer['movies']:,} movies are newer than {newer['than']} ({newer['than_year']})"
    return f"{newer['than']} ends in {newer['than_year']}"


def offer(newer: NewerDataset) -> str:
    """Return the dataset's last year and what it takes: ``ml-32m goes to 2023 (239 MB, about 11 minutes)``."""
    reach = f"{newer['dataset']} goes to {newer['last_year']}"
    if newer["state"] == "full":
        free = text.size(newer["free"])
        return f"{reach}, but it needs {text.size(newer['disk'])} of disk space, and only {free} is free"
    if newer["state"] == "open":
        return f"{reach} and is ready"
    download = f"{text.size(newer['download'])}, " if newer["download"] else ""
    return f"{reach} ({download}about {text.about(newer['seconds'])})"


def commands(newer: NewerDataset, profile: str) -> list[str]:
    """Return the commands that make the profile's list from the dataset; empty if the disk is too full."""
    get, learn = f"movietui data get {newer['dataset']}", f"movietui train {QUICK} --dataset {newer['dataset']}"
    show = f"movietui recommend --profile {shlex.quote(profile)} --dataset {newer['dataset']}"
    return {"get": [get, learn, show], "learn": [learn, show], "open": [show], "full": []}[newer["state"]]
