"""Find the column of a file that a field comes from, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from geoplan.catalogue.layer import FieldSpec
from geoplan.persian import search_key

__all__ = ["close_to", "match_names"]


def _by_id(name: str, spec: FieldSpec) -> set[str]:
    del spec
    return {search_key(name)}


def _by_title(name: str, spec: FieldSpec) -> set[str]:
    del name
    title = spec.title
    texts = (title.en, title.fa, title.local) if title is not None else ()
    return {search_key(t) for t in texts if t} - {""}


_STEPS: tuple[Callable[[str, FieldSpec], set[str]], ...] = (
    lambda name, _: {name},
    _by_id,
    _by_title,
)


def match_names(
    fields: Mapping[str, FieldSpec], columns: Sequence[str], *, taken: Iterable[str] = ()
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Match columns to fields: by the same name, then by its search key, then by the titles.

    Parameters
    ----------
    fields : mapping
        Fields that have no mapping of their own.
    columns : sequence of str
        Columns of the file.
    taken : iterable of str
        Columns that a mapping uses; they match only a field of exactly their name.

    Returns
    -------
    dict, dict
        Field → column, where both agree on one another alone; field → columns that are equally
        good, of which none was taken.

    Examples
    --------
    >>> text = FieldSpec(type="string")
    >>> match_names({"block_key": text, "zone": text}, ["BLOCK KEY", "Zone", "zone "])
    ({'block_key': 'BLOCK KEY'}, {'zone': ('Zone', 'zone ')})
    """
    found: dict[str, str] = {}
    unclear: dict[str, tuple[str, ...]] = {}
    used = set(taken)
    for step, names_of in enumerate(_STEPS):
        wanted = {f: names_of(f, s) for f, s in fields.items() if f not in found}
        free = [c for c in columns if step == 0 or c not in used]
        keyed = {c: c if step == 0 else search_key(c) for c in free}
        hits = {f: [c for c in free if keyed[c] in names] for f, names in wanted.items()}
        for name, there in hits.items():
            rivals = [f for f, cs in hits.items() if f != name and set(cs) & set(there)]
            if len(there) == 1 and not rivals:
                found[name] = there[0]
            elif there:
                unclear[name] = tuple(there)
        used |= set(found.values())
    return found, {f: c for f, c in unclear.items() if f not in found}


def close_to(name: str, there: Sequence[str]) -> str:
    """Return what a person may have meant, in words, or which names there are."""
    keys = {search_key(t): t for t in there}
    close = get_close_matches(name, there, 1) or [
        keys[k] for k in get_close_matches(search_key(name), list(keys), 1)
    ]
    if close:
        return f"did you mean '{close[0]}'?"
    more = f" and {len(there) - 40} more" if len(there) > 40 else ""
    return f"there are: {', '.join(there[:40])}{more}" if there else "there are none"
