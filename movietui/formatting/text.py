"""Small pieces of text for the screens and the command line. Untrusted text is never read as markup."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from movietui.data.language import tr, tr_noun
from movietui.data.near_names import either
from movietui.data.titles import with_year
from movietui.models.choices import orders
from movietui.protocol.viewers import LETTERS

BARS = "▁▂▃▄▅▆▇█"
QUOTED = 40
"""The most cells of typed text that a message quotes."""


def decimals(value: float, digits: int = 2) -> str:
    """Return a number without its leading zero: ``.55``, ``-.55``, ``1.20``."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def figure(value: float | None) -> str:
    """Return a metric as text: a count in full, other metrics with four decimals, and ``None`` as an empty text."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def number_of_stars(value: float) -> str:
    """Return a rating in whole and half stars, in as few cells as possible: ``★ 4½``."""
    halves = round(value * 2)
    whole = str(halves // 2) if halves // 2 or halves == 0 else ""
    return f"★ {whole}{'½' * (halves % 2)}"


def bars(counts: Sequence[int]) -> str:
    """Return a histogram one line high."""
    top = max(counts, default=0)
    return "".join(BARS[math.ceil(count / top * 8) - 1] if count else BARS[0] for count in counts) if top else ""


def dots(share: float, of: int = 5) -> str:
    """Return a share, 0 to 1, as filled and empty dots: ``●●●●○``."""
    full = round(min(1.0, max(0.0, share)) * of)
    return "●" * full + "○" * (of - full)


def thin_bar(done: float, total: float, width: int) -> Text:
    """Return a progress bar one line high, which is empty if the total is unknown (0).

    The app defines the style ``bar``; see ``movietui.ui.theme``.
    """
    if total <= 0:
        return Text("─" * width, style="dim")
    full = int(min(1.0, done / total) * width)
    return Text.assemble(("━" * full, "bar"), ("─" * (width - full), "dim"))


def raters(count: int) -> str:
    """Return how many people rated a movie, in at most six cells; ``new`` if nobody has.

    >>> raters(1234), raters(118_193), raters(0)
    ('1,234', '118k', 'new')
    """
    return (f"{count:,}" if count < 100_000 else f"{count // 1000}k") if count else tr("new")


def size(count: float) -> str:
    """Return a number of bytes in readable units."""
    for unit in ("B", "kB", "MB"):
        if round(count) < 1000:  # the rounded number decides: 999,999 bytes are 1.0 MB
            return f"{count:.0f} {unit}" if unit == "B" or round(count, 1) >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(seconds: float) -> str:
    """Return a duration in readable units."""
    if seconds < 9.95:
        return tr("{seconds:.1f} s", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    return (
        tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest) if minutes else tr("{seconds} s", seconds=rest)
    )


def short_duration(seconds: float) -> str:
    """Return a duration in at most seven cells (below 100 hours): ``2.5 s``, ``42 s``, ``8m 5s``, ``12h 30m``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return duration(seconds)
    hours, within = divmod(minutes, 60)
    return (
        tr("{hours}h {minutes}m", hours=hours, minutes=within)
        if hours
        else tr("{minutes}m {seconds}s", minutes=minutes, seconds=rest)
    )


def about(seconds: float) -> str:
    """Return an estimated duration in whole units, as words: ``20 seconds``, ``3 minutes``, ``2 hours``.

    Seconds are rounded up to a multiple of ten, minutes and hours to the nearest whole number.
    """
    if seconds <= 90:
        return plural(max(1, math.ceil(seconds / 10)) * 10, "second")
    minutes = round(seconds / 60)
    return plural(minutes, "minute") if minutes < 100 else plural(round(minutes / 60), "hour")


def until_list(seconds: float | None) -> str:
    """Return how long the first list of a dataset takes: ``at once`` for 0 seconds, and an empty text if unknown."""
    return "" if seconds is None else about(seconds) if seconds else tr("at once")


def span(first: int | None, last: int | None) -> str:
    """Return a range of years: ``1922–1998``; empty if unknown."""
    return f"{first}–{last}" if first and last else ""


def pace(rate: float, seconds_left: float | None) -> str:
    """Return a download rate and the time left: ``3.1 MB/s, 12 s left``. Unknown parts are left out."""
    known = [f"{size(rate)}/s"] if rate else []
    return ", ".join(
        known + ([tr("{duration} left", duration=duration(seconds_left))] if seconds_left is not None else [])
    )


