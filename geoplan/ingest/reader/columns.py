"""Names of source columns: none twice, none of ours, none that is no text."""

from __future__ import annotations

from geoplan.ingest.reader.request import GEOMETRY, ROW, Note

__all__ = ["distinct"]


def distinct(names: list[str], notes: list[Note]) -> list[str]:
    """Return names as they are, those that stand twice or are taken with a number behind.

    Parameters
    ----------
    names : list of str
        As the file has them; they may hold quotes, newlines and spaces.
    notes : list of Note
        Receives which were renamed.

    Examples
    --------
    >>> distinct(["a", "", "a"], [])
    ['a', 'column_2', 'a_2']
    """
    taken = {ROW, GEOMETRY}
    free = set(names)
    out = []
    for i, name in enumerate(names):
        kept = name.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        kept = kept or f"column_{i + 1}"
        new, k = kept, 2
        while new in taken or (new != name and new in free):
            new, k = f"{kept}_{k}", k + 1
        taken.add(new)
        out.append(new)
    changed = [f"{a!r} → {b!r}" for a, b in zip(names, out, strict=True) if a != b]
    if changed:
        notes.append(
            Note(
                "column-renamed",
                f"{len(changed):,} columns have no name, the same name, or one that is taken: "
                + ", ".join(changed[:20]),
                "give each column a name of its own",
                count=len(changed),
            )
        )
    return out
