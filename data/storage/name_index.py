"""The names of a cleaned dataset's movies and users as lines of text, which a shell completes.

The files lie in the folder of the cleaned tables and are written with it, so they are never older or newer than these.
A person waits for them while typing: reading them imports neither numpy nor pyarrow, which takes longer than the rest.
"""

import contextlib
import json
from collections.abc import Iterable

from movietui.data.storage import disk, locations, strict_json
from movietui.data.titles import with_year

MOVIES, USERS = "movies.txt", "users.txt"


def titles(names: Iterable[str], years: Iterable[int]) -> list[str]:
    """Return titles as people see and type them, with their years."""
    return [with_year(title, year) for title, year in zip(names, years, strict=True)]


def lines(digest: str, cleaning: str, names: Iterable[str]) -> bytes:
    """Return a file of names: a line that says what they were made from, and a line for each.

    ``digest``: of the raw tables. ``cleaning``: as text. Names that are not printable are left out: no shell could pass
    them on whole.
    """
    body = "".join(f"{name}\n" for name in names if name.isprintable()).encode()
    head = {"raw": digest, "cleaning": cleaning, "checksum": disk.checksum(body)}
    return json.dumps(head).encode() + b"\n" + body


def read(dataset: str, cleaning: str, file: str) -> list[str]:
    """Return the names in ``MOVIES`` or ``USERS`` of a dataset that is cleaned like this, in the order of its tables.

    Return none if the dataset is not on disk, not cleaned yet, or damaged: nothing is generated, cleaned or written.
    """
    folder = locations.dataset(dataset)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        digest = strict_json.loads(disk.read(folder / "dataset.json"))["raw"]
        # The newest first, because an earlier version of the rules may have cleaned the dataset, too.
        for path in sorted(folder.glob(f"*/{file}"), key=lambda path: path.stat().st_mtime, reverse=True):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                head, _, body = disk.read(path).partition(b"\n")
                made_from = {"raw": digest, "cleaning": cleaning, "checksum": disk.checksum(body)}
                if strict_json.loads(head) == made_from:
                    return body.decode().split("\n")[:-1]
    return []
