"""Titles that try to break a terminal, a dataset with these titles, and a way to fill a store with such text."""

import re
import sqlite3
from pathlib import Path

import numpy as np

from movietui.data.safe_text import INVISIBLE
from movietui.data.tags import MAX_LENGTH

RAW = re.compile(f"(?!\n)(?:{INVISIBLE.pattern})")
"""Matches what must not reach a terminal: every invisible character except a line feed."""
POISON = (
    "pwn\x1b[31m\x1b]0;owned\x9b2J\u202e\u2066\u200b\u200d\ufe0f\ufeff\x7f\x85\u2028\U000e0041[b]x[/b]<img src=x>|"
    "[a](http://example.org)"
)
"""A text with every kind of hostile character. Tests recognise it by the word pwn."""
POISONED = {
    "viewers": {"name": "name = 'anna'"},
    "ratings": {"title": ""},
    "marks": {"title": ""},
    "listed": {"title": "", "note": ""},
    "steps": {"note": ""},
    "changes": {"title": ""},
    "runs": {**dict.fromkeys(("name", "note"), ""), **dict.fromkeys(("device", "problem", "cleaning"), "id = 2")},
}
"""The columns of a store that can hold text from outside, each with a condition for its rows, or an empty text for all
rows."""

TITLES = (
    "[red]x[/red]",
    "Foo [/b]",
    "[REC]²",
    "[",
    "]]",
    "[@click=app.quit]quit[/]",
    "七人の侍と千と千尋の神隠しと東京物語と羅生門",
    "\x1b[31mred\x1b[0m and \x1b]0;owned\x07gone",
    "\x1b[2Jcleared",
    "\x9b31mC1",
    "bell\x07 and back\x08space",
    "two\nlines\tand\ra tab",
    "bidi \u202eesrever\u202c",
    "👩‍👩‍👧 🇩🇪 👍🏽 emoji",
    "e\u0301\u0301\u0301 combining",
    "X" * 300,
    "漢" * 150,
    "{braces} %s $HOME `x`",
    "<b>html</b> &amp;",
    "Movie: " + "[bold]" * 20,
)
TAGS = tuple(title for title in TITLES if len(title) <= MAX_LENGTH)
USERS = 25
OCCUPATION = "[b]作家[/b]\u202e\x1b[31m"


def save_hostile(name: str = "hostile") -> None:
    """Save a dataset with these titles in the current home, without the reader, which removes control characters."""
    import pandas as pd

    from movietui.data.movielens.release import GENRES_100K, Raw, RawTags
    from movietui.data.storage import cache

    random = np.random.RandomState(4)
    movies = [i + 1 for i in range(len(TITLES))]
    pairs = [(user, movie) for user in range(1, USERS + 1) for movie in movies if random.random_sample() < 0.4]
    raw = Raw(
        ratings=pd.DataFrame(
            {
                "user_id": np.asarray([user for user, _ in pairs], np.int64),
                "movie_id": np.asarray([movie for _, movie in pairs], np.int64),
                "stars": random.randint(1, 6, len(pairs)).astype(np.float64),
                "time": np.arange(880_000_000, 880_000_000 + len(pairs), dtype=np.int64),
            }
        ),
        movies=pd.DataFrame(
            {
                "movie_id": np.asarray(movies, np.int64),
                "title": pd.Series([f"{title} (1995)" for title in TITLES], dtype="str"),
                "release_date": pd.Series(["1995-01-01"] * len(movies), dtype="str"),
                "genres": pd.Series(["Drama|[b]Crime[/b]"] * len(movies), dtype="str"),
            }
        ),
        users=pd.DataFrame(
            {
                "user_id": np.arange(1, USERS + 1, dtype=np.int64),
                "age": np.full(USERS, 30, np.int64),
                "gender": pd.Series(["F"] * USERS, dtype="str"),
                "occupation": pd.Series([OCCUPATION] * USERS, dtype="str"),
                "zip_code": pd.Series(["00000"] * USERS, dtype="str"),
            }
        ),
        genre_names=(*GENRES_100K, "[b]Crime[/b]"),
        tags=RawTags(
            TAGS,
            np.repeat(np.asarray(movies, np.int32), 2),
            np.asarray([(tag + movie) % len(TAGS) for movie in movies for tag in (0, 1)], np.int32),
            np.full(2 * len(movies), 0.9, np.float32),
        ),
    )
    cache.save_raw(name, raw, {"name": name, "title": f"[red]hostile[/red] {POISON}", "source": "path", "note": ""})


def poison(store: Path) -> None:
    """Put hostile text into the columns of ``POISONED``, as somebody else's backup may contain it."""
    with sqlite3.connect(store) as database:
        for table, columns in POISONED.items():
            for column, condition in columns.items():
                database.execute(
                    f"UPDATE {table} SET {column} = ? || {column} {condition and 'WHERE ' + condition}", (POISON,)
                )
