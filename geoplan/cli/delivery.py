"""``geoplan layers check`` and ``load``: one delivered file, all that is wrong with it at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from geoplan.catalogue.folder import read_model
from geoplan.catalogue.mapping import REPAIRS, FileMapping
from geoplan.cli.context import AppContext, print_json
from geoplan.cli.pack import bar, print_lines, refuse_errors, report_of, show, who
from geoplan.cli.table import terminal_width
from geoplan.errors import CheckFailed, FileMissing, InputError, UnknownName
from geoplan.ingest.inspection import Inspection
from geoplan.report.inspection_document import inspection_document
from geoplan.report.inspection_file import write_inspection
from geoplan.report.inspection_lines import terminal_lines
from geoplan.store import cluster
from geoplan.store.session import engine_for
from geoplan.studies.delivery import LoadOutcome, check_delivery, load_delivery
from geoplan.studies.delivery_options import DeliveryOptions, Tell
from geoplan.studies.delivery_options import Progress as Pace
from geoplan.studies.pack import check_pack, load_pack, single_file_pack

__all__ = ["add"]

FileArgument = Annotated[Path, typer.Argument(help="The file; for a FileGDB its folder or zip.")]
LayerOption = Annotated[str, typer.Option("--layer", help="Layer of the catalogue.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="YAML that says how columns become fields.")
]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; may be repeated.")
]
MissingOption = Annotated[
    list[str] | None, typer.Option("--missing", help="A value that means 'not known'; repeat.")
]
CrsOption = Annotated[
    str | None, typer.Option("--crs", help="CRS of the coordinates; wins over the file's.")
]
AcceptOption = Annotated[
    bool, typer.Option("--accept-crs", help="Take the CRS that the coordinates speak for.")
]
LonOption = Annotated[str | None, typer.Option(help="Table: column of x or longitude.")]
LatOption = Annotated[str | None, typer.Option(help="Table: column of y or latitude.")]
WktOption = Annotated[str | None, typer.Option(help="Table: column of WKT.")]
EncodingOption = Annotated[str | None, typer.Option(help="Encoding of the text.")]
InnerOption = Annotated[str | None, typer.Option("--source-layer", help="Layer inside the file.")]
RepairOption = Annotated[
    list[str] | None,
    typer.Option("--repair", help=f"{', '.join(REPAIRS)}; may be repeated."),
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Write the report: .html, .json or .gpkg; may be repeated."),
]
LanguageOption = Annotated[
    Literal["en", "fa"], typer.Option(help="Language that the HTML report opens with.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]


_WIDE = 100
"""Columns where the output goes to a file or a pipe."""


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _pairs(given: list[str] | None) -> dict[str, str]:
    out: dict[str, str] = {}
    for text in given or []:
        field, sign, column = text.partition("=")
        if not sign or not field or not column:
            raise InputError(
                f"--map {text!r} is not FIELD=COLUMN",
                where="--map",
                remedy="write the layer's field, '=', and the file's column",
            )
        out[field.strip()] = column.strip()
    return out


def _profile(context: AppContext) -> str:
    if context.profile is not None:
        return context.profile
    known = list(context.catalogue.profiles())
    if len(known) == 1:
        return known[0]
    raise UnknownName(
        "no profile was named",
        remedy=f"geoplan --profile NAME layers …; known: {', '.join(known) or 'none'}",
    )


def _options(context: AppContext, layer: str, given: dict[str, Any]) -> DeliveryOptions:
    """Return the options of a command: the mapping file, and what was said beside it."""
    path: Path | None = given.pop("mapping")
    base = FileMapping() if path is None else read_model(path, FileMapping, what="mapping")
    said: dict[str, Any] = {
        k: v for k in ("source_layer", "encoding", "crs", "lon", "lat", "wkt") if (v := given[k])
    }
    said["fields"] = {**base.fields, **_pairs(given["map_"])}
    said["missing"] = (*base.missing, *map(_number, given["missing"] or []))
    said["repair"] = tuple(dict.fromkeys((*base.repair, *(given["repair"] or []))))
    try:
        mapping = FileMapping.model_validate(
            {**base.model_dump(by_alias=True, exclude_unset=True), **said}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{first['msg']}: {first.get('input')!r}",
            where="--" + str(first["loc"][0]),
            remedy=f"repairs: {', '.join(REPAIRS)}" if first["loc"][0] == "repair" else "",
        ) from error
    return DeliveryOptions(
        layer=layer,
        profile=_profile(context),
        mapping=mapping,
        accept_crs=given["accept_crs"],
        mode=given.get("mode", "replace"),
        partial=given.get("partial", False),
        force=given.get("force", False),
    )


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Tell | None]:
    """Give a progress callback: a bar with rows per second and time left, on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description:8}"), BarColumn(), TextColumn("{task.fields[pace]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0, pace="")

        def tell(pace: Pace) -> None:
            progress.update(task, description=pace.step, completed=pace.share, pace=_pace(pace))

        yield tell


