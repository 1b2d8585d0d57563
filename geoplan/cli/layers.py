"""``geoplan layers``: the catalogue, and single files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from geoplan.catalogue import LayerSpec
from geoplan.cli.context import AppContext, print_json
from geoplan.cli.pack import bar, print_lines, refuse_errors, report_of, show, who
from geoplan.cli.table import Column, table_lines, terminal_width
from geoplan.errors import FileMissing, InputError, UnknownName
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction
from geoplan.studies.pack import check_pack, load_pack, single_file_pack

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

LayerOption = Annotated[str, typer.Option("--layer", help="Layer of the catalogue.")]
FileArgument = Annotated[Path, typer.Argument(help="The file.")]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; may be repeated.")
]
MissingOption = Annotated[
    list[str] | None, typer.Option("--missing", help="A value that means 'not known'; repeat.")
]
CrsOption = Annotated[str | None, typer.Option(help="CRS of a file that does not carry one.")]
LonOption = Annotated[str | None, typer.Option(help="CSV: column of longitude.")]
LatOption = Annotated[str | None, typer.Option(help="CSV: column of latitude.")]
EncodingOption = Annotated[str | None, typer.Option(help="Encoding of the text.")]
InnerOption = Annotated[str | None, typer.Option("--source-layer", help="Layer inside the file.")]
RepairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--repair",
        help="make_valid, drop_empty, swap_axes, close_rings, dequantise; may be repeated.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.callback()
def _group() -> None:
    """The layer catalogue and single files."""


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
            raise InputError(f"--map {text!r} is not FIELD=COLUMN", where="--map")
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


def _options(
    maps: list[str] | None,
    missing: list[str] | None,
    crs: str | None,
    lon: str | None,
    lat: str | None,
    encoding: str | None,
    source_layer: str | None,
    repair: list[str] | None,
) -> dict[str, Any]:
    return {
        "fields": _pairs(maps),
        "missing": tuple(_number(m) for m in missing or []),
        "crs": crs,
        "lon": lon,
        "lat": lat,
        "encoding": encoding,
        "source_layer": source_layer,
        "repair": tuple(repair or []),
    }


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


@app.command()
def check(
    ctx: typer.Context,
    file: FileArgument,
    layer: LayerOption,
    map_: MapOption = None,
    missing: MissingOption = None,
    crs: CrsOption = None,
    lon: LonOption = None,
    lat: LatOption = None,
    encoding: EncodingOption = None,
    source_layer: InnerOption = None,
    repair: RepairOption = None,
    json: JsonOption = False,
) -> None:
    """Check one file against a layer, list all findings, and store nothing."""
    context: AppContext = ctx.obj
    options = _options(map_, missing, crs, lon, lat, encoding, source_layer, repair)
    pack, root = single_file_pack(_file(file), layer, _profile(context), options)
    with bar(quiet=json) as tell:
        report = check_pack(context.catalogue, pack, root, progress=tell)
    if json:
        print_json(report_of(report))
    else:
        show(report, title=f"{file.name}, checked in {report.seconds:.1f} s", details=True)
    refuse_errors(report, file.name)


@app.command()
def load(
    ctx: typer.Context,
    file: FileArgument,
    layer: LayerOption,
    map_: MapOption = None,
    missing: MissingOption = None,
    crs: CrsOption = None,
    lon: LonOption = None,
    lat: LatOption = None,
    encoding: EncodingOption = None,
    source_layer: InnerOption = None,
    repair: RepairOption = None,
    force: Annotated[bool, typer.Option(help="A new version even if nothing changed.")] = False,
    json: JsonOption = False,
) -> None:
    """Load one file as a new version of a layer."""
    context: AppContext = ctx.obj
    options = _options(map_, missing, crs, lon, lat, encoding, source_layer, repair)
    pack, root = single_file_pack(_file(file), layer, _profile(context), options)
    engine = engine_for(cluster.ensure(context.settings))
    with bar(quiet=json) as tell:
        report = load_pack(
            engine,
            context.settings,
            context.catalogue,
            pack,
            root,
            progress=tell,
            loaded_by=who(),
            force=force,
        )
    if json:
        print_json(report_of(report))
    else:
        show(report, title=f"{file.name}, loaded in {report.seconds:.1f} s", details=True)


def _file(file: Path) -> Path:
    if not file.is_file():
        raise FileMissing("there is no such file", where=str(file), remedy="check the path")
    return file.absolute()
