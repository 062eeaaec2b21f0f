"""Small pieces of text that several screens draw, as Rich text: nothing from outside is ever read as markup."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

BARS = "▁▂▃▄▅▆▇█"


def decimals(value: float, digits: int = 2) -> str:
    """Return a number the way lists show small ones: ``.55``, ``-.55``, ``1.20``."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def number_of_stars(value: float) -> str:
    """Return a rating in the least room: ``★ 4½``."""
    halves = round(value * 2)
    whole = str(halves // 2) if halves // 2 or halves == 0 else ""
    return f"★ {whole}{'½' * (halves % 2)}"


def bars(counts: Sequence[int]) -> str:
    """Return a histogram a line high."""
    top = max(counts, default=0)
    return "".join(BARS[math.ceil(count / top * 8) - 1] if count else BARS[0] for count in counts) if top else ""


def dots(share: float, of: int = 5) -> str:
    """Return a share as filled and empty dots: ``●●●●○``."""
    full = round(min(1.0, max(0.0, share)) * of)
    return "●" * full + "○" * (of - full)


def thin_bar(done: float, total: float, width: int) -> Text:
    """Return a progress bar a line high; with an unknown end it shows no share."""
    if total <= 0:
        return Text("─" * width, style="dim")
    full = int(min(1.0, done / total) * width)
    return Text.assemble(("━" * full, "bold"), ("─" * (width - full), "dim"))


def size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if round(count) < 1000:  # as it is shown: 999,999 bytes are 1.0 MB
            return f"{count:.0f} {unit}" if unit == "B" or round(count, 1) >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(seconds: float) -> str:
    """Return a time span for people."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def short_duration(seconds: float) -> str:
    """Return a time span in seven cells, for columns: ``2.5 s``, ``42 s``, ``8m 5s``, ``12h 30m``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return duration(seconds)
    hours, within = divmod(minutes, 60)
    return f"{hours}h {within}m" if hours else f"{minutes}m {rest}s"


def pace(rate: float, seconds_left: float | None) -> str:
    """Return how fast bytes go and how long they still take: ``3.1 MB/s, 12 s left``. What is not known is left out."""
    known = [f"{size(rate)}/s"] if rate else []
    return ", ".join(known + ([f"{duration(seconds_left)} left"] if seconds_left is not None else []))


def moment(at: str) -> str:
    """Return a moment, ISO 8601, as the clock here had it: ``2026-11-21 20:15``."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M")


def plural(count: int, word: str) -> str:
    """Return a count with its word: ``1 rating``, ``1,204 ratings``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def person(facts: Mapping[str, Any]) -> str:
    """Return what is known of a user of a dataset: ``28 M writer``; what is not known is left out."""
    age = [f"{facts['age']:>2}"] if facts.get("age") else []
    return " ".join([*age, *(str(facts[name]) for name in ("gender", "occupation") if facts.get(name))])


def cut(text: str, width: int, *, right: bool = False) -> str:
    """Return text that fills exactly the width in cells, cut with an ellipsis where it is longer."""
    missing = width - cell_len(text)
    if missing < 0:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * missing + text if right else text + " " * missing


def fitted(text: str | Text, width: int, *, right: bool = False) -> Text:
    """Return text that fills exactly the width in cells, cut with an ellipsis where it is longer."""
    copy = Text(text) if isinstance(text, str) else text.copy()
    copy.no_wrap = True
    copy.truncate(width, overflow="ellipsis" if width else "crop")
    missing = width - copy.cell_len
    if missing > 0 and right:
        return Text(" " * missing) + copy
    copy.pad_right(max(0, missing))
    return copy
