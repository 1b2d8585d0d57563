"""Turn the columns of a file into the fields of a layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import numpy as np
import pandas as pd
import pyarrow as pa

from geoplan.catalogue.layer import FieldSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.errors import InputError, UnknownName
from geoplan.expression import evaluate
from geoplan.ingest.attributes.day import day_of
from geoplan.ingest.attributes.number import read_numbers
from geoplan.ingest.attributes.unit import convert, unit_factor
from geoplan.ingest.findings import Findings, listed
from geoplan.persian import is_destroyed

__all__ = ["as_text", "blank_destroyed", "blank_missing", "make_column", "rename", "typed"]

_MODERN = 1600  # no Jalali year of any record reaches it


def rename(frame: pd.DataFrame, columns: Mapping[str, str], *, where: str) -> pd.DataFrame:
    """Give source columns their short names.

    Raises
    ------
    UnknownName
        A source column is not there; all of them are named at once.
    """
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        there = [str(c) for c in frame.columns if c != "geometry"]
        hints = [f"did you mean '{m[0]}'?" for c in absent if (m := get_close_matches(c, there, 1))]
        raise UnknownName(
            f"unknown column{'s' if len(absent) > 1 else ''} {', '.join(map(repr, absent))}",
            where=where,
            remedy=" ".join(hints) or f"its columns: {listed(there, most=40)}",
        )
    return frame.rename(columns=dict(columns))


def as_text(column: pd.Series) -> pd.Series:
    """Return a column as text, whole numbers without a decimal point; missing stays missing."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "true", False: "false"}).astype(object)
    if pd.api.types.is_numeric_dtype(column):
        out = [
            None if pd.isna(v) else str(int(v)) if float(v).is_integer() else repr(float(v))
            for v in column
        ]
    else:
        out = [None if pd.isna(v) else str(v).strip() for v in column]
    return pd.Series(out, index=column.index, dtype=object)


def _is_text(column: pd.Series) -> bool:
    return bool(pd.api.types.is_string_dtype(column) or column.dtype == object)


def blank_missing(frame: pd.DataFrame, values: Iterable[str | float], findings: Findings) -> None:
    """Empty the cells that hold a value that means 'not known', in place, and count them."""
    texts = {v for v in values if isinstance(v, str)}
    numbers = {float(v) for v in values if not isinstance(v, str)}
    if not texts and not numbers:
        return
    found: dict[str, int] = {}
    for name in frame.columns:
        column = frame[name]
        if name == "geometry":
            continue
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            hit = column.isin(list(numbers))
        elif _is_text(column):
            hit = column.isin(texts)
            if numbers:
                hit |= pd.to_numeric(column, errors="coerce").isin(list(numbers))
        else:
            continue
        if bool(hit.any()):
            found[str(name)] = int(hit.sum())
            frame[name] = column.mask(hit)
    total = sum(found.values())
    shown = listed([f"{k} ({v})" for k, v in sorted(found.items())], most=12)
    said = ", ".join(map(str, sorted(values, key=str)))
    findings.add(
        "missing-value",
        f"{total:,} cells hold a value that means 'not known' ({said}): {shown}",
        "stored as empty",
        severity="repaired",
        count=total,
    )


def blank_destroyed(frame: pd.DataFrame, findings: Findings) -> None:
    """Empty the cells whose text an encoding destroyed, in place, and count them."""
    for name in frame.columns:
        if name == "geometry" or not _is_text(frame[name]):
            continue
        hit = frame[name].map(is_destroyed).astype(bool)
        if not bool(hit.any()):
            continue
        n = int(hit.sum())
        findings.add(
            "destroyed-text",
            f"{n:,} of {len(frame):,} values of '{name}' are destroyed "
            f"(for example {frame[name][hit].iloc[0]!r})",
            "stored as empty; take the text from another file by key",
            severity="repaired",
            count=n,
        )
        frame[name] = frame[name].mask(hit)


