"""The synthetic country: a whole invented island, from a seed, as an ordinary pack of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError
from geoplan.partial import full_disk_told, held, sweep
from geoplan.sample.country import Progress, make_country
from geoplan.sample.place import Size, place
from geoplan.sample.write import MARKER, read_marker, write_country

__all__ = ["MARKER", "SampleSummary", "Size", "make"]


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was made.

    Parameters
    ----------
    folder : Path
        The pack's folder; ``pack.yaml`` lies in it.
    seed : int
    size : str
    rows : dict of str to int
        Rows, figures or raster cells by layer id.
    made : bool
        False where the same country was there already and was left as it is.
    """

    folder: Path
    seed: int
    size: str
    rows: dict[str, int]
    made: bool


def make(
    folder: Path,
    *,
    seed: int = 7,
    size: Size = "standard",
    progress: Progress | None = None,
    keep: bool = False,
) -> SampleSummary:
    """Make the synthetic country as a pack in ``folder``.

    Parameters
    ----------
    folder : Path
        New, empty, or made by an earlier call, which is then replaced.
    seed : int
        Zero or greater; one seed gives one country.
    size : {"standard", "small"}
        About 300 × 260 km, or 90 × 80 km for quick tests.
    progress : callable, optional
        Called with what is being made and how much is done, 0–1.
    keep : bool
        Leave the folder as it is where the same seed and size were made there already.

    Returns
    -------
    SampleSummary

    Raises
    ------
    InputError
        The folder holds something else.
    RangeError
        The seed is negative, or the size unknown.

    Notes
    -----
    Everything is written into a new folder beside it, which takes its place at the end: there is
    never a half-made country under ``folder``.
    """
    folder = Path(folder).absolute()
    frame = place(seed, size)
    before = read_marker(folder)
    if folder.exists() and (not folder.is_dir() or (before is None and any(folder.iterdir()))):
        raise InputError(
            "there is something else here already",
            where=str(folder),
            remedy="name a new or empty folder; only a synthetic country may be replaced",
        )
    same = before is not None and (before.get("seed"), before.get("size")) == (seed, size)
    if keep and before is not None and same and (folder / "pack.yaml").is_file():
        return SampleSummary(folder, seed, size, dict(before.get("rows", {})), made=False)
    with full_disk_told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        sweep(folder.parent, folder.name)
        with held(folder) as room:
            new = room / "new"
            new.mkdir()
            country = make_country(frame, progress)
            if progress is not None:
                progress("writing", 0.9)
            rows = write_country(country, new)
            try:
                if folder.exists():
                    folder.rename(room / "old")
                new.rename(folder)
            except BaseException:
                if (room / "old").exists() and not folder.exists():
                    (room / "old").rename(folder)
                raise
    if progress is not None:
        progress("done", 1.0)
    return SampleSummary(folder, seed, size, rows, made=True)
