"""Movies and viewers for the tests of the store, and functions that read ratings, marks and changes."""

from collections.abc import Sequence

from movietui.data.imports.entries import Mark
from movietui.protocol.viewers import ViewerRef, profile
from movietui.store.ratings import Change, Movie, Step, Store

FARGO = Movie("fargo 1996", "Fargo", 1996)
ALIEN = Movie("alien 1979", "Alien", 1979)
BRAZIL = Movie("brazil 1985", "Brazil", 1985)
ANNA = profile("anna")
TOM = profile("tom")


def stars_of(store: Store, ref: ViewerRef) -> dict[str, float]:
    """Return a viewer's stars by title."""
    return {rated.movie.title: rated.stars for rated in store.ratings(ref)}


def undone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    """Undo a step with one change, and return the change, or ``None`` if there is nothing to undo."""
    return only(store.undo(refs))


def redone(store: Store, refs: Sequence[ViewerRef]) -> Change | None:
    return only(store.redo(refs))


def only(step: Step | None) -> Change | None:
    if step is None:
        return None
    (change,) = step.changes
    return change


def marked(store: Store, ref: ViewerRef, *only: Mark) -> list[tuple[str, str]]:
    return [(each.movie.title, each.mark) for each in store.marks(ref, *only)]