def _mapped(text: pd.Series, codes: Mapping[str, str], name: str, findings: Findings) -> pd.Series:
    out = text.map(lambda v: codes.get(v) if v is not None else None)
    lost = text.notna() & out.isna()
    if bool(lost.any()):
        unknown = sorted(set(text[lost]))
        findings.add(
            "unknown-code",
            f"{int(lost.sum()):,} values of '{name}' have no code: {listed(map(repr, unknown))}",
            "stored as empty; add them to 'codes'",
            count=int(lost.sum()),
        )
    return out


def _read_as_told(
    name: str, column: pd.Series, m: FieldMap, spec: FieldSpec | None, findings: Findings
) -> pd.Series:
    """Read numbers and dates by the keys ``decimal``, ``unit`` and ``calendar`` of a rule."""
    had = column.notna()
    if m.calendar is not None:
        calendar = m.calendar
        out = pd.Series(
            [day_of(v, calendar) if h else None for v, h in zip(column, had, strict=True)],
            index=column.index,
            dtype=object,
        )
        what = f"of the calendar '{calendar}'"
    else:
        if m.decimal is not None and not pd.api.types.is_numeric_dtype(column):
            text = pa.array(as_text(column).tolist(), pa.string())
            numbers, _ = read_numbers(text, decimal=m.decimal)
            out = pd.Series(numbers.to_pandas().to_numpy(), index=column.index)
        else:
            out = pd.to_numeric(column, errors="coerce").astype("float64")
        if m.unit is not None:
            if spec is None or spec.unit is None:
                raise InputError(
                    f"'{name}' is given in '{m.unit}' and has no unit to be converted to",
                    where=findings.where,
                    remedy="write 'unit' in an entry's 'fields', for a field that has a unit",
                )
            out = convert(out, unit_factor(m.unit, spec.unit))
        what = "numbers"
    lost = had & out.isna() & (as_text(column).fillna("") != "")
    if bool(lost.any()):
        bad = sorted(set(as_text(column)[lost]))
        findings.add(
            "wrong-type",
            f"{int(lost.sum()):,} values of '{name}' are not {what}: {listed(map(repr, bad))}",
            "stored as empty; list the words that mean 'not known' in 'missing'",
            count=int(lost.sum()),
        )
    return out


def make_column(
    name: str,
    rule: FieldMap | str,
    frame: pd.DataFrame,
    findings: Findings,
    *,
    spec: FieldSpec | None = None,
) -> pd.Series:
    """Make one column by its rule.

    Parameters
    ----------
    name : str
        The column's name, for messages.
    rule : FieldMap or str
        A bare string is a source column. Steps run in this order: source or expression,
        prefix and suffix taken off, zero padding, first characters, codes, default, prefix,
        then numbers by 'decimal' and 'unit' or dates by 'calendar'.
    frame : DataFrame
        The columns at hand.
    spec : FieldSpec, optional
        The field that is made; its unit is what 'unit' converts to.

    Raises
    ------
    UnknownName
        A source column is not there.
    InputError
        'unit' without a field that has a unit, or one that measures something else.
    """
    m = FieldMap.model_validate({"from": rule}) if isinstance(rule, str) else rule
    if m.expr is not None:
        value = evaluate(m.expr, {str(c): frame[c] for c in frame.columns if c != "geometry"})
        column = (
            pd.Series(value.to_numpy(), index=frame.index)
            if isinstance(value, pd.Series)
            else pd.Series([value] * len(frame), index=frame.index)
        )
    elif m.source is not None:
        if m.source not in frame.columns:
            there = [str(c) for c in frame.columns if c != "geometry"]
            close = get_close_matches(m.source, there, n=1)
            raise UnknownName(
                f"field '{name}' comes from an unknown column '{m.source}'",
                where=findings.where,
                remedy=f"did you mean '{close[0]}'?"
                if close
                else f"columns: {listed(there, most=40)}",
            )
        column = frame[m.source]
    else:
        column = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    shaping = (m.strip_prefix, m.strip_suffix, m.zero_pad, m.head, m.codes, m.prefix)
    if any(s is not None for s in shaping):
        text = as_text(column)
        has = text.notna()
        if m.strip_prefix is not None:
            text[has] = text[has].str.removeprefix(m.strip_prefix).str.strip()
        if m.strip_suffix is not None:
            text[has] = text[has].str.removesuffix(m.strip_suffix).str.strip()
        if m.zero_pad is not None:
            text[has] = text[has].str.zfill(m.zero_pad)
        if m.head is not None:
            text[has] = text[has].str[: m.head]
        if m.codes is not None:
            text = _mapped(text, m.codes, name, findings)
        column = text
    if m.default is not None:
        column = column.astype(object).where(column.notna(), m.default)
    if m.prefix is not None:
        column = column.map(lambda v: None if pd.isna(v) else f"{m.prefix}{v}")
    if m.calendar is not None or m.unit is not None or m.decimal is not None:
        column = _read_as_told(name, column, m, spec, findings)
    return column


