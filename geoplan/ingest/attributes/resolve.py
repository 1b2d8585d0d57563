"""Resolve a field mapping against a layer and the columns of a file: all problems at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from geoplan.catalogue.layer import FieldSpec, LayerSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.errors import InputError, Problem
from geoplan.expression import columns_of
from geoplan.ingest.attributes.match import close_to, match_names
from geoplan.ingest.attributes.step import Step
from geoplan.ingest.attributes.unit import unit_factor
from geoplan.ingest.fields import table_columns
from geoplan.store.write import TABLES

__all__ = ["Resolution", "resolve"]

_BY_PLAN = ("search",)
_NAMES = ("name_en", "name_local")


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of a mapping; as in :class:`geoplan.ingest.attributes.plan.AttributePlan`."""

    steps: tuple[Step, ...]
    own: frozenset[str]
    unused: tuple[str, ...]
    notes: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def _tightened(field: FieldSpec, own: FieldSpec | None) -> FieldSpec:
    """Return a layer's field within the limits of the table's column."""
    if own is None:
        return field
    codes = field.codes or own.codes
    if own.codes is not None and codes is not None:
        codes = tuple(c for c in codes if c in own.codes)
    low = [m for m in (field.minimum, own.minimum) if m is not None]
    return field.model_copy(update={"codes": codes, "minimum": max(low, default=None)})


def _fields(spec: LayerSpec) -> tuple[dict[str, FieldSpec], frozenset[str]]:
    """Return what a layer's rows may hold, and which of it are columns of the table."""
    own = {n: s for n, s in table_columns(spec.table).items() if n not in _BY_PLAN}
    specs = dict(own)
    # Fields of a layer of facts are its variables, not columns.
    if spec.table != "region_facts":
        specs |= {n: _tightened(f, own.get(n)) for n, f in spec.fields.items()}
        text = FieldSpec.model_validate({"type": "string"})
        specs |= {n: text for n in _NAMES if n not in specs}
        specs.setdefault("key", text)
        if spec.key is not None and spec.key != "key":
            del specs["key"]
    return specs, frozenset(own)


def _needed(spec: LayerSpec, own: Collection[str]) -> set[str]:
    table = TABLES[spec.table].__table__
    columns = {
        c.name
        for c in table.columns
        if c.name in own and not c.nullable and (c.default is None or not c.default.is_scalar)
    }
    fields = {f for f, s in spec.fields.items() if s.required}
    if spec.table == "region_facts":
        fields = set()
    named = {spec.key} if spec.key is not None else set()
    # 'key' comes from the layer's key or the row number, 'code' of a region likewise.
    return (columns | fields | named) - {"key"} - ({"code"} if spec.key is None else set())


def _keys(spec: LayerSpec, specs: Mapping[str, FieldSpec], own: Collection[str]) -> set[str]:
    """Return the fields that name this row or another."""
    names = {n for n in (spec.key, "key", spec.checks.parent_field) if n is not None}
    names |= {"code"} & set(own)
    names |= {n for n in own if n.endswith(("_key", "_code"))}
    return {n for n in names if n in specs and specs[n].type == "string"}


