"""What is wrong with facts of regions: every problem at once, with its row and its remedy."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from geoplan.catalogue.composite import CompositeSpec, SumCheck
from geoplan.errors import Problem
from geoplan.persian import key_form, likeness, search_key, to_latin_digits

__all__ = ["check_facts", "check_values", "match_names"]

_ALIKE = 0.75
"""Likeness above which another name is suggested."""

_PERCENT = ("%", "percent", "درصد")


def check_facts(
    facts: pd.DataFrame, regions: pd.DataFrame, *, sums: Iterable[SumCheck] = ()
) -> list[Problem]:
    """Return the problems of facts and regions, in the order of rows.

    Parameters
    ----------
    facts : DataFrame
        ``level``, ``region_code``, ``variable``, ``value``, ``unit``; ``row`` (row in the file)
        where it is known, else the index label is named; ``region_name`` where the file has names.
    regions : DataFrame
        ``code``, ``parent_code``, ``level``; ``name_en``, ``name_local`` where names are checked.
    sums : iterable of SumCheck
        Totals that must add up.

    Returns
    -------
    list of Problem
        Codes: ``region-twice``, ``fact-twice``, ``code-type``, ``code-zeros``, ``code-length``
        (warning), ``code-unknown``, ``percent-range``, ``name-spelling`` (repaired),
        ``name-differs``, ``sum-differs``, ``sum-unknown`` (warning). Empty where all is well.
        Nothing is changed.
    """
    return [
        *_regions(regions),
        *_codes(facts, regions),
        *_twice(facts),
        *_percentages(facts),
        *_names(facts, regions),
        *[p for check in sums for p in _sum(check, facts, regions)],
    ]


def check_values(values: pd.DataFrame, spec: CompositeSpec) -> list[Problem]:
    """Return the problems of measured indicators.

    Parameters
    ----------
    values : DataFrame of float, index ``code``, columns indicator ids

    Returns
    -------
    list of Problem
        Codes: ``indicator-empty``, ``indicator-constant``, ``percent-range``.
    """
    problems = []
    for i in spec.indicators:
        known = values[i.id].dropna()
        at = f"indicator '{i.id}'"
        if known.empty:
            problems.append(
                Problem(at, f"missing in all {len(values)} regions",
                        "load its facts, or leave the indicator out", code="indicator-empty",
                        count=len(values))
            )  # fmt: skip
        elif known.nunique() == 1:
            problems.append(
                Problem(at, f"{known.iloc[0]:g} in all {len(known)} regions: it tells none apart",
                        "leave the indicator out", code="indicator-constant", count=len(known))
            )  # fmt: skip
        if _is_percent(i.unit):
            for code, value in known[(known > 100) | (known < 0)].items():
                problems.append(
                    Problem(f"{at}, region {code}", f"{value:g} %", "correct the facts of its "
                            "formula, or give it another unit", code="percent-range")
                )  # fmt: skip
    return problems


def match_names(
    names: pd.Series, regions: pd.DataFrame, *, level: int, parents: pd.Series | None = None
) -> tuple[pd.Series, list[Problem]]:
    """Return the codes of regions that a file gives by name.

    Parameters
    ----------
    names : Series of str
        Names as written; the index names the rows.
    regions : DataFrame
        ``code``, ``parent_code``, ``level``, ``name_en``, ``name_local``.
    level : int
        Level of the regions that are named.
    parents : Series of str, optional
        Code of the region that holds each, where the file has it: names occur more than once.

    Returns
    -------
    codes : Series of str
        Missing where no region, or more than one, has that name.
    problems : list of Problem
        ``name-spelling`` (repaired): another spelling of the same name, such as ي for ی;
        ``name-unknown``, with the nearest name; ``name-ambiguous``.
    """
    own = regions[regions["level"] == level]
    exact: dict[str, set[str]] = {}
    alike: dict[str, set[str]] = {}
    shown: dict[str, str] = {}
    for row in own.itertuples():
        for name in (row.name_en, row.name_local):
            if isinstance(name, str) and name:
                exact.setdefault(name, set()).add(row.code)
                alike.setdefault(search_key(name), set()).add(row.code)
                shown.setdefault(search_key(name), name)
    parent_of = own.set_index("code")["parent_code"]
    codes = pd.Series(pd.NA, index=names.index, dtype=object)
    problems = []
    for label, name in names.items():
        at = f"row {label}"
        if not isinstance(name, str) or not name.strip():
            problems.append(Problem(at, "no name", "give the region's code", code="name-unknown"))
            continue
        found = exact.get(name) or alike.get(search_key(name), set())
        if parents is not None:
            found = {c for c in found if parent_of.get(c) == parents.get(label)}
        if len(found) == 1:
            codes.loc[label] = next(iter(found))
            if name not in exact:
                problems.append(
                    Problem(at, f"'{name}' is another spelling of '{shown[search_key(name)]}'",
                            "matched by its letters; write the code to be sure",
                            severity="repaired", code="name-spelling")
                )  # fmt: skip
        elif found:
            problems.append(
                Problem(at, f"'{name}' is the name of regions {', '.join(sorted(found))}",
                        "give the code, or the region that holds it", code="name-ambiguous")
            )  # fmt: skip
        else:
            near = max(shown.values(), key=lambda n: (likeness(n, name), n), default="")
            hint = f"did you mean '{near}'? " if near and likeness(near, name) >= _ALIKE else ""
            problems.append(
                Problem(at, f"no region of level {level} is called '{name}'",
                        f"{hint}give the region's code", code="name-unknown")
            )  # fmt: skip
    return codes, problems


def _is_percent(unit: object) -> bool:
    return isinstance(unit, str) and unit.strip().lower().startswith(_PERCENT)


def _row(facts: pd.DataFrame, label: object) -> str:
    named = facts.at[label, "row"] if "row" in facts.columns else label
    return f"row {named}"


def _regions(regions: pd.DataFrame) -> list[Problem]:
    problems = []
    for (level, code), rows in regions.groupby(["level", "code"], sort=True):
        if len(rows) > 1:
            places = ", ".join(map(str, rows.index))
            problems.append(
                Problem(f"regions, rows {places}", f"region {code} of level {level} is there "
                        f"{len(rows)} times", "keep one row", code="region-twice",
                        count=len(rows))
            )  # fmt: skip
    for level, rows in regions.groupby("level", sort=True):
        lengths = rows["code"].astype(str).str.len()
        usual = int(lengths.mode().max())
        for label in rows.index[lengths < usual]:
            code = str(rows.at[label, "code"])
            if code.isdigit():
                problems.append(
                    Problem(f"regions, row {label}", f"code {code} of level {level} is shorter "
                            f"than the usual {usual} digits",
                            f"read codes as text; '{code.zfill(usual)}'?", severity="warning",
                            code="code-length")
                )  # fmt: skip
    return problems


def _codes(facts: pd.DataFrame, regions: pd.DataFrame) -> list[Problem]:
    if pd.api.types.is_numeric_dtype(facts["region_code"]) and len(facts):
        kind = facts["region_code"].dtype
        return [
            Problem("column region_code", f"codes were read as numbers ({kind}): leading zeros "
                    "are lost", "read the column as text", code="code-type", count=len(facts))
        ]  # fmt: skip
    problems = []
    for level, rows in facts.groupby("level", sort=True):
        known = set(regions.loc[regions["level"] == level, "code"].astype(str))
        wide = max(map(len, known), default=0)
        for code, group in rows[~rows["region_code"].isin(known)].groupby("region_code"):
            at = f"{_row(facts, group.index[0])}, region {code}"
            plain = to_latin_digits(str(code)).strip().removesuffix(".0")
            if plain.zfill(wide) in known:
                problems.append(
                    Problem(at, f"code '{code}' lost its leading zeros or its form",
                            f"write '{plain.zfill(wide)}', and read codes as text",
                            code="code-zeros", count=len(group))
                )  # fmt: skip
            else:
                problems.append(
                    Problem(at, f"no region of level {level} has the code '{code}'",
                            "correct the code, or load that region", code="code-unknown",
                            count=len(group))
                )  # fmt: skip
    return problems


def _twice(facts: pd.DataFrame) -> list[Problem]:
    keys = ["level", "region_code", "variable"]
    problems = []
    for (_, code, variable), rows in facts[facts.duplicated(keys, keep=False)].groupby(keys):
        places = ", ".join(_row(facts, label).removeprefix("row ") for label in rows.index)
        values = ", ".join(f"{v:g}" for v in rows["value"])
        problems.append(
            Problem(f"rows {places}, region {code}", f"'{variable}' is given {len(rows)} times: "
                    f"{values}", "keep one figure per region, variable and level",
                    code="fact-twice", count=len(rows))
        )  # fmt: skip
    return problems


def _percentages(facts: pd.DataFrame) -> list[Problem]:
    percent = facts["unit"].map(_is_percent).astype(bool)
    rows = facts[percent & ((facts["value"] > 100) | (facts["value"] < 0))]
    return [
        Problem(f"{_row(facts, row.Index)}, region {row.region_code}",
                f"'{row.variable}' is {row.value:g} %", "give a share of 0 to 100, or another unit",
                code="percent-range")
        for row in rows.itertuples()
    ]  # fmt: skip


def _names(facts: pd.DataFrame, regions: pd.DataFrame) -> list[Problem]:
    if "region_name" not in facts.columns or "name_local" not in regions.columns:
        return []
    problems = []
    seen: set[tuple[int, str, str]] = set()
    known = {(row.level, row.code): (row.name_en, row.name_local) for row in regions.itertuples()}
    for row in facts.itertuples():
        name, key = row.region_name, (row.level, row.region_code)
        if not isinstance(name, str) or key not in known or (*key, name) in seen:
            continue
        seen.add((*key, name))
        own = [n for n in known[key] if isinstance(n, str)]
        if not own or name in own:
            continue
        at = f"{_row(facts, row.Index)}, region {row.region_code}"
        alike = next((n for n in own if search_key(n) == search_key(name)), None)
        if alike is not None:
            how = "letters" if key_form(alike) == key_form(name) else "spelling"
            problems.append(
                Problem(at, f"'{name}' is '{alike}' with other {how}", "the code decides; write "
                        "the name as in the regions", severity="repaired", code="name-spelling")
            )  # fmt: skip
        else:
            problems.append(
                Problem(at, f"the file calls it '{name}', the regions '{own[-1]}'",
                        "correct the code or the name", code="name-differs")
            )  # fmt: skip
    return problems


def _sum(check: SumCheck, facts: pd.DataFrame, regions: pd.DataFrame) -> list[Problem]:
    own = regions[regions["level"] == check.level]
    at_level = facts[(facts["level"] == check.level) & (facts["variable"] == check.parts)]
    above = facts[(facts["level"] == check.level - 1) & (facts["variable"] == check.whole)]
    parts = at_level.drop_duplicates("region_code").set_index("region_code")["value"]
    problems = []
    for label, code, whole in zip(above.index, above["region_code"], above["value"], strict=True):
        children = own.loc[own["parent_code"] == code, "code"]
        values = parts.reindex(children)
        at = f"{_row(facts, label)}, region {code}"
        lost = sorted(values.index[values.isna()])
        if lost or values.empty or pd.isna(whole):
            what = f"{len(lost)} of {len(values)} parts have no '{check.parts}'"
            problems.append(
                Problem(at, f"'{check.whole}' cannot be compared: {what}",
                        f"load the figures of {', '.join(lost[:5])}" if lost else "load the parts",
                        severity="warning", code="sum-unknown", count=max(len(lost), 1))
            )  # fmt: skip
            continue
        total = float(values.sum())
        if abs(total - whole) > check.tolerance * abs(whole):
            share = f" ({abs(total - whole) / abs(whole):.1%})" if whole else ""
            problems.append(
                Problem(at, f"'{check.whole}' is {whole:,.10g}, its {len(values)} parts sum to "
                        f"{total:,.10g} of '{check.parts}': they differ by "
                        f"{abs(total - whole):,.10g}{share}, allowed {check.tolerance:.1%}",
                        "correct the whole or the parts, or raise the tolerance of the check",
                        code="sum-differs")
            )  # fmt: skip
    return problems
