"""Mutations of valid inputs: of bytes, of text tables, and of JSON documents."""

import json
from random import Random
from typing import Any

TOKENS = (
    b"", b"\0", b"\xff", b"\xc3", b"\x1b[31m", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b'""', b",", b";",
    b"\t", b"|", b"::", b"\n", b"\r", b"\r\n", b"\\N", b"NaN", b"inf", b"-1", b"0", b"1e309", b"9" * 30, b"2147483648",
    b"0.5", b"10", b"tt0000000", b"1899-13-45", b"9999-12-31", b"(1995)", b"A" * 1100, b"../../x", b"'=1+1",
    "漢字é\u0301".encode(), b"[", b"{", b"[[[[[[[[", b"%s", b"\x85", b"\xe2\x80\xa8",
)  # fmt: skip
"""Bytes to insert, or to put in place of the expected ones."""
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 10**30, 0.5, 1e308, float("nan"), float("inf"), "", "x", "\x1b[31m", "\u202e", "\ud800",
    "A" * 5000, "../../../x", [], {}, [None], [[1, 2]], {"a": 1}, [[[[[[[]]]]]]], "1995", -0.0, 2**31, 2**63,
)  # fmt: skip
"""JSON values to put in place of the expected ones."""


def change_bytes(content: bytes, random: Random) -> bytes:
    """Change a few bytes at random positions."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        at = random.randrange(len(changed) + 1)
        end = min(len(changed), at + random.choice((0, 1, 2, 8, 64, 512)))
        match random.randrange(6):
            case 0 if at < len(changed):
                changed[at] = random.randrange(256)
            case 1:
                changed[at:at] = random.choice(TOKENS)
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end]
            case 4:
                changed[at:end] = random.choice(TOKENS)
            case 5 if random.random() < 0.2:
                del changed[at:]
    return bytes(changed)


def change_table(content: bytes, separator: bytes, random: Random) -> bytes:
    """Change cells and lines of a table, and sometimes its bytes."""
    lines = [line.split(separator) for line in content.split(b"\n")]
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        row = random.choice(lines)
        cell = random.randrange(len(row))
        match random.randrange(8):
            case 0 | 1 | 2:
                row[cell] = random.choice(TOKENS)
            case 3:
                row[cell] = change_bytes(row[cell], random)
            case 4:
                row.insert(cell, random.choice(TOKENS))
            case 5 if len(row) > 1:
                del row[cell]
            case 6:
                lines.insert(random.randrange(len(lines)), list(random.choice(lines)))
            case 7:
                row[cell] = random.choice(random.choice(lines))
    whole = b"\n".join(separator.join(row) for row in lines)
    return change_bytes(whole, random) if random.random() < 0.2 else whole


def change_document(document: Any, random: Random) -> Any:
    """Change a JSON document in some places: replace, remove or add values."""
    for _ in range(random.choice((1, 1, 2, 4))):
        document = _changed(document, random)
    return document


def _changed(value: Any, random: Random) -> Any:
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return random.choice(VALUES)
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
    if random.random() < 0.15:
        del changed[key]
    elif isinstance(value, dict) and random.random() < 0.1:
        changed[random.choice(("", "id", "do", "x", "\x1b", "__class__"))] = random.choice(VALUES)
    else:
        changed[key] = _changed(value[key], random)
    return changed


def as_json(document: Any, random: Random) -> bytes:
    """Return a document as JSON, sometimes with damaged bytes; occasionally return only opening brackets instead."""
    content = json.dumps(document).encode()
    if random.random() < 0.02:
        depth = random.choice((100, 5000, 200_000))
        return b"[" * depth if random.random() < 0.5 else b'{"a":' * depth
    return change_bytes(content, random) if random.random() < 0.2 else content
