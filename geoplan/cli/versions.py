"""``geoplan layers``: the versions of a layer, what changed between them, and files of them."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from geoplan.cli.context import AppContext, print_json
from geoplan.cli.pack import print_lines, who
from geoplan.cli.table import Column, table_lines, terminal_width
from geoplan.errors import InputError, Problem
from geoplan.persian import key_form
from geoplan.report.diff import DiffView, diff_document, diff_lines
from geoplan.report.diff_layers import write_diff_gpkg
from geoplan.report.diff_page import write_diff_html
from geoplan.report.export import FORMATS, Exported
from geoplan.report.export_file import new_file
from geoplan.store import cluster
from geoplan.store import history as versions
from geoplan.store.find import find_rows
from geoplan.store.lineage import lineage_of
from geoplan.store.quarantine import drop_quarantine, quarantine_loads
from geoplan.store.session import engine_for, transaction
from geoplan.studies.layer_diff import compare_versions
from geoplan.studies.layer_export import export_quarantine, export_version, quarantine_name

__all__ = ["add"]

LayerArgument = Annotated[str, typer.Argument(help="Layer of the catalogue.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]


_WIDE = 100
"""Columns where the output goes to a file or a pipe."""


def _engine(ctx: typer.Context) -> Any:
    context: AppContext = ctx.obj
    return engine_for(cluster.ensure(context.settings))


def history(ctx: typer.Context, layer: LayerArgument, json: JsonOption = False) -> None:
    """List every version of a layer, and who made it current when."""
    with transaction(_engine(ctx)) as session:
        found = versions.history(session, layer)
    if json:
        print_json(asdict(found))
        return
    width = terminal_width()
    rows = found.versions
    print_lines(
        table_lines(
            [
                Column("version", [f"v{v.number}" for v in rows]),
                Column("", ["current" if v.current else "" for v in rows]),
                Column("loaded", [f"{v.loaded_at:%Y-%m-%d %H:%M}" for v in rows]),
                Column("by", [v.loaded_by for v in rows], rank=2),
                Column("file", [v.source_file for v in rows]),
                Column("mode", [v.mode or "" for v in rows], rank=3),
                Column("rows", [f"{v.rows_stored:,}" for v in rows], right=True),
                Column("refused", [f"{v.rows_refused:,}" for v in rows], right=True, rank=1),
                Column("sha256", [v.sha256[:12] for v in rows], rank=4),
            ],
            width,
        )
    )
    print_lines(["", "What the layer showed:"])
    for e in found.events:
        step = f"v{e.from_number or '–'} → v{e.to_number or '–'}"
        note = f"  ({e.note})" if e.note else ""
        print_lines([f"  {e.at:%Y-%m-%d %H:%M}  {e.action:8}  {step:12}  {e.who}{note}"])


def diff(
    ctx: typer.Context,
    layer: LayerArgument,
    before: Annotated[int | None, typer.Option("--from", help="Older version.")] = None,
    after: Annotated[
        int | None, typer.Option("--to", help="Newer version; the current one if absent.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help="Write it: .html with a map, .gpkg or .json; repeat."),
    ] = None,
    language: Annotated[
        Literal["en", "fa"], typer.Option(help="Language that the HTML opens with.")
    ] = "en",
    limit: Annotated[int, typer.Option(min=0, help="Rows listed of each kind.")] = 10,
    json: JsonOption = False,
) -> None:
    """Tell what two versions of a layer differ in: added, removed, reshaped, changed."""
    context: AppContext = ctx.obj
    view = compare_versions(_engine(ctx), context.catalogue, layer, before=before, after=after)
    for path in report or []:
        _write_diff(view, path, language)
    if json:
        print_json(diff_document(view))
    else:
        print_lines(diff_lines(view, terminal_width() or _WIDE, limit=limit))


def _write_diff(view: DiffView, path: Path, language: str) -> None:
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm"):
        write_diff_html(view, path, language=language, overwrite=True)
    elif suffix == ".gpkg":
        write_diff_gpkg(view, path, overwrite=True)
    elif suffix == ".json":
        text = jsonlib.dumps(diff_document(view), ensure_ascii=False, indent=1, allow_nan=False)
        with new_file(path, overwrite=True) as part:
            part.write_text(text + "\n", encoding="utf-8")
    else:
        raise InputError(
            f"a report of kind '{suffix or path.name}' is not written",
            where="--report",
            remedy="use a name that ends in .html, .gpkg or .json",
        )


def lineage(
    ctx: typer.Context,
    layer: LayerArgument,
    key: Annotated[str, typer.Argument(help="Key of a plot, of today or of any version.")],
    json: JsonOption = False,
) -> None:
    """Tell which plots a plot was split or merged from, and what became of it."""
    with transaction(_engine(ctx)) as session:
        found = lineage_of(session, layer, key_form(key))
    if json:
        print_json(asdict(found))
        return
    if not (found.ancestors or found.descendants):
        print_lines([f"{key} was never split, merged or redivided"])
    for title, links in (("came from", found.ancestors), ("became", found.descendants)):
        if links:
            print_lines([f"{key} {title}:"])
        for x in links:
            shares = f"{x.shared_m2:,.1f} of {x.old_m2:,.1f} m²"
            print_lines(
                [f"  v{x.from_number} {x.old_key} → v{x.to_number} {x.new_key}  {x.kind}, {shares}"]
            )


def find(
    ctx: typer.Context,
    layer: LayerArgument,
    text: Annotated[str, typer.Argument(help="Part of a key, number or name, in any spelling.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most rows.")] = 20,
    json: JsonOption = False,
) -> None:
    """Find rows by key, number or name, whichever keyboard wrote them."""
    with transaction(_engine(ctx)) as session:
        found = find_rows(session, layer, text, limit)
    if json:
        print_json([asdict(f) for f in found])
        return
    print_lines([f.key for f in found] or [f"nothing in {layer} holds '{text}'"])


def rollback(
    ctx: typer.Context,
    layer: LayerArgument,
    version: Annotated[int, typer.Option("--to", help="Version that the layer shall show.")],
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    json: JsonOption = False,
) -> None:
    """Let a layer show an older version again; nothing is lost, and the record says who and why."""
    with transaction(_engine(ctx)) as session:
        now = versions.rollback(session, layer, version, who(), note)
    if json:
        print_json(asdict(now))
    else:
        print_lines([f"{layer} shows version {now.number} again: {now.rows_stored:,} rows"])


def export(
    ctx: typer.Context,
    layer: LayerArgument,
    file: Annotated[Path, typer.Argument(help="File to make; its ending says the format.")],
    version: Annotated[int | None, typer.Option(help="Version; the current one if absent.")] = None,
    crs: Annotated[str | None, typer.Option(help="CRS of the file, as EPSG:32639.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; else by the ending.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of the text of a Shapefile or CSV.")] = "utf-8",
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a version of a layer to a file, in any CRS; what was surveyed comes back unchanged."""
    context: AppContext = ctx.obj
    done = export_version(
        _engine(ctx), context.catalogue, layer, file,
        number=version, crs=crs, format=format_, encoding=encoding, overwrite=overwrite,
    )  # fmt: skip
    _tell_export(done, json=json)


