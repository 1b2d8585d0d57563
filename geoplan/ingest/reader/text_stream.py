"""Delimited text as a stream of UTF-8 that ends with a row of its own, so that its end is known."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from geoplan.errors import InputError

__all__ = ["LAST", "TextStream"]

LAST = "\x02the last row\x03"
"""First cell of the row behind all others; where it does not come out again, a quote is open."""


class TextStream(io.RawIOBase):
    """Reads a text file as UTF-8 and puts one row behind it.

    A parser takes a quote that is never closed for a cell that holds the rest of the file, and
    says nothing. What is put behind the file ends up in that cell then.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Of the file. UTF-8 goes through as it is, and is left to the parser to check.
    last_row : str
        One row, without a newline; begins with :data:`LAST`.
    where : str
        Name of the file, for messages.
    """

    def __init__(self, path: Path, encoding: str, last_row: str, *, where: str) -> None:
        super().__init__()
        self._file = path.open("rb")
        plain = encoding.startswith("utf-8")
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()
        self._rest = f"\n{last_row}\n".encode()
        self._passed = 0
        self._where = where
        self._ended = False

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raises InputError for a NUL, which no text holds."""
        while not self._ended:
            raw = self._file.read(size)
            if not raw:
                self._ended = True
                end = b"" if self._decoder is None else self._decoder.decode(b"", True).encode()
                return end + self._rest
            at = raw.find(b"\x00") if self._decoder is None else -1
            text = raw if self._decoder is None else self._decoder.decode(raw).encode()
            if at >= 0 or (self._decoder is not None and b"\x00" in text):
                place = f"byte {self._passed + at + 1:,}" if at >= 0 else "one of its rows"
                raise InputError(
                    f"a NUL stands in the text, at {place}",
                    where=self._where,
                    remedy="no text holds one: deliver it again, it may be damaged",
                )
            self._passed += len(raw)
            # DOS wrote this letter at the end of a text.
            if text.endswith(b"\x1a") and not self._file.peek(1):
                text = text.removesuffix(b"\x1a")
            if text:
                return text
        return b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
