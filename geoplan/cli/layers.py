"""``geoplan layers``: the catalogue, and single files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from geoplan.catalogue import LayerSpec
from geoplan.cli import delivery, versions
from geoplan.cli.context import AppContext, print_json
from geoplan.cli.pack import print_lines
from geoplan.cli.table import Column, table_lines, terminal_width
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.callback()
def _group() -> None:
    """The layer catalogue and single files."""


@app.command("list")
def list_(
    ctx: typer.Context,
    json: JsonOption = False,
) -> None:
    """List the layers of the catalogue, with what is loaded of each."""
    context: AppContext = ctx.obj
    specs = context.catalogue.layers()
    with transaction(engine_for(cluster.ensure(context.settings))) as session:
        versions = read.layer_versions(session, list(specs))
    if json:
        rows: list[dict[str, Any]] = [
            {
                "id": spec.id,
                "title": spec.title.model_dump(exclude_none=True),
                "theme": spec.theme,
                "kind": spec.kind,
                "geometry": spec.geometry,
                "derived": spec.derived.model_dump(by_alias=True) if spec.derived else None,
                "version": versions.get(spec.id),
            }
            for spec in specs.values()
        ]
        print_json(rows)
        return
    held = [versions.get(spec.id) for spec in specs.values()]
    found = list(zip(specs.values(), held, strict=True))
    columns = [
        Column("layer", [spec.id for spec, _ in found]),
        Column("theme", [spec.theme for spec, _ in found], rank=5),
        Column("kind", [spec.geometry or spec.kind for spec, _ in found], rank=2),
        Column("rows", [f"{v['rows']:,}" if v else "–" for v in held], right=True),
        Column("version", [f"v{v['number']}" if v else "" for v in held], rank=4),
        Column("as of", [_as_of(spec, v) for spec, v in found], rank=1),
        Column("mark", [_mark(v) for v in held]),
        Column("title", [spec.title.en for spec, _ in found], rank=3),
    ]
    print_lines(table_lines(columns, terminal_width()))
    print_lines(["", f"{len(versions)} of {len(specs)} layers are loaded"])


_DATE_WIDTH = 24


def _as_of(spec: LayerSpec, version: Mapping[str, Any] | None) -> str:
    if version is None:
        return f"from {spec.derived.source}" if spec.derived else "not loaded"
    text = str(version["as_of"] or "")
    return text if len(text) <= _DATE_WIDTH else text[: _DATE_WIDTH - 1].rstrip() + "…"


def _mark(version: Mapping[str, Any] | None) -> str:
    """Return what must stand beside the figures of a layer."""
    if version is None:
        return ""
    marks = ["assumed"] if version["basis"] == "assumed" else []
    return ", ".join([*marks, "synthetic"] if version["synthetic"] else marks)


delivery.add(app)
versions.add(app)
