"""Plots of a file of any size, kept on disk until all are there, then checked piece by piece."""

from __future__ import annotations

import errno
import mmap
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from geoplan.cadastre.cells import boxes_touching
from geoplan.cadastre.coverage import gap_defects, ordered, renamed, survey
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.gap import find_gaps
from geoplan.cadastre.ground import Ground, geometries, ring_boxes, spread
from geoplan.cadastre.outline import Outline
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.slit import slits_of
from geoplan.cadastre.vertex import snap
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import DiskFull, ShapeError

__all__ = ["PARTITION", "Spool"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

PARTITION = 100_000
"""Plots that are checked at a time, without their neighbours across the border."""

_CHUNK = 500_000


class Spool:
    """Plots on disk.

    Parameters
    ----------
    folder : Path
        Folder with room for about 100 bytes and 16 bytes a point for each plot. The files have no
        name from the moment they are open: they vanish however the process ends.
    partition : int
        Plots checked at a time. Memory holds these, their neighbours, and 16 bytes of each plot.

    Examples
    --------
    >>> with Spool(Path("/tmp")) as spool:
    ...     spool.add(np.array([1]), Rings.of(np.array([shapely.box(0, 0, 1, 1)])))
    ...     spool.check(CheckRules())
    []
    """

    def __init__(self, folder: Path, *, partition: int = PARTITION) -> None:
        self._folder = folder
        self._partition = max(1, partition)
        self._count = 0
        self._points = self._rings = self._parts = 0
        self._grouped: bool | None = None
        self._files: dict[str, IO[bytes]] = {}
        with self._room():
            try:
                for name in _KINDS:
                    self._files[name] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            except OSError:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Give the disk back; closing again does nothing."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def add(
        self, rows: Ints, rings: Rings, groups: Ints | None = None, broken: Flags | None = None
    ) -> None:
        """Keep some plots.

        Parameters
        ----------
        rows : ndarray of int, shape (shapes,)
            Row of each in the source.
        rings : Rings
            Plots, in metres of a projected CRS.
        groups : ndarray of int, shape (shapes,), optional
            Block of each, a negative number for none; with every batch or with none.
        broken : ndarray of bool, shape (shapes,), optional
            Plots that are left out.

        Raises
        ------
        ShapeError
            Arrays of different lengths, or groups with some batches only.
        DiskFull
            The folder's disk is full.
        """
        count = len(rings)
        for name, values in (("rows", rows), ("groups", groups), ("broken", broken)):
            if values is not None and len(values) != count:
                raise ShapeError(
                    f"{len(values)} {name} for {count} plots", where="Spool.add",
                    remedy=f"give one of {name} per plot",
                )  # fmt: skip
        if self._grouped is None:
            self._grouped = groups is not None
        if self._grouped != (groups is not None):
            raise ShapeError(
                "some batches have groups and some have none", where="Spool.add",
                remedy="give groups with every batch",
            )  # fmt: skip
        none = np.full(count, -1, dtype=np.int64)
        sound = np.zeros(count, dtype=bool)
        arrays: dict[str, npt.NDArray[Any]] = {
            "xy": rings.xy,
            "ring": rings.ring_start[:-1] + self._points,
            "part": rings.part_start[:-1] + self._rings,
            "shape": rings.shape_start[:-1] + self._parts,
            "row": rows,
            "group": none if groups is None else groups,
            "broken": sound if broken is None else broken,
            "box": ring_boxes(rings),
        }
        with self._room():
            for name, array in arrays.items():
                data = np.ascontiguousarray(array, dtype=_KINDS[name][0])
                self._files[name].write(data.data)
        self._count += count
        self._points += len(rings.xy)
        self._rings += len(rings.ring_start) - 1
        self._parts += len(rings.part_start) - 1

    def check(
        self,
        rules: CheckRules,
        *,
        threads: int = 2,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Defect]:
        """Return what :func:`geoplan.cadastre.coverage.check_coverage` would say of all plots.

        Parameters
        ----------
        rules : CheckRules
            Tolerances.
        threads : int
            Threads to work on.
        progress : callable, optional
            Called with the number of plots done and of all.

        Notes
        -----
        Plots are split at the median of their centres until few enough are together. Each piece
        is checked with all plots that come near it. What concerns several plots is reported with
        the piece that has the first of them. Outlines that leave a piece are kept, joined at the
        end, and searched for gaps then.
        """
        with self._room():
            for file in self._files.values():
                file.flush()
        with _Pages(self._files, (self._points, self._rings, self._parts)) as pages:
            found: list[Defect] = []
            edges: list[Floats] = []
            owners: list[Ints] = []
            done = 0
            for owned in pages.pieces(self._partition):
                ids = pages.near(owned, rules.gap_max_width_m)
                mine = np.isin(ids, owned, assume_unique=True)
                seen = survey(
                    pages.rings(ids), rules, groups=pages.group[ids] if self._grouped else None,
                    broken=pages.broken[ids], owned=mine, threads=threads,
                )  # fmt: skip
                found += renamed(seen.found, ids)
                left = seen.open_outline
                edges.append(np.hstack([left.xy[left.tail], left.xy[left.head]]))
                owners.append(ids[left.shape])
                pages.forget()
                done += len(owned)
                if progress is not None:
                    progress(done, self._count)
            if edges:
                found += self._across(np.concatenate(edges), np.concatenate(owners), pages, rules)
            return ordered(renamed(found, pages.row))

    def _across(
        self, edges: Floats, owners: Ints, pages: _Pages, rules: CheckRules
    ) -> list[Defect]:
        """Return the gaps along outlines that leave a piece."""
        count = len(edges)
        # The ends are the same to the last bit in every piece; this only numbers them.
        ends = snap(np.concatenate([edges[:, :2], edges[:, 2:]]), rules.tolerance_m / 1000)
        outline = Outline(ends.xy, ends.of[:count], ends.of[count:], owners)
        ground = Ground(pages.box, pages.broken, pages.shapes)
        slits = slits_of(outline, rules.gap_max_width_m, rules.tolerance_m)
        groups = pages.group if self._grouped else None
        return gap_defects(find_gaps(outline, slits, ground, rules, groups))

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFull(
                "the disk is full while plots are kept for the check", where=str(self._folder),
                remedy="free space there, or give another folder for temporary files",
            ) from error  # fmt: skip


