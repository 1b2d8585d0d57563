"""``geoplan regions studies``: measures of regions that were stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from geoplan.cli.context import AppContext, print_json, print_table
from geoplan.cli.region_answer import Json, database
from geoplan.store.serve.region_studies import region_studies, study_document
from geoplan.store.session import transaction

__all__ = ["studies"]


def studies(
    ctx: typer.Context,
    study: Annotated[
        str | None, typer.Argument(help="Id of one study: print its document as JSON.")
    ] = None,
    json: Json = False,
) -> None:
    """List the stored measures of regions, newest first."""
    context: AppContext = ctx.obj
    with transaction(database(context)) as session:
        if study is not None:
            print_json(study_document(session, study))
            return
        rows = region_studies(session, context.profile)
    if json:
        print_json([asdict(row) for row in rows])
        return
    print_table(
        f"{len(rows)} studies of regions",
        ["id", "made", "kind", "of", "level", "values", "layers", "asked (sha256)"],
        [
            [r.id, r.created_at.strftime("%Y-%m-%d %H:%M"), r.kind, r.title_en, r.level,
             f"{r.values:,}", len(r.layers), r.spec_sha256[:12]]
            for r in rows
        ],
        right=(4, 5, 6),
    )  # fmt: skip
