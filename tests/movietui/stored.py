"""Films and people for the tests of the store, and what it holds of them."""

from collections.abc import Sequence

from data.imports.entries import Mark
from movietui.store import Change, Film, Step, Store
from movietui.viewers import ViewerRef, profile

FARGO = Film("fargo 1996", "Fargo", 1996)
ALIEN = Film("alien 1979", "Alien", 1979)
BRAZIL = Film("brazil 1985", "Brazil", 1985)
ANNA = profile("anna")
TOM = profile("tom")


def given(store: Store, ref: ViewerRef) -> dict[str, float]:
    return {rated.film.title: rated.stars for rated in store.ratings(ref)}


def undone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    """Undo a step of one change."""
    return only(store.undo(refs))


def redone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    return only(store.redo(refs))


def only(step: Step | None) -> Change | None:
    if step is None:
        return None
    (change,) = step.changes
    return change


def marked(store: Store, ref: ViewerRef, *only: Mark) -> list[tuple[str, str]]:
    return [(each.film.title, each.mark) for each in store.marks(ref, *only)]
