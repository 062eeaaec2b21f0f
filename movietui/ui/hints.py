"""Remembers the hints that were shown, so that a click on a hint can press its key."""

from rich.cells import cell_len

Keys = tuple[tuple[str, str], ...]
"""The keys that a hint names: how each is shown, and how Textual names it."""
MOST = 500
"""The most hints that are remembered. Hints may contain typed text, so there may be any number of them."""


class Hints:
    """The hints shown so far, by their text."""

    def __init__(self) -> None:
        self._keys: dict[str, Keys] = {}

    def add(self, shown: str, keys: Keys) -> None:
        """Remember a hint."""
        if self._keys.get(shown) != keys:
            self._keys.pop(shown, None)
            self._keys[shown] = keys
            if len(self._keys) > MOST:
                del self._keys[next(iter(self._keys))]

    def key_at(self, line: str, cell: int) -> str:
        """Return the key of the hint at a cell of a drawn line; empty if there is no hint.

        >>> hints = Hints()
        >>> hints.add("u undo", (("u", "u"),))
        >>> hints.key_at("rated Fargo ★ 5 · u undo", 20), hints.key_at("rated Fargo ★ 5 · u undo", 8)
        ('u', '')
        """
        index = _index(line, cell)
        for shown in sorted(self._keys, key=len, reverse=True):
            start = line.find(shown)
            while start >= 0:
                end = start + len(shown)
                if start <= index < end and _stands_alone(line, start, end):
                    return _key_in(self._keys[shown], index - start)
                start = line.find(shown, start + 1)
        return ""


def _index(line: str, cell: int) -> int:
    """Return the index of the character at a cell."""
    for index, character in enumerate(line):
        cell -= cell_len(character)
        if cell < 0:
            return index
    return len(line)


def _stands_alone(line: str, start: int, end: int) -> bool:
    """Return whether no letter or digit comes directly before or after a part of a line."""
    return not (line[start - 1 : start].isalnum() or line[end : end + 1].isalnum())


def _key_in(keys: Keys, offset: int) -> str:
    """Return the key at an offset of a hint. In the words after the keys, it is the first key."""
    for shown, key in keys:
        offset -= len(shown) + 1
        if offset < 0:
            return key
    return keys[0][1] if keys else ""
