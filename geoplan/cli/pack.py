"""``geoplan pack``: check and load deliveries of many files."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geoplan.cli.context import AppContext, print_json
from geoplan.cli.table import Column, paragraph, table_lines, terminal_width
from geoplan.errors import CheckFailed, Problem
from geoplan.store import cluster
from geoplan.store.session import engine_for
from geoplan.studies.pack import LayerReport, PackReport, check_pack, load_pack
from geoplan.studies.pack import Progress as Tell

__all__ = ["app", "bar", "print_lines", "refuse_errors", "report_of", "show", "who"]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Deliveries of many files."""


def _silent(what: str, share: float) -> None:
    del what, share


@contextmanager
def bar(*, quiet: bool) -> Iterator[Tell]:
    """Give a progress callback: a bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _silent
        return
    columns = (TextColumn("{task.description:32}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda what, share: progress.update(task, description=what, completed=share)


def who() -> str:
    """Return the name of the person at this machine, for the record of a load."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def report_of(report: PackReport) -> dict[str, Any]:
    """Return a report as plain values, for JSON."""
    layers = [
        {
            **asdict(r),
            "repaired": r.repaired,
            "warnings": r.warnings,
            "problems": [asdict(p) for p in r.problems],
        }
        for r in report.layers
    ]
    return {"pack": report.pack, "seconds": round(report.seconds, 2), "layers": layers}


def _state(layer: LayerReport) -> str:
    if layer.version is None:
        return ""
    return f"v{layer.version} {'same' if layer.status == 'unchanged' else 'new'}"


def _many(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def show(report: PackReport, *, title: str, details: bool) -> None:
    """Print a report: one line per layer, then what was found, file by file."""
    width = terminal_width()
    layers = report.layers

    def counts(of: Callable[[LayerReport], int]) -> list[str]:
        return [f"{n:,}" if (n := of(r)) else "" for r in layers]

    repaired = [", ".join(f"{code} {n:,}" for code, n in r.repaired.items()) for r in layers]
    columns = [
        Column("layer", [r.layer for r in layers]),
        Column("version", [_state(r) for r in layers], rank=1),
        Column("read", counts(lambda r: r.rows_read), right=True, rank=1),
        Column("made", counts(lambda r: r.rows_made), right=True, rank=2),
        Column("stored", [f"{r.rows_stored:,}" for r in layers], right=True),
        Column("left out", counts(lambda r: sum(r.filtered.values())), right=True, rank=1),
        Column("refused", counts(lambda r: r.rows_refused), right=True, rank=1),
        Column("warnings", counts(lambda r: r.warnings), right=True, rank=1),
        Column("basis", [r.basis if r.basis == "assumed" else "" for r in layers], rank=3),
        Column("s", [f"{r.seconds:.1f}" for r in layers], right=True, rank=5),
        Column("repaired", repaired, rank=4),
    ]
    print_lines([title, "", *table_lines(columns, width)])
    where = ""
    for p in report.problems:
        if p.severity == "info" and not details:
            continue
        if p.where != where:
            print_lines(["", p.where])
            where = p.where
        what = f"{p.what} ({p.code})"
        print_lines([paragraph(f"  {p.severity:9} ", what, width)])
        if p.remedy:
            print_lines([paragraph(f"  {'':9} → ", p.remedy, width)])
    found = Counter(p.severity for p in report.problems)
    stored = sum(r.rows_stored for r in layers)
    said = [
        _many(len(layers), "layer"),
        _many(stored, "row") + (" to store" if layers[0].version is None else " stored"),
        _many(found["error"], "error"),
        _many(found["warning"], "warning"),
        _many(found["repaired"], "repair"),
    ]
    hint = f"; {_many(found['info'], 'note')} more with --details" if found["info"] else ""
    print_lines(["", ", ".join(said) + ("" if details else hint)])


def print_lines(lines: Sequence[str]) -> None:
    """Print lines as they are."""
    sys.stdout.write("\n".join(lines) + "\n")


def refuse_errors(report: PackReport, name: str) -> None:
    """Turn findings that would stop a load into the answer no."""
    errors: list[Problem] = [p for p in report.problems if p.severity == "error"]
    if errors:
        raise CheckFailed(
            f"{len(errors)} problem{'s' if len(errors) > 1 else ''} would stop the load",
            where=name,
            remedy="mend the files or the pack; each line above says what and how",
        )


@app.command()
def check(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Pack, by id or path of its YAML.")],
    root: Annotated[Path, typer.Argument(help="Folder of the delivered files.")],
    details: Annotated[bool, typer.Option(help="Show what is merely noted, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Read every file as a load would, list all findings, and store nothing."""
    context: AppContext = ctx.obj
    with bar(quiet=json) as tell:
        report = check_pack(context.catalogue, name, root, progress=tell)
    if json:
        print_json(report_of(report))
    else:
        show(
            report, title=f"pack {report.pack}, checked in {report.seconds:.1f} s", details=details
        )
    refuse_errors(report, name)


@app.command()
def load(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Pack, by id or path of its YAML.")],
    root: Annotated[Path, typer.Argument(help="Folder of the delivered files.")],
    force: Annotated[
        bool, typer.Option(help="New versions even where nothing has changed.")
    ] = False,
    details: Annotated[bool, typer.Option(help="Show what is merely noted, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Load a pack: all of its layers, or nothing."""
    context: AppContext = ctx.obj
    engine = engine_for(cluster.ensure(context.settings))
    with bar(quiet=json) as tell:
        report = load_pack(
            engine,
            context.settings,
            context.catalogue,
            name,
            root,
            progress=tell,
            loaded_by=who(),
            force=force,
        )
    if json:
        print_json(report_of(report))
    else:
        show(report, title=f"pack {report.pack}, loaded in {report.seconds:.1f} s", details=details)
