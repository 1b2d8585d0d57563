"""One inspected file as a document for machines: everything, with units and places."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import shapely

from geoplan.catalogue.checks import DEFECTS
from geoplan.catalogue.text import Text
from geoplan.errors import Problem
from geoplan.ingest.inspection import CrsEvidence, Finding, Inspection
from geoplan.report.inspection_order import ordered_findings, ordered_tallies, verdict
from geoplan.report.inspection_place import finite, lonlat, points_in
from geoplan.report.inspection_words import evidence_text, remedy, says, speaking
from geoplan.report.language import Language

__all__ = ["inspection_document"]

_LANGUAGES = {"en": Language("en"), "fa": Language("fa")}
_UNITS = {"m": "m", "m2": "m2", "deg": "degree", "share": "1"}


def inspection_document(inspection: Inspection) -> dict[str, Any]:
    """Return all that is known of a file as values that JSON has.

    Parameters
    ----------
    inspection : Inspection
        What was found.

    Returns
    -------
    dict
        Findings carry ``geometry`` (GeoJSON) and ``place`` (longitude, latitude), both in degrees
        of EPSG:4326 and ``null`` where the CRS is not known or there is no place;
        ``place_source`` is a point in the CRS of the file. ``tallies`` are exact also where not
        each finding is listed. Numbers that are not finite are ``null``. Sentences are in English
        and Persian.
    """
    say = {code: speaking(language) for code, language in _LANGUAGES.items()}
    source = inspection.source
    listed = [finding for _, finding in ordered_findings(inspection)]
    document = {
        "file": inspection.file,
        "sha256": inspection.sha256,
        "layer": inspection.layer,
        "title": _text(inspection.title),
        "synthetic": inspection.synthetic,
        "loadable": inspection.errors == 0,
        "errors": inspection.errors,
        "verdict": {code: verdict(inspection, each) for code, each in say.items()},
        "source": {
            "format": source.format,
            "layer": source.layer,
            "layers": list(source.layers),
            "crs": source.crs,
            "encoding": source.encoding,
            "encoding_how": source.encoding_how,
            "geometry_type": source.geometry_type,
            "rows": source.rows,
            "columns": [{"name": name, "type": kind} for name, kind in source.columns],
        },
        "crs": {
            "used": inspection.crs or None,
            "how": inspection.crs_how,
            "evidence": _evidence(inspection.evidence, say),
        },
        "columns": [
            {"field": field, "source": column, "type": kind}
            for field, column, kind in inspection.columns
        ],
        "unused_columns": list(inspection.unused),
        "rows": {
            "read": inspection.rows_read,
            "good": inspection.rows_good,
            "refused": inspection.rows_refused,
        },
        "tallies": _tallies(inspection, say),
        "findings": _findings(inspection, listed, say),
        "problems": [_problem(p) for p in inspection.problems],
        "repairs": [
            {
                "row": r.row,
                "key": r.key,
                "how": r.how,
                "area_before_m2": r.area_before_m2,
                "area_after_m2": r.area_after_m2,
                "area_change_m2": r.area_after_m2 - r.area_before_m2,
            }
            for r in inspection.repairs
        ],
        "tolerances": _rules(inspection),
        "seconds": inspection.seconds,
    }
    found: dict[str, Any] = _finite(document)
    return found


def _tallies(inspection: Inspection, say: Mapping[str, Language]) -> dict[str, Any]:
    listed: dict[str, int] = {}
    for finding in inspection.findings:
        listed[finding.code] = listed.get(finding.code, 0) + 1
    return {
        code: {
            "severity": tally.severity,
            "count": tally.count,
            "area_m2": tally.area_m2,
            "listed": listed.get(code, 0),
            "title": _text(DEFECTS[code].title) if code in DEFECTS else {"en": code},
            "remedy": {k: remedy(code, each, inspection.rules) for k, each in say.items()},
        }
        for code, tally in ordered_tallies(inspection)
    }


def _findings(
    inspection: Inspection, listed: list[Finding], say: Mapping[str, Language]
) -> list[dict[str, Any]]:
    shapes = [finding.geometry for finding in listed]
    degrees = lonlat(shapes, inspection.crs)
    at = points_in(degrees)
    source = points_in(finite(shapes))
    geojson = shapely.to_geojson(degrees)
    return [
        {
            "number": number,
            "code": finding.code,
            "severity": finding.severity,
            "rows": list(finding.rows),
            "keys": list(finding.keys),
            "area_m2": finding.area_m2,
            "numbers": dict(finding.numbers),
            "text": finding.text,
            "sentence": {code: says(finding, each) for code, each in say.items()},
            "place": None if math.isnan(point[0]) else [round(float(v), 9) for v in point],
            "place_source": None if math.isnan(raw[0]) else [float(v) for v in raw],
            "geometry": None if shape is None else json.loads(shape),
        }
        for number, (finding, point, raw, shape) in enumerate(
            zip(listed, at, source, geojson, strict=True), 1
        )
    ]


def _evidence(evidence: CrsEvidence | None, say: Mapping[str, Language]) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "proposed": evidence.crs,
        "declared": evidence.declared,
        "reason": evidence.reason,
        "swap_axes": evidence.swap_axes,
        "inside_share": evidence.inside_share,
        "declared_share": evidence.declared_share,
        "others": [{"crs": crs, "inside_share": share} for crs, share in evidence.others],
        "sentence": {code: " ".join(evidence_text(evidence, each)) for code, each in say.items()},
    }


def _rules(inspection: Inspection) -> dict[str, Any]:
    out: dict[str, Any] = {}
    fields = type(inspection.rules).model_fields
    for name, value in inspection.rules.model_dump(mode="json").items():
        unit = _UNITS.get(name.rsplit("_", 1)[-1]) if isinstance(value, float) else None
        out[name] = {"value": value, "unit": unit, "meaning": fields[name].description}
    return out


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "where": problem.where,
        "what": problem.what,
        "remedy": problem.remedy,
        "count": problem.count,
    }


def _text(text: Text) -> dict[str, str]:
    return {name: words for name, words in text.model_dump().items() if words}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value