def moment(at: str) -> str:
    """Return an ISO 8601 time as local time: ``2026-11-21 20:15``."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")


def plural(count: int, word: str) -> str:
    """Return a count with its noun: ``1 rating``, ``1,204 ratings``."""
    return f"{count:,} {tr_noun(count, word)}"


def enumerate_names(names: Sequence[str]) -> str:
    """Return names as in a sentence: ``A, B and C``."""
    return tr(" and ").join(filter(None, [", ".join(names[:-1]), names[-1]]))


def split_title(measured: Mapping[str, Any]) -> str:
    """Return the split of a run or evaluation, with its seed if that is not 0: ``random90, split seed 5``."""
    seed = tr(", split seed {seed}", seed=measured["split_seed"]) if measured["split_seed"] else ""
    return f"{measured['split']}{seed}"


def joined(imdb: str | None) -> str:
    """Return in words whether a dataset was joined with IMDb. ``imdb``: see ``Run.imdb``."""
    if imdb is None:
        return tr("not known whether joined with IMDb")
    return tr("joined with IMDb {fingerprint}", fingerprint=imdb[:8]) if imdb else tr("not joined with IMDb")


def dataset_title(measured: Mapping[str, Any]) -> str:
    """Return the dataset of a run or evaluation and, if it was joined with IMDb, the fingerprint of the join."""
    return f"{measured['dataset']}, {joined(measured['imdb'])}" if measured["imdb"] else measured["dataset"]


def movie_title(movie: Mapping[str, Any]) -> str:
    """Return the ``title`` of a movie with its ``year``: ``Fargo (1996)``."""
    return with_year(str(movie["title"]), movie["year"])


def ordered_by(result: Mapping[str, Any]) -> str:
    """Return what the movies of ``recommend --json`` are ordered by, in words for the viewer."""
    movies = result["movies"]
    has_stars = not movies or movies[0]["stars"] is not None
    return orders(has_stars=has_stars)[result["order"]]


def rated_and_marked(rated: Sequence[float], marked: Sequence[str]) -> str:
    """Return as text each viewer's rating of a movie (0 for none) and mark (empty for none).

    >>> rated_and_marked([4.5], ["watchlist"]), rated_and_marked([4, 0, 0], ["", "", "hidden"])
    ('★ 4½ watchlist', 'A ★ 4  C hidden')
    """
    each = [
        " ".join(([number_of_stars(stars)] if stars else []) + ([mark] if mark else []))
        for stars, mark in zip(rated, marked, strict=True)
    ]
    if len(each) == 1:
        return each[0]
    return "  ".join(f"{letter} {what}" for letter, what in zip(LETTERS, each, strict=False) if what)


def nothing_matches(words: str, kinds: Sequence[str]) -> str:
    """Return a sentence saying that a search found nothing of these kinds.

    >>> nothing_matches("xyz", ("movie", "director", "user"))
    "No movie, director or user matches 'xyz'."
    """
    quoted = words if cell_len(words) <= QUOTED else cut(words, QUOTED)
    return tr("No {kinds} matches {words!r}.", kinds=either(kinds), words=quoted)


def person(facts: Mapping[str, Any]) -> str:
    """Return what is known about a user of a dataset: ``28 M writer``. Unknown facts are left out."""
    age = [f"{facts['age']:>2}"] if facts.get("age") else []
    return " ".join([*age, *(str(facts[name]) for name in ("gender", "occupation") if facts.get(name))])


def describe_table(table: Mapping[str, Any]) -> list[str]:
    """Return lines on how a table of an import is read: its scale, its columns and the ignored columns."""
    scale = ""
    if table["scale"]:
        by = {"stated": "", "assumed": tr(" (assumed)"), "chosen": tr(" (as you chose)")}[table["scale_by"]]
        scale = tr("ratings up to {scale}{by}", scale=table["scale"], by=by)
    read = [
        name if name.casefold() == what else tr("{column} as {meaning}", column=name, meaning=what)
        for name, what in table["columns"].items()
    ]
    columns = tr("read: {columns}", columns=", ".join(read)) if read else ""
    lines = [f"{table['file']}: {'; '.join(part for part in (scale, columns) if part)}"] if scale or columns else []
    return lines + (
        [tr("Ignored columns: {columns}", columns=", ".join(table["not_read"]))] if table["not_read"] else []
    )


def cut(text: str, width: int, *, right: bool = False) -> str:
    """Return text exactly ``width`` cells wide, cut with an ellipsis if it is longer."""
    missing = width - cell_len(text)
    if missing < 0:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * missing + text if right else text + " " * missing


def longest_fitting(width: int, *wordings: str) -> str:
    """Return the first of some wordings, the longest first, that is at most ``width`` cells wide, or else the last."""
    return next((words for words in wordings if cell_len(words) <= width), wordings[-1])


def fitted(text: str | Text, width: int, *, right: bool = False) -> Text:
    """Return Rich text exactly ``width`` cells wide, cut with an ellipsis if it is longer."""
    copy = Text(text) if isinstance(text, str) else text.copy()
    copy.no_wrap, width = True, max(0, width)  # on a narrow line, the width left may be negative
    copy.truncate(width, overflow="ellipsis" if width else "crop")
    missing = width - copy.cell_len
    if missing > 0 and right:
        return Text(" " * missing) + copy
    copy.pad_right(max(0, missing))
    return copy
