"""``geoplan regions``: measures of regions."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import typer

from geoplan.cli.context import AppContext, console, print_json, print_table
from geoplan.errors import UnknownName
from geoplan.store import cluster
from geoplan.store.session import engine_for, transaction
from geoplan.studies.index import all_regions, index_of

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measures of regions."""


@app.command()
def index(
    ctx: typer.Context,
    top: Annotated[int, typer.Option(help="Rows shown; 0 shows all.")] = 20,
    detail: Annotated[
        str | None, typer.Option(help="Code of one region: show its indicators.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Compute the industrialisation index, with its formula and the dates of its inputs."""
    context: AppContext = ctx.obj
    profile_id = context.profile
    if profile_id is None:
        known = list(context.catalogue.profiles())
        raise UnknownName(
            "no profile was named",
            remedy=f"geoplan --profile NAME regions index; known: {', '.join(known)}",
        )
    profile = context.catalogue.profile(profile_id)
    with transaction(engine_for(cluster.ensure(context.settings))) as session:
        regions = all_regions(session, profile)
        result = index_of(session, profile, regions)
    names = regions[regions["level"] == profile.index.level].set_index("code")
    frame = result.frame.join(names[["name_en", "name_local", "parent_code"]])
    frame = frame.sort_values(["rank", "name_en"], na_position="last")
    if detail is not None and detail not in frame.index:
        raise UnknownName(
            f"no region '{detail}' at level {profile.index.level}",
            remedy="list the codes with: geoplan regions index --top 0",
        )
    if json:
        print_json(
            {
                "formula": result.formula,
                "regions": [
                    _plain({"code": c, **row}) for c, row in frame.to_dict("index").items()
                ],
                "indicators": [
                    _plain({str(k): v for k, v in row.items()})
                    for row in result.detail.to_dict("records")
                    if detail in (None, row["code"])
                ],
            }
        )
        return
    if detail is not None:
        rows = result.detail[result.detail["code"] == detail]
        print_table(
            f"{detail} {frame.loc[detail, 'name_en']}",
            ["indicator", "value", "unit", "normalised", "weight", "as of", "source"],
            [[_show(v) for v in row[1:]] for row in rows.itertuples(index=False)],
            right=(1, 3, 4),
        )
    else:
        shown = frame if top == 0 else frame.head(top)
        print_table(
            f"Industrialisation, {len(frame)} regions",
            ["rank", "code", "name", "", "index", "coverage", "less industrialised"],
            [
                [
                    _show(r["rank"], 0), code, r["name_en"], r["name_local"],
                    _show(r["industrialisation"], 3), _show(r["coverage"], 2),
                    {True: "yes", False: "no"}.get(r["less_industrialised"], "too little data"),
                ]
                for code, r in shown.iterrows()
            ],
            right=(0, 4, 5),
        )  # fmt: skip
    console.print(result.formula)


def _show(value: Any, digits: int = 3) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:,.{digits}f}" if isinstance(value, float) else str(value)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if pd.isna(value) else (bool(value) if isinstance(value, bool) else value)
        for key, value in row.items()
    }
