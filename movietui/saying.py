"""What was done, in words for the status line and the History view."""

from movietui import text
from movietui.session import Deleted, Done, Veto
from movietui.store import IMPORT, RATING, Change, Step

MARKING = {
    "watchlist": ("put {} on the watchlist", "took {} off the watchlist"),
    "hidden": ("hid {}", "no longer hid {}"),
    "seen": ("marked {} as seen", "marked {} as not seen"),
    "liked": ("marked {} as liked", "marked {} as not liked"),
}


def did(change: Change) -> str:
    """Return what a change did: ``rated Fargo ★ 4``, ``put Fargo on the watchlist``."""
    if change.kind == RATING:
        stars = f" {text.number_of_stars(change.after)}" if change.after is not None else ""
        return f"{'rated' if stars else 'took back the rating of'} {change.film.title}{stars}"
    return MARKING[change.kind][change.after is None].format(change.film.title)


def called(done: Done, *, taken_back: bool) -> str:
    """Return what was undone or done again: ``Fargo ★ 4``, ``Fargo as seen``, ``an import with 512 changes``."""
    if isinstance(done, Veto):
        return f"the veto of {done.film.title}"
    if isinstance(done, Deleted):
        return f"the deletion of {done.viewer.id}"
    if done.kind == IMPORT:
        return f"an import with {text.plural(len(done.changes), 'change')}"
    (change,) = done.changes
    given = change.before if taken_back else change.after
    if change.kind != RATING:
        return f"{change.film.title} as {change.kind}"
    return change.film.title + (f" {text.number_of_stars(given)}" if given is not None else "")


def about(step: Step) -> str:
    """Return what a step is about: ``Fargo (1996)``, of an import where it came from."""
    if step.kind == IMPORT:
        return step.note
    film = step.changes[0].film
    return f"{film.title} ({film.year})" if film.year else film.title


def recorded(step: Step) -> str:
    """Return a step as the History view lists it: ``★ 3 → ★ 4``, ``+ watchlist``, ``512 changes``."""
    if step.kind == IMPORT:
        return text.plural(len(step.changes), "change")
    (change,) = step.changes
    if change.kind != RATING:
        return f"{'−' if change.after is None else '+'} {change.kind}"
    before, after = (
        "none" if stars is None else text.number_of_stars(stars) for stars in (change.before, change.after)
    )
    return after if change.before is None else f"{before} → {after}"