_KINDS: dict[str, tuple[Any, int]] = {
    "xy": (np.float64, 2), "ring": (np.int64, 1), "part": (np.int64, 1), "shape": (np.int64, 1),
    "row": (np.int64, 1), "group": (np.int64, 1), "broken": (np.bool_, 1), "box": (np.float64, 4),
}  # fmt: skip


class _Pages:
    """The spooled arrays as they lie in their files."""

    def __init__(self, files: dict[str, IO[bytes]], sizes: tuple[int, int, int]) -> None:
        self._maps: list[mmap.mmap] = []
        found: dict[str, npt.NDArray[Any]] = {}
        for name, file in files.items():
            kind, width = _KINDS[name]
            if file.seek(0, 2):
                view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._maps.append(view)
                flat = np.frombuffer(view, dtype=kind)
            else:
                flat = np.empty(0, dtype=kind)
            found[name] = flat.reshape(-1, width) if width > 1 else flat
        self.xy: Floats = found["xy"]
        self.row: Ints = found["row"]
        self.group: Ints = found["group"]
        self.broken: Flags = found["broken"]
        self.box: Floats = found["box"]
        self._ring, self._part, self._shape = found["ring"], found["part"], found["shape"]
        self._sizes = sizes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Arrays that look into a map keep it open; without them it closes by itself.
        self.xy = self.box = np.empty((0, 2))
        self.row = self.group = self._ring = self._part = self._shape = np.empty(0, np.int64)
        self.broken = np.empty(0, dtype=bool)
        self._maps.clear()

    def forget(self) -> None:
        """Let go of the pages that were read: memory stays flat however large the files are."""
        for view in self._maps:
            view.madvise(mmap.MADV_DONTNEED)

    def pieces(self, most: int) -> Iterator[Ints]:
        """Yield the plots, ``most`` or fewer that lie together at a time, in order."""
        count = len(self.box)
        centre = np.empty((count, 2), dtype=np.float32)
        for first in range(0, count, _CHUNK):
            box = self.box[first : first + _CHUNK]
            centre[first : first + _CHUNK] = (box[:, :2] + box[:, 2:]) / 2
        waiting = [np.flatnonzero(np.isfinite(centre).all(axis=1)).astype(np.int32)]
        while waiting:
            some = waiting.pop()
            if len(some) <= most:
                if len(some):
                    yield np.sort(some).astype(np.int64)
                continue
            span = np.ptp(centre[some], axis=0)
            along = centre[some, int(span[1] > span[0])]
            half = len(some) // 2
            order = np.argpartition(along, half)
            waiting += [some[order[half:]], some[order[:half]]]

    def near(self, owned: Ints, grow: float) -> Ints:
        """Return the plots whose box touches the grown box around some, in order."""
        return boxes_touching(self.box, self.box[owned], grow)

    def rings(self, ids: Ints) -> Rings:
        """Return some plots."""
        points, rings, parts = self._sizes
        part, shape_start = spread(self._shape, ids, parts)
        ring, part_start = spread(self._part, part, rings)
        point, ring_start = spread(self._ring, ring, points)
        return Rings(self.xy[point], ring_start, part_start, shape_start)

    def shapes(self, ids: Ints) -> npt.NDArray[np.object_]:
        """Return some plots as geometries."""
        return geometries(self.rings(ids), np.arange(len(ids)))