def _pace(pace: Pace) -> str:
    said = [f"{pace.rows_done:,}" + (f" of {pace.rows_total:,}" if pace.rows_total else "")]
    if pace.rows_per_s:
        said.append(f"{pace.rows_per_s:,.0f} rows/s")
    if pace.seconds_left is not None:
        said.append(f"{pace.seconds_left:,.0f} s left")
    return ", ".join(said)


def _refuse(found: Inspection) -> None:
    if found.errors:
        raise CheckFailed(
            f"{found.errors:,} problem{'s' if found.errors > 1 else ''} would stop the load",
            where=found.file,
            remedy="mend the file, ask for repairs with --repair, or load the good rows with "
            "--partial; --report problems.gpkg shows each place",
        )


def _is_streamed(context: AppContext, layer: str) -> bool:
    """Tell whether a layer's rows are figures on the ground; others are loaded as a pack of one."""
    spec = context.catalogue.layer(layer)
    return spec.kind == "vector" and spec.table not in ("regions", "region_facts")


def _as_pack(
    context: AppContext, file: Path, options: DeliveryOptions, *, store: bool, json: bool
) -> None:
    """Check or load rasters, tables and regions: what the streamed way does not take."""
    if not file.is_file():
        raise FileMissing("there is no such file", where=str(file), remedy="check the path")
    mapping = options.mapping
    keys = {"fields", "missing", "crs", "lon", "lat", "encoding", "source_layer", "as_of", "source",
            "licence", "confidence", "basis", "method"}  # fmt: skip
    given = {k: v for k, v in mapping.model_dump(by_alias=True).items() if k in keys}
    known = ("make_valid", "drop_empty", "swap_axes", "close_rings", "dequantise")
    given["repair"] = tuple(r for r in mapping.repair if r in known)
    pack, root = single_file_pack(file.absolute(), options.layer, _profile(context), given)
    with bar(quiet=json) as tell:
        if store:
            engine = engine_for(cluster.ensure(context.settings))
            report = load_pack(
                engine, context.settings, context.catalogue, pack, root,
                progress=tell, loaded_by=who(), force=options.force,
            )  # fmt: skip
        else:
            report = check_pack(context.catalogue, pack, root, progress=tell)
    if json:
        print_json(report_of(report))
    else:
        done = "loaded" if store else "checked"
        show(report, title=f"{file.name}, {done} in {report.seconds:.1f} s", details=True)
    if not store:
        refuse_errors(report, file.name)


