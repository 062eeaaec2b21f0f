"""Unpacks a member of a zip archive piece by piece, and does not trust what the archive says about its size.

For each piece of packed bytes, ``zipfile`` unpacks everything in it, which may be a thousand times as much. Here, each
unpacked piece has a limited size, and unpacking stops as soon as the member turns out larger than the archive says.
"""

import bz2
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol

_LOCAL = struct.Struct("<4s22xHH")
"""A member's local header: the signature and, at its end, the lengths of the name and of the extra field."""
MIN_HEADER_SIZE = _LOCAL.size
"""The bytes of a member's local header without the name and the extra field."""
_LZMA = struct.Struct("<HH5s")
"""The header of LZMA data: the version, the size of the properties, and the properties."""
_ENCRYPTED = 0x1
_PATCHED, _STRONG = 0x20, 0x40
_ENDS_ITSELF = 0x2
"""The flag for LZMA data that ends with a mark, so that its size need not be known."""
LARGEST_DICTIONARY = 2**26
"""The largest accepted LZMA dictionary, in bytes; no program uses one as large by default."""


class _Decompressor(Protocol):
    """The interface of the decompressors of ``bz2`` and ``lzma``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def pieces(file: IO[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    """Yield the unpacked bytes of a member of an archive, in pieces of at most ``size`` bytes.

    Raises ``EOFError`` if the bytes do not have the size and checksum that the archive states, ``RuntimeError`` if they
    are encrypted, and ``NotImplementedError`` if their compression is not supported; errors of the decompressors pass
    through.
    """
    if member.flag_bits & _ENCRYPTED:
        raise RuntimeError("encrypted")
    unpack = _METHODS.get(member.compress_type)
    if unpack is None or member.flag_bits & (_PATCHED | _STRONG):
        raise NotImplementedError
    remaining, checksum = member.file_size, 0
    for piece in unpack(_packed(file, member, max(2**16, size // 4)), member, size):
        remaining -= len(piece)
        if remaining < 0:
            raise EOFError
        checksum = zlib.crc32(piece, checksum)
        if piece:
            yield piece
    if remaining or checksum != member.CRC:
        raise EOFError


def _packed(file: IO[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    """Yield the packed bytes of a member; reading by position lets several threads read the same file."""
    header = os.pread(file.fileno(), _LOCAL.size, member.header_offset)
    signature, name, extra = _LOCAL.unpack(header)
    if signature != b"PK\3\4":
        raise EOFError
    offset = member.header_offset + _LOCAL.size + name + extra
    remaining = member.compress_size
    while remaining:
        part = os.pread(file.fileno(), min(remaining, size), offset)
        if not part:
            raise EOFError
        offset += len(part)
        remaining -= len(part)
        yield part


def _stored(packed: Iterator[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    for part in packed:
        yield from (part[start : start + size] for start in range(0, len(part), size))


def _deflated(packed: Iterator[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    for part in packed:
        piece = b""
        while not stream.eof and (part or len(piece) == size):  # after a full piece, more output may be waiting
            piece = stream.decompress(part, size)
            part = stream.unconsumed_tail
            yield piece
    if not stream.eof:
        raise EOFError


def _of_bzip2(packed: Iterator[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    return _decompress(bz2.BZ2Decompressor(), packed, size)


def _of_lzma(packed: Iterator[bytes], member: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
    header = next(packed, b"")
    _, length, properties = _LZMA.unpack_from(header)
    if length != len(properties):
        raise EOFError
    size_field = 2**64 - 1 if member.flag_bits & _ENDS_ITSELF else member.file_size
    stream = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=LARGEST_DICTIONARY + 2**20)
    yield stream.decompress(properties + size_field.to_bytes(8, "little"), size)
    yield from _decompress(stream, packed, size, header[_LZMA.size :])


def _decompress(stream: _Decompressor, packed: Iterator[bytes], size: int, part: bytes = b"") -> Iterator[bytes]:
    while not stream.eof:
        if stream.needs_input and not part:
            part = next(packed, b"")
            if not part:
                raise EOFError
        yield stream.decompress(part, size)
        part = b""


_METHODS: dict[int, Callable[[Iterator[bytes], zipfile.ZipInfo, int], Iterator[bytes]]] = {
    zipfile.ZIP_STORED: _stored,
    zipfile.ZIP_DEFLATED: _deflated,
    zipfile.ZIP_BZIP2: _of_bzip2,
    zipfile.ZIP_LZMA: _of_lzma,
}