class _Resolver:
    def __init__(self, columns: Sequence[tuple[str, str]], where: str) -> None:
        self.types = dict(columns)
        self.names = [n for n, _ in columns]
        self.where = where
        self.problems: list[Problem] = []
        self.twice = {n for n, k in Counter(self.names).items() if k > 1}

    def problem(self, field: str, what: str, remedy: str, code: str) -> None:
        self.problems.append(Problem(f"{self.where}, field '{field}'", what, remedy, "error", code))

    def sources(self, field: str, rule: FieldMap) -> tuple[str, ...]:
        """Return the columns that a rule uses, the unknown ones told."""
        try:
            used = (
                columns_of(rule.expr)
                if rule.expr is not None
                else (rule.source,)
                if rule.source is not None
                else ()
            )
        except InputError as error:
            self.problem(field, error.what, error.remedy, "bad-expression")
            return ()
        for name in used:
            if name not in self.types:
                self.problem(
                    field,
                    f"it comes from an unknown column '{name}'",
                    close_to(name, self.names),
                    "unknown-column",
                )
            elif name in self.twice:
                self.problem(
                    field,
                    f"the file has more than one column '{name}'",
                    "rename one of them in the file",
                    "unknown-column",
                )
        return tuple(used)

    def fits(self, field: str, spec: FieldSpec, rule: FieldMap) -> None:
        """Tell what of a rule does not fit the field or the column's type."""
        numeric = spec.type in ("integer", "number")
        if rule.decimal is not None and not numeric:
            self.problem(
                field, f"'decimal' for a field of type {spec.type}", "take it out", "wrong-type"
            )
        if rule.calendar is not None and spec.type != "date":
            self.problem(
                field, f"'calendar' for a field of type {spec.type}", "take it out", "wrong-type"
            )
        if rule.unit is not None and not (numeric and spec.unit is not None):
            self.problem(
                field,
                f"'unit: {rule.unit}' for a field that has no unit",
                "take it out, or give the field a 'unit' in the layer",
                "wrong-unit",
            )
        kind = self.types.get(rule.source or "")
        bad = kind is not None and (
            "binary" in kind
            or (kind.startswith(("list", "large_list", "struct", "map")) and spec.type != "string")
            or (kind.startswith(("date", "timestamp", "time")) and (numeric or _boolean(spec)))
            or (kind == "bool" and spec.type == "date")
            or (kind.startswith(("time32", "time64")) and spec.type == "date")
        )
        if bad:
            self.problem(
                field,
                f"column '{rule.source}' holds values of type {kind}, and the field is of type "
                f"{spec.type}",
                f"map another column, or write '{field}: {{}}' to leave it empty",
                "wrong-type",
            )

    def factor(self, field: str, spec: FieldSpec, rule: FieldMap) -> Fraction | None:
        if rule.unit is None or spec.unit is None:
            return None
        try:
            return unit_factor(rule.unit, spec.unit)
        except InputError as error:
            self.problem(field, error.what, error.remedy, "wrong-unit")
            return None


def _boolean(spec: FieldSpec) -> bool:
    return spec.type == "boolean"


def resolve(
    spec: LayerSpec,
    mapping: Mapping[str, FieldMap | str],
    columns: Sequence[tuple[str, str]],
    *,
    where: str,
    given: Collection[str] = (),
) -> Resolution:
    """Resolve a mapping; see :meth:`geoplan.ingest.attributes.plan.AttributePlan.compile`."""
    specs, own = _fields(spec)
    state = _Resolver(columns, where)
    rules: dict[str, FieldMap] = {}
    used: dict[str, tuple[str, ...]] = {}
    for field, told in mapping.items():
        rule = FieldMap.model_validate({"from": told}) if isinstance(told, str) else told
        if field not in specs:
            why = f"; its key comes from '{spec.key}'" if field == "key" and spec.key else ""
            what = f"layer '{spec.id}' has no field '{field}'{why}"
            state.problem(field, what, close_to(field, sorted(specs)), "unknown-field")
            state.sources(field, rule)
            continue
        rules[field] = rule
        used[field] = state.sources(field, rule)
    free = {f: s for f, s in specs.items() if f not in rules and f not in given}
    taken = {c for cs in used.values() for c in cs}
    matched, unclear = match_names(free, state.names, taken=taken)
    for field, column in matched.items():
        rules[field] = FieldMap.model_validate({"from": column})
        used[field] = state.sources(field, rules[field])
    needed = _needed(spec, own) - set(given)
    notes = []
    for field, there in unclear.items():
        names = ", ".join(map(repr, there))
        notes.append(
            Problem(
                f"{where}, field '{field}'",
                f"could be {names}; none was taken",
                "say which one in the mapping",
                "info",
                "unclear-column",
            )
        )
    keys = _keys(spec, specs, own)
    steps = []
    for field, field_spec in specs.items():
        if field not in rules:
            if field in needed:
                hint = unclear.get(field)
                remedy = (
                    f"map it: '{field}: {hint[0]}'"
                    if hint
                    else f"map it: '{field}: COLUMN'; {close_to(field, state.names)}"
                )
                what = "it is required and no column of the file gives it"
                state.problem(field, what, remedy, "required-missing")
            continue
        rule = rules[field]
        state.fits(field, field_spec, rule)
        factor = state.factor(field, field_spec, rule)
        empty = rule.source is None and rule.expr is None and rule.default is None
        if empty and field not in needed:
            continue
        if empty:
            state.problem(
                field, "it is required and kept empty", "map a column", "required-missing"
            )
            continue
        is_name = field == spec.key or (spec.key is None and field == "key")
        steps.append(
            Step(
                field,
                field_spec,
                rule,
                rule.source or (f"= {rule.expr}" if rule.expr is not None else "default"),
                used[field],
                factor,
                field in keys,
                "missing-key" if is_name else "required-missing" if field in needed else None,
            )
        )
    spent = {c for cs in used.values() for c in cs}
    return Resolution(
        tuple(steps),
        own,
        tuple(n for n in state.names if n not in spent),
        tuple(notes),
        tuple(state.problems),
    )