def typed(name: str, column: pd.Series, spec: FieldSpec, findings: Findings) -> pd.Series:
    """Return a column in its declared type, range and codes; what does not fit is emptied.

    Returns
    -------
    Series
        ``string`` → object of str or None, ``integer`` → Int64, ``number`` → float64,
        ``boolean`` → boolean, ``date`` → object of ``datetime.date`` or None.
    """
    had = column.notna()
    out: pd.Series
    if spec.type == "string":
        out = as_text(column)
        out = out.where(out != "", None)
    elif spec.type in ("integer", "number"):
        out = pd.to_numeric(column, errors="coerce").astype("float64")
        out = out.where(np.isfinite(out))
        if spec.type == "integer":
            broken = out.notna() & (out != out.round())
            findings.add(
                "not-whole",
                f"{int(broken.sum()):,} values of '{name}' are not whole numbers",
                "rounded",
                severity="repaired",
                count=int(broken.sum()),
            )
            out = out.round().astype("Int64")
    elif spec.type == "boolean":
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        out = as_text(column).map(lambda v: words.get(v.lower()) if v else None).astype("boolean")
    else:
        days = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
        # '1402/05/31' is a Jalali day: pandas takes it for the Middle Ages, or for none.
        out = pd.Series(
            [
                day_of(v) if isinstance(v, str) and (pd.isna(d) or d.year < _MODERN)
                else None if pd.isna(d) else d.date()
                for v, d in zip(column, days, strict=True)
            ],
            index=column.index,
            dtype=object,
        )  # fmt: skip
    unread = had & out.isna() & (as_text(column).fillna("") != "")
    if bool(unread.any()):
        bad = as_text(column)[unread]
        findings.add(
            "wrong-type",
            f"{len(bad):,} values of '{name}' are not of type {spec.type}: "
            f"{listed(map(repr, sorted(set(bad))))}",
            "stored as empty; list the words that mean 'not known' in 'missing'",
            count=len(bad),
        )
    if spec.minimum is not None or spec.maximum is not None:
        low = -np.inf if spec.minimum is None else spec.minimum
        high = np.inf if spec.maximum is None else spec.maximum
        wide = out.notna() & ~out.between(low, high).fillna(False).astype(bool)
        if bool(wide.any()):
            findings.add(
                "out-of-range",
                f"{int(wide.sum()):,} values of '{name}' lie outside {low:g} … {high:g}"
                f"{' ' + spec.unit if spec.unit else ''}: {listed(out[wide].tolist())}",
                "stored as empty; if it means 'not known', list it in 'missing'",
                count=int(wide.sum()),
            )
            out = out.mask(wide)
    if spec.codes is not None and spec.type == "string":
        strange = out.notna() & ~out.isin(spec.codes)
        if bool(strange.any()):
            findings.add(
                "unknown-code",
                f"{int(strange.sum()):,} values of '{name}' are not among "
                f"{', '.join(spec.codes)}: {listed(map(repr, sorted(set(out[strange]))))}",
                "stored as empty; map them with 'codes'",
                count=int(strange.sum()),
            )
            out = out.where(~strange, None)
    return out