def _tell_export(done: Exported, *, json: bool) -> None:
    if json:
        print_json(asdict(done))
        return
    notes: list[Problem] = list(done.notes)
    beside = f", and {done.beside.name}" if done.beside else ""
    print_lines(
        [
            f"{done.path}{beside}: {done.rows:,} rows, {done.format}, {done.crs}, "
            f"{done.bytes:,} bytes"
        ]
    )
    for p in notes:
        print_lines(
            [f"  {p.severity:8} {p.what}" + (f"\n  {'':8} → {p.remedy}" if p.remedy else "")]
        )


def quarantine(
    ctx: typer.Context,
    layer: Annotated[str | None, typer.Argument(help="Only of this layer.")] = None,
    load: Annotated[str | None, typer.Option("--load", help="A load of the list.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder or file; the format is that of the source.")
    ] = None,
    drop: Annotated[bool, typer.Option(help="Forget the refused rows of --load.")] = False,
    json: JsonOption = False,
) -> None:
    """List the rows that loads refused, or give those of one load back as a file."""
    engine = _engine(ctx)
    if load is None:
        with transaction(engine) as session:
            found = quarantine_loads(session, layer)
        if json:
            print_json([_load_row(f) for f in found])
            return
        columns = [
            Column("load", [f.id for f in found]),
            Column("layer", [f.layer_id for f in found]),
            Column("rows", [f"{f.rows:,}" for f in found], right=True),
            Column("file", [f.source_file for f in found]),
            Column("at", [f"{f.at:%Y-%m-%d %H:%M}" for f in found], rank=1),
            Column("by", [f.who for f in found], rank=2),
        ]
        lines = table_lines(columns, terminal_width()) if found else ["nothing is in quarantine"]
        print_lines(lines)
        return
    if drop:
        with transaction(engine) as session:
            count = drop_quarantine(session, load)
        print_lines([f"{count:,} refused rows of load {load} are forgotten"])
        return
    name = quarantine_name(engine, load)
    path = Path(name) if out is None else out / name if out.is_dir() else out
    _tell_export(export_quarantine(engine, load, path), json=json)


def _load_row(load: Any) -> dict[str, Any]:
    return {
        "id": load.id, "layer": load.layer_id, "rows": load.rows, "file": load.source_file,
        "format": load.source_format, "crs": load.source_crs, "at": load.at.isoformat(),
        "who": load.who,
    }  # fmt: skip


def add(app: typer.Typer) -> None:
    """Add the commands to ``geoplan layers``."""
    for command in (history, diff, rollback, lineage, find, export, quarantine):
        app.command()(command)
