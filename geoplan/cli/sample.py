"""``geoplan sample``: make the synthetic country."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geoplan.cli.context import console, print_json, print_table
from geoplan.sample import Size, make

__all__ = ["sample"]


def sample(
    out: Annotated[Path, typer.Argument(help="Folder for the pack: new, empty, or an older one.")],
    seed: Annotated[int, typer.Option(min=0, help="One seed gives one country.")] = 7,
    size: Annotated[
        str, typer.Option(help="'standard' (300 × 260 km) or 'small' (90 × 80 km).")
    ] = "standard",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make the synthetic country as a pack of files that ``geoplan pack load`` reads.

    Nothing in it is real. The folder is replaced only where an earlier synthetic country lies in
    it, and only when the new one is complete.
    """
    started = time.monotonic()
    columns = (TextColumn("{task.description:20}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=json) as bars:
        task = bars.add_task("synthetic country", total=1.0)
        summary = make(
            out,
            seed=seed,
            size=cast(Size, size),  # unknown sizes are refused there
            progress=lambda what, done: bars.update(task, description=what, completed=done),
        )
    if json:
        print_json(
            {
                "folder": str(summary.folder),
                "pack": str(summary.folder / "pack.yaml"),
                "synthetic": True,
                "seed": seed,
                "size": size,
                "rows": summary.rows,
            }
        )
        return
    print_table(
        "Synthetic country / کشور ساختگی",
        ("layer", "rows"),
        [(layer, f"{count:,}") for layer, count in summary.rows.items()],
        right=(1,),
    )
    sys.stdout.write(
        f"{summary.folder} in {time.monotonic() - started:.1f} s; load it with\n"
        f"  geoplan pack load {summary.folder / 'pack.yaml'} {summary.folder}\n"
    )
