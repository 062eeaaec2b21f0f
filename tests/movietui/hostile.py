"""Titles that are out to break a terminal, and a dataset made of them."""

import numpy as np

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
USERS = 25
OCCUPATION = "[b]作家[/b]"


def save_hostile(name: str = "hostile") -> None:
    """Make the titles a dataset under the home at hand, past the reader, which would take the escapes out."""
    import pandas as pd

    from data import cache
    from data.movielens import GENRES, Raw

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
        genre_names=(*GENRES, "[b]Crime[/b]"),
    )
    cache.save_raw(name, raw, {"name": name, "title": "[red]hostile[/red] \x1b[31m", "source": "path", "note": ""})
