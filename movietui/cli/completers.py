"""The names that a shell can complete: datasets, models, profiles, lists, runs and movies.

Each function is the ``shell_complete`` of a parameter. A person waits for them while typing, so they read only what is
on disk, create nothing, and offer nothing if something is wrong.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from movietui.data.storage import locations, name_index

if TYPE_CHECKING:
    from movietui.store.ratings import Store

MOST_NAMES = 50
"""How many names are offered at most."""
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completes(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    """Decorator: turn a function that returns names into the ``shell_complete`` of a parameter.

    Names with control characters are left out: no shell script could pass them on whole.
    """

    @functools.wraps(names)
    def complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        try:
            matching = [name for name in beginning(names(context), typed) if name.isprintable()]
        except Exception:
            return []
        if len(matching) > MOST_NAMES:
            # The first and the last have no more letters in common than all have, so bash inserts no letter too many.
            ordered, step = sorted(matching, key=str.casefold), (len(matching) - 1) / (MOST_NAMES - 1)
            matching = [ordered[round(step * position)] for position in range(MOST_NAMES)]
        return [CompletionItem(name) for name in matching]

    return complete


def beginning(names: Iterable[str], typed: str) -> list[str]:
    """Return the names that begin with what is typed, in any case."""
    size, folded = len(typed), typed.casefold()
    return [name for name in names if name[:size].casefold() == folded]


@contextlib.contextmanager
def _store() -> Iterator[Store]:
    from movietui.store.ratings import Store

    store = Store(locations.store(), to_read=True)
    try:
        yield store
    finally:
        store.close()


@_completes
def datasets(context: click.Context) -> Iterable[str]:
    """Complete the datasets that can be fetched, and those on disk."""
    from movietui.data.fetch.sources import SOURCES

    return dict.fromkeys([*SOURCES, *locations.stored_datasets()])


@_completes
def stored_datasets(context: click.Context) -> Iterable[str]:
    """Complete the datasets on disk."""
    return locations.stored_datasets()


@_completes
def models(context: click.Context) -> Iterable[str]:
    """Complete the models, also those of plug-ins."""
    from movietui.models.registry import MODELS

    return MODELS


@_completes
def cluster_models(context: click.Context) -> Iterable[str]:
    """Complete the models that can be trained on a cluster."""
    from movietui.models.choices import CLUSTER_MODELS

    return CLUSTER_MODELS


@_completes
def profiles(context: click.Context) -> Iterable[str]:
    """Complete the profiles."""
    with _store() as store:
        return [ref.id for ref, _ in store.profiles()]


@_completes
def users(context: click.Context) -> Iterable[str]:
    """Complete the users of the dataset that is named before them, else of the one in use."""
    return _names_in_dataset(context, name_index.USERS)


@_completes
def settings(context: click.Context) -> Iterable[str]:
    """Complete the names of the settings of the models that are named before them, each with an equals sign."""
    from movietui.models.registry import MODELS
    from movietui.models.settings import describe

    # After an option that still lacks its value, click leaves the arguments unparsed.
    named: Any = context.args or context.params.get("models") or [_option(context, "model")]
    models = [MODELS[name] for name in named if name in MODELS]
    return dict.fromkeys(f"{each.name}=" for model in models for each in describe(model.settings_type))


@_completes
def runs(context: click.Context) -> Iterable[str]:
    """Complete the numbers of the runs, the newest first."""
    with _store() as store:
        return [str(run.id) for run in store.runs()]


@_completes
def named_lists(context: click.Context) -> Iterable[str]:
    """Complete the lists of the profile that is named before them."""
    with _store() as store:
        ref = store.find_profile(_option(context, "name"))
        return [name for name, _ in store.lists(ref)] if ref else []


@_completes
def movies(context: click.Context) -> Iterable[str]:
    """Complete the movies of the dataset that is named before them, else of the one in use."""
    return _names_in_dataset(context, name_index.MOVIES)


def _names_in_dataset(context: click.Context, file: str) -> Iterable[str]:
    from movietui.cli.output import dataset_named

    with _store() as store:
        dataset = dataset_named(store, _option(context, "dataset"))
        return name_index.read(dataset, store.cleaning_of(dataset), file)


def _option(context: click.Context, name: str) -> str:
    """Return the value of an option of a command, or of the group that it is in."""
    contexts: list[Any] = [context, context.parent]
    return next((value for each in contexts if each and (value := each.params.get(name))), "")
