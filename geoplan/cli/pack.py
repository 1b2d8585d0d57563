"""``geoplan pack``: check and load deliveries of many files."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from geoplan.cli.context import AppContext, console, print_json
from geoplan.errors import CheckFailed, Problem
from geoplan.store import cluster
from geoplan.store.session import engine_for
from geoplan.studies.pack import PackReport, check_pack, load_pack
from geoplan.studies.pack import Progress as Tell

__all__ = ["app", "bar", "refuse_errors", "report_of", "show", "who", "wide_table"]

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


def _repairs(repaired: dict[str, int]) -> str:
    return ", ".join(f"{code} {n:,}" for code, n in repaired.items())


def wide_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[int] = ()
) -> None:
    """Print a table whose last column may wrap; its width does not depend on a pipe's default."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for i, name in enumerate(columns):
        last = i == len(columns) - 1
        side: Literal["left", "right"] = "right" if i in right else "left"
        table.add_column(name, justify=side, no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    Console(highlight=False, width=None if console.is_terminal else 180).print(table)


def show(report: PackReport, *, title: str, details: bool) -> None:
    """Print a report: one line per layer, then what was found."""
    rows = [
        (
            r.layer,
            r.status if r.version is None else f"{r.status} v{r.version}",
            f"{r.rows_read:,}" if r.status != "unchanged" else "",
            f"{r.rows_stored:,}",
            f"{sum(r.filtered.values()):,}" if r.filtered else "",
            f"{r.rows_refused:,}" if r.rows_refused else "",
            r.warnings or "",
            "assumed" if r.basis == "assumed" else "",
            f"{r.seconds:.2f}",
            _repairs(r.repaired),
        )
        for r in report.layers
    ]
    head = (
        "layer", "status", "read", "stored", "filtered", "refused", "warnings", "basis", "s",
        "repaired",
    )  # fmt: skip
    wide_table(title, head, rows, right=(2, 3, 4, 5, 6, 8))
    found = [p for p in report.problems if details or p.severity != "info"]
    if found:
        console.print()
    for p in found:
        console.print(f"{p.severity:8} {p.code} × {p.count:,}  {p.where}: {p.what}", markup=False)
        if p.remedy:
            console.print(f"         → {p.remedy}", markup=False)


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
