"""Names of regions: one form for the ways of writing them, and when two are variants of one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from geoplan.persian import search_key

__all__ = ["Spelling", "edit_limit", "edits", "name_key", "name_spelling", "sound_key"]

Spelling = Literal["same", "sound", "edit", "part"]
"""How two names agree: the same key; the same sound (``sound``); a few letters apart (``edit``);
all words of one stand in the other (``part``)."""

_KINDS = frozenset(
    # As search keys: a prefix typed with an Arabic kaf is still the prefix.
    map(
        search_key,
        ("شهرستان", "استان", "county", "province", "shahrestan", "ostan", "district", "region"),
    )
)
"""Words that say what a region is, not what it is called."""

# Letters that Persian says alike; names from Arabic, Turkic and local spellings swap them.
_SOUNDS = str.maketrans({"ط": "ت", "ص": "س", "ث": "س", "ذ": "ز", "ض": "ز", "ظ": "ز",
                         "ح": "ه", "غ": "ق", "ع": None})  # fmt: skip

_LINKS = frozenset({"و", "and"})
_BREAK = re.compile(r"[\s\u200c\u200b\u2009\-_/،,.()«»]+")
_LEAST = 4
"""Shorter names are too near to one another for any edit: بم and قم are two towns."""


@lru_cache(maxsize=8192)
def _words(name: str) -> tuple[str, ...]:
    words = tuple(key for part in _BREAK.split(name) if (key := search_key(part)))
    return tuple(word for word in words if word not in _KINDS) or words


def name_key(name: object) -> str:
    """Return the form in which the ways of typing one name agree.

    The word for the kind of region (شهرستان, استان, county …) goes; then
    :func:`geoplan.persian.search_key`: Arabic and Persian yeh and kaf, alefs, hamza and ezafe
    signs, half-spaces, spaces, digits and case.

    Parameters
    ----------
    name : object
        A name; anything but a text has the empty key.

    Examples
    --------
    >>> name_key("شهرستان آستانهٔ اشرفيه") == name_key("آستانه‌اشرفیه")
    True
    """
    return "".join(_words(name)) if isinstance(name, str) else ""


def sound_key(name: object) -> str:
    """Return `name_key` with letters of one sound as one (ط ت، ث ص س، ذ ض ظ ز، ح ه، غ ق، ع).

    The linking «و» between words goes, too.

    Examples
    --------
    >>> sound_key("بوئین و میاندشت") == sound_key("بوئین میاندشت")
    True
    """
    if not isinstance(name, str):
        return ""
    words = _words(name)
    kept = [word for word in words if word not in _LINKS] or list(words)
    return "".join(kept).translate(_SOUNDS)


def edit_limit(length: int) -> int:
    """Return how many edits may part two names, by the letters of the shorter.

    0 below 4 letters, 1 for 4 to 6, 2 from 7 on.
    """
    return 0 if length < _LEAST else 1 if length < 7 else 2


def edits(a: str, b: str) -> int:
    """Return the fewest insertions, deletions and substitutions from ``a`` to ``b``.

    Levenshtein (1966), by the dynamic programme of Wagner and Fischer (1974).

    Examples
    --------
    >>> edits("هفتگل", "هفتکل"), edits("kitten", "sitting")
    (1, 3)
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def name_spelling(a: object, b: object) -> tuple[Spelling, float] | None:
    """Return how two names agree and how well, 0 to 1; None where they are two names.

    Parameters
    ----------
    a, b : object
        Names as written.

    Returns
    -------
    tuple of (Spelling, float), or None
        ``same`` 1; ``sound`` 0.95; ``edit`` 0.9 less 0.1 for each edit over the first; ``part``
        0.6. Edits are counted between sound keys, at most `edit_limit` of the shorter one.
    """
    key_a, key_b = name_key(a), name_key(b)
    if not key_a or not key_b or not isinstance(a, str) or not isinstance(b, str):
        return None
    if key_a == key_b:
        return "same", 1.0
    sound_a, sound_b = sound_key(a), sound_key(b)
    if sound_a == sound_b:
        return "sound", 0.95
    shorter = min(len(sound_a), len(sound_b))
    limit = edit_limit(shorter)
    if limit and abs(len(sound_a) - len(sound_b)) <= limit:
        apart = edits(sound_a, sound_b)
        if apart <= limit:
            return "edit", 0.9 - 0.1 * (apart - 1)
    words_a, words_b = set(_words(a)), set(_words(b))
    if words_a < words_b or words_b < words_a:
        return "part", 0.6
    return None
