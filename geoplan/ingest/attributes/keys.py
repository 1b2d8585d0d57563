"""Which keys stand twice in a whole file, in memory that grows by some thirty bytes a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from geoplan.ingest.attributes.utf8 import Bytes, Flat, Offsets

__all__ = ["DuplicateKey", "KeyIndex"]

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A key that names several rows.

    Parameters
    ----------
    key : str
        The key as stored.
    rows : tuple of int
        All rows of the source that have it, in order.
    """

    key: str
    rows: tuple[int, ...]


@njit(cache=True, nogil=True)
def _rotate(x: Any, by: int) -> Any:
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


@njit(cache=True, nogil=True)
def _mix(x: Any) -> Any:
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xFF51AFD7ED558CCD)
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xC4CEB9FE1A85EC53)
    x ^= x >> np.uint64(33)
    return x


@njit(cache=True, nogil=True)
def _hashes(offsets: Offsets, data: Bytes, out: Hashes) -> None:
    """MurmurHash3 x64 128 (Appleby 2011, public domain) of each row, seed 0."""
    c1 = np.uint64(0x87C37B91114253D5)
    c2 = np.uint64(0x4CF5AD432745937F)
    five = np.uint64(5)
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        length = end - at
        h1 = np.uint64(0)
        h2 = np.uint64(0)
        while True:
            k1 = np.uint64(0)
            k2 = np.uint64(0)
            left = end - at
            for i in range(min(left, 8)):
                k1 |= np.uint64(data[at + i]) << np.uint64(8 * i)
            for i in range(8, min(left, 16)):
                k2 |= np.uint64(data[at + i]) << np.uint64(8 * (i - 8))
            k1 = _rotate(k1 * c1, 31) * c2
            k2 = _rotate(k2 * c2, 33) * c1
            if left < 16:
                h2 ^= k2
                h1 ^= k1
                break
            h1 ^= k1
            h1 = (_rotate(h1, 27) + h2) * five + np.uint64(0x52DCE729)
            h2 ^= k2
            h2 = (_rotate(h2, 31) + h1) * five + np.uint64(0x38495AB5)
            at += 16
        h1 ^= np.uint64(length)
        h2 ^= np.uint64(length)
        h1 += h2
        h2 += h1
        h1 = _mix(h1)
        h2 = _mix(h2)
        h1 += h2
        h2 += h1
        out[row, 0] = h1
        out[row, 1] = h2


@njit(cache=True, nogil=True)
def _rehash(seen: Hashes, count: int, slots: npt.NDArray[np.int32]) -> None:
    mask = len(slots) - 1
    for i in range(count):
        at = np.int64(seen[i, 0] & np.uint64(mask))
        while slots[at] != -1:
            at = (at + 1) & mask
        slots[at] = i


@njit(cache=True, nogil=True)
def _enter(
    new: Hashes,
    valid: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.int64],
    seen: Hashes,
    seen_rows: npt.NDArray[np.int32],
    count: int,
    slots: npt.NDArray[np.int32],
    first: npt.NDArray[np.int32],
) -> int:
    """Enter keys; ``first`` becomes the row that had the same key before, or -1."""
    mask = len(slots) - 1
    for i in range(len(new)):
        first[i] = -1
        if not valid[i]:
            continue
        at = np.int64(new[i, 0] & np.uint64(mask))
        while True:
            slot = slots[at]
            if slot == -1:
                slots[at] = count
                seen[count, 0] = new[i, 0]
                seen[count, 1] = new[i, 1]
                seen_rows[count] = rows[i]
                count += 1
                break
            if seen[slot, 0] == new[i, 0] and seen[slot, 1] == new[i, 1]:
                first[i] = seen_rows[slot]
                break
            at = (at + 1) & mask
    return count


@dataclass
class KeyIndex:
    """The keys of a file, told batch by batch.

    Notes
    -----
    Keys are held as 128-bit hashes, 20 bytes a row and 4 bytes a slot of a hash table that is
    at most 70 % full. Two different keys of a file of n rows have the same hash with odds of
    ``n² / 2¹²⁹``: 6 × 10⁻²⁵ for 20 million rows. The text of a key is kept only once it stands
    twice.
    """

    _count: int = 0
    _seen: Hashes = field(default_factory=lambda: np.empty((1024, 2), np.uint64))
    _rows: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(1024, np.int32))
    _slots: npt.NDArray[np.int32] = field(default_factory=lambda: np.full(2048, -1, np.int32))
    _twice: dict[int, tuple[str, list[int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many different keys were told."""
        return self._count

    @property
    def nbytes(self) -> int:
        """Memory of the index, bytes; texts of duplicate keys not counted."""
        return self._seen.nbytes + self._rows.nbytes + self._slots.nbytes

    def add(self, keys: pa.StringArray, rows: npt.NDArray[np.int64]) -> None:
        """Tell the keys of one batch.

        Parameters
        ----------
        keys : pyarrow.StringArray
            Keys as stored; missing ones are passed over.
        rows : ndarray of int
            Row number of each in the source, 1 to 2³¹ − 1.
        """
        flat = Flat(keys)
        new = np.empty((len(keys), 2), np.uint64)
        _hashes(flat.offsets, flat.data, new)
        self._make_room(self._count + len(keys))
        first = np.empty(len(keys), np.int32)
        self._count = _enter(
            new, flat.valid, rows, self._seen, self._rows, self._count, self._slots, first
        )
        again = np.flatnonzero(first >= 0)
        texts = keys.take(pa.array(again)).to_pylist() if len(again) else []
        for at, text in zip(again, texts, strict=True):
            known = self._twice.setdefault(int(first[at]), (text, [int(first[at])]))
            known[1].append(int(rows[at]))

    def _make_room(self, wanted: int) -> None:
        if wanted > len(self._rows):
            # A third more each time: little is copied often, little lies empty.
            size = max(wanted, len(self._rows) * 4 // 3)
            seen, rows = np.empty((size, 2), np.uint64), np.empty(size, np.int32)
            seen[: self._count] = self._seen[: self._count]
            rows[: self._count] = self._rows[: self._count]
            self._seen, self._rows = seen, rows
        if wanted > 0.7 * len(self._slots):
            slots = 2 ** int(np.ceil(np.log2(wanted / 0.7)))
            self._slots = np.full(slots, -1, np.int32)
            _rehash(self._seen, self._count, self._slots)

    def duplicates(self) -> tuple[DuplicateKey, ...]:
        """Return every key that stands twice or more, by its first row."""
        return tuple(
            DuplicateKey(text, tuple(rows)) for _, (text, rows) in sorted(self._twice.items())
        )
