"""Files that a person asked for: written whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.problems import Problem

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@")
"""What begins a formula; a cell that begins so gets an apostrophe in front, which an import takes off again."""


def write_file(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file whole or not at all; what is there is replaced with ``force`` only.

    Raises ``Problem`` where it cannot be written.
    """
    with whole_file(path.expanduser(), force=force) as temporary:
        temporary.write_bytes(content)


@contextmanager
def whole_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Bring an empty file to write to, which is named ``path`` once the block ends well, and is gone otherwise.

    What is there is replaced with ``force`` only. Raises ``Problem`` where it cannot be written.
    """
    temporary = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:8]}")
    try:
        if path.is_dir():
            raise Problem(f"{path} is a folder; name the file that is to be written.")
        try:
            temporary.open("xb").close()
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            if force:
                temporary.replace(path)
            else:
                _put_in_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise Problem(f"There is a file {path} already; name another one, or replace it with --force.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(f"{path} could not be written: {reason}; name another place.") from None


def _put_in_place(temporary: Path, path: Path) -> None:
    """Give a file its name. Raises ``FileExistsError`` where another has it: unlike a renaming, this replaces none."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as that of a memory stick
        with path.open("xb"):
            temporary.replace(path)