def check(
    ctx: typer.Context,
    file: FileArgument,
    layer: LayerOption,
    mapping: MappingOption = None,
    map_: MapOption = None,
    missing: MissingOption = None,
    crs: CrsOption = None,
    accept_crs: AcceptOption = False,
    lon: LonOption = None,
    lat: LatOption = None,
    wkt: WktOption = None,
    encoding: EncodingOption = None,
    source_layer: InnerOption = None,
    repair: RepairOption = None,
    report: ReportOption = None,
    language: LanguageOption = "en",
    limit: Annotated[int, typer.Option(min=0, help="Findings listed of each kind.")] = 5,
    json: JsonOption = False,
) -> None:
    """Check one file against a layer, list all findings, and store nothing."""
    options = _options(ctx.obj, layer, dict(locals()))
    context: AppContext = ctx.obj
    if not _is_streamed(context, layer):
        _as_pack(context, file, options, store=False, json=json)
        return
    engine = engine_for(cluster.ensure(context.settings))
    with _bar(quiet=json) as tell:
        found = check_delivery(
            engine, context.settings, context.catalogue, file, options, progress=tell
        )
    for path in report or []:
        write_inspection(found, path, language=language)
    if json:
        print_json(inspection_document(found))
    else:
        print_lines(terminal_lines(found, terminal_width() or _WIDE, limit=limit))
    _refuse(found)


def load(
    ctx: typer.Context,
    file: FileArgument,
    layer: LayerOption,
    mapping: MappingOption = None,
    map_: MapOption = None,
    missing: MissingOption = None,
    crs: CrsOption = None,
    accept_crs: AcceptOption = False,
    lon: LonOption = None,
    lat: LatOption = None,
    wkt: WktOption = None,
    encoding: EncodingOption = None,
    source_layer: InnerOption = None,
    repair: RepairOption = None,
    mode: Annotated[
        Literal["replace", "upsert", "append"],
        typer.Option(help="Replace all rows, upsert by key, or append."),
    ] = "replace",
    partial: Annotated[
        bool, typer.Option(help="Store the good rows; the others go into quarantine.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only.")] = False,
    force: Annotated[bool, typer.Option(help="A new version even if nothing changed.")] = False,
    report: ReportOption = None,
    language: LanguageOption = "en",
    limit: Annotated[int, typer.Option(min=0, help="Findings listed of each kind.")] = 5,
    json: JsonOption = False,
) -> None:
    """Load one file as a new version of a layer: all of it, or nothing."""
    options = _options(ctx.obj, layer, dict(locals()))
    context: AppContext = ctx.obj
    if not _is_streamed(context, layer):
        _as_pack(context, file, options, store=not dry_run, json=json)
        return
    engine = engine_for(cluster.ensure(context.settings))
    with _bar(quiet=json) as tell:
        if dry_run:
            found = check_delivery(
                engine, context.settings, context.catalogue, file, options, progress=tell
            )
            outcome = None
        else:
            outcome = load_delivery(
                engine,
                context.settings,
                context.catalogue,
                file,
                options,
                loaded_by=who(),
                progress=tell,
            )
            found = outcome.inspection
    for path in report or []:
        write_inspection(found, path, language=language)
    if json:
        print_json({**inspection_document(found), "load": _stored(outcome)})
    else:
        lines = terminal_lines(found, terminal_width() or _WIDE, limit=limit)
        print_lines([*lines, "", _said(outcome, layer)])
    if outcome is None or outcome.version is None:
        _refuse(found)


def _stored(outcome: LoadOutcome | None) -> dict[str, Any] | None:
    if outcome is None or outcome.version is None:
        return None
    return {
        "layer_version": outcome.number,
        "rows_stored": outcome.rows_stored,
        "unchanged": outcome.unchanged,
        "quarantine": outcome.quarantine,
    }


def _said(outcome: LoadOutcome | None, layer: str) -> str:
    if outcome is None:
        return "dry run: nothing was stored"
    if outcome.version is None:
        return "nothing was stored; the layer shows what it showed before"
    if outcome.unchanged:
        return f"{layer} is at version {outcome.number} with just this file; nothing to do"
    text = f"{layer} is now at version {outcome.number} with {outcome.rows_stored:,} rows"
    if outcome.quarantine is not None:
        text += (
            f"; {outcome.inspection.rows_refused:,} rows are in quarantine: "
            f"geoplan layers quarantine --load {outcome.quarantine}"
        )
    return text


def add(app: typer.Typer) -> None:
    """Add the two commands to ``geoplan layers``."""
    app.command()(check)
    app.command()(load)
