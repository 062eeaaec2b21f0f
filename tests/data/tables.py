"""Writes invented tables of ratings, with ids of any kind and on any scale."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

USERS = 30
ITEMS = 40

Rated = tuple[str, str, int, int]


def rated(seed: int = 4, share: float = 0.5) -> list[Rated]:
    """Return ratings from 1 to 5 that depend on taste, as user, item, rating and time; the ids are words."""
    random = np.random.RandomState(seed)
    taste = random.normal(0, 0.9, (USERS, 2)) @ random.normal(0, 0.9, (2, ITEMS)) + random.normal(0, 0.6, ITEMS)
    whole = np.clip(np.round(3.2 + taste), 1, 5).astype(int)
    user, item = np.nonzero(random.random_sample(whole.shape) < share)
    rows = [
        (f"Us-{one:02d}", f"it_{other}é", int(whole[one, other]), 900_000_000 + int(random.randint(10**7)))
        for one, other in zip(user.tolist(), item.tolist(), strict=True)
    ]
    random.shuffle(rows)
    return rows


def lines(header: Sequence[str], rows: Sequence[Sequence[Any]], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Return a table as text; an empty header is left out."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([header, *rows] if header else rows)
    return text.getvalue().encode(encoding)


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], separator: str = ",") -> Path:
    path.write_bytes(lines(header, rows, separator))
    return path


def on_scale(low: float, high: float, rows: Sequence[Rated] | None = None) -> list[tuple[str, str, float, int]]:
    """Return ratings whose values from 1 to 5 are spread evenly over another scale."""
    return [(user, item, low + (stars - 1) / 4 * (high - low), time) for user, item, stars, time in rows or rated()]
