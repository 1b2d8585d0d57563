"""How much one request may ask for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may ask for.

    Parameters
    ----------
    tile_features : int
        Most features in one tile; a tile that leaves some out says so.
    tile_seconds, query_seconds : float
        Time the database may take.
    diff_seconds : float
        Time the database may take to compare two versions.
    page : int
        Most rows in one page of candidates; a larger wish is served with this many.
    tile_cache_mb : float
        Memory for tiles that were made before.
    body_bytes : int
        Largest body of a request that is no upload.
    fresh_seconds : float
        How long the list of current layers and runs may be trusted.
    """

    tile_features: int = 10_000
    tile_seconds: float = 10.0
    query_seconds: float = 10.0
    diff_seconds: float = 120.0
    page: int = 1_000
    tile_cache_mb: float = 64.0
    body_bytes: int = 2_000_000
    fresh_seconds: float = 1.0
