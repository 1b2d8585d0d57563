"""``geoplan site explain --at``: why a place is, or is not, part of a candidate."""

from __future__ import annotations

import math

from geoplan.cli.context import AppContext, console, print_json
from geoplan.cli.run_folder import folder_of
from geoplan.errors import InputError
from geoplan.studies.place import why_place

__all__ = ["explain_place"]


def explain_place(
    context: AppContext, run: str, at: str | None, *, language: str, json: bool
) -> None:
    """Print what a run says of a place.

    Raises
    ------
    InputError
        Neither a site nor a place was named, or both, or the place is no pair of numbers.
    """
    try:
        lon, lat = (float(part) for part in (at or "").split(","))
    except ValueError:
        raise InputError(
            f"'{at}' is no place" if at else "name either a site or a place",
            where="--at",
            remedy="geoplan site explain RUN SITE, or geoplan site explain RUN --at 51.39,35.70 "
            "(longitude, latitude)",
        ) from None
    found = why_place(folder_of(context, run), lon, lat)
    if json:
        print_json(
            {
                "lon": found.lon,
                "lat": found.lat,
                "score": None if math.isnan(found.score) else found.score,
                "percentile": None if math.isnan(found.percentile) else found.percentile,
                "site_id": found.site_id,
                "reasons": [
                    {"code": r.code, "text": {"en": r.text.en, "local": r.text.fa}}
                    for r in found.reasons
                ],
            }
        )
        return
    for reason in found.reasons:
        told = reason.text.fa if language == "fa" else reason.text.en
        console.print(f"- {told}")
