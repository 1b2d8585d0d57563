"""Tiles that were made before, within a fixed amount of memory."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from dataclasses import dataclass

from geoplan.store.serve.tile import TileBody

__all__ = ["MadeTile", "TileStore"]

_WORTH_GZIP = 1_400  # bytes: below one network packet compression gains nothing


@dataclass(frozen=True, slots=True)
class MadeTile:
    """A finished tile.

    Parameters
    ----------
    body : bytes
        Mapbox vector tile; empty when nothing lies there.
    packed : bytes or None
        The same, gzipped, where that saves at least a tenth.
    shown, matched : int
        Features in the tile, and features that lie there.
    """

    body: bytes
    packed: bytes | None
    shown: int
    matched: int

    @classmethod
    def of(cls, tile: TileBody) -> MadeTile:
        """Return the tile with its gzipped form where that is worth it."""
        body = tile.body
        packed = None
        if len(body) >= _WORTH_GZIP:
            # Level 4: nearly the size of level 9 at a third of its time. mtime=0: same bytes.
            packed = gzip.compress(body, compresslevel=4, mtime=0)
            if len(packed) > 0.9 * len(body):
                packed = None
        return cls(body, packed, tile.shown, tile.matched)

    @property
    def truncated(self) -> bool:
        """Whether features were left out."""
        return self.matched > self.shown

    @property
    def size(self) -> int:
        """Bytes held, with a rough allowance for the entry itself."""
        return len(self.body) + len(self.packed or b"") + 300


class TileStore:
    """Least recently used tiles go first. Keys hold the data version, so nothing goes stale.

    Parameters
    ----------
    megabytes : float
        Memory for bodies; 0 keeps nothing.
    """

    def __init__(self, megabytes: float) -> None:
        self._room = int(megabytes * 1_000_000)
        self._held: OrderedDict[tuple[object, ...], MadeTile] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> MadeTile | None:
        """Return the tile of ``key`` if it is held."""
        with self._lock:
            tile = self._held.get(key)
            if tile is not None:
                self._held.move_to_end(key)
            return tile

    def put(self, key: tuple[object, ...], tile: MadeTile) -> None:
        """Keep ``tile``; older tiles make room."""
        if tile.size > self._room:
            return
        with self._lock:
            old = self._held.pop(key, None)
            self._size += tile.size - (old.size if old else 0)
            self._held[key] = tile
            while self._size > self._room:
                _, gone = self._held.popitem(last=False)
                self._size -= gone.size
