"""``geoplan db``: start, stop, look at and back up the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url

from geoplan.cli.context import AppContext, console, print_json
from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.cluster import ClusterStatus
from geoplan.store.session import address_of

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for machines.")]


@app.command()
def up(ctx: typer.Context, json: Json = False) -> None:
    """Make what is missing of the private cluster, start it, bring its tables up to date."""
    settings = _settings(ctx)
    _show(cluster.up(settings), settings, json)


@app.command()
def down(ctx: typer.Context, json: Json = False) -> None:
    """Stop the private cluster. Nothing is lost; a server of your own is left alone."""
    settings = _settings(ctx)
    _show(cluster.down(settings), settings, json)


@app.command()
def status(ctx: typer.Context, json: Json = False) -> None:
    """Say whether the database runs, where its data lie and why there; exit 1 if it does not."""
    settings = _settings(ctx)
    found = cluster.status(settings)
    _show(found, settings, json)
    if not found.running:
        raise typer.Exit(1)


@app.command()
def migrate(ctx: typer.Context, json: Json = False) -> None:
    """Bring the tables up to date, starting the private cluster if needed."""
    settings = _settings(ctx)
    cluster.ensure(settings)
    _show(cluster.status(settings), settings, json)


@app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, for example geoplan.dump.")],
    json: Json = False,
) -> None:
    """Write the whole database to a file. Rasters and run folders are files already."""
    settings = _settings(ctx)
    cluster.backup(settings, file)
    size = file.stat().st_size
    if json:
        print_json({"file": str(file.absolute()), "bytes": size, "not_included": _beside(settings)})
        return
    console.print(f"Written: {file.absolute()} ({size / 1e6:,.1f} MB)")
    console.print(f"Not in it, copy them too: {', '.join(_beside(settings))}")


@app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File that 'geoplan db backup' wrote.")],
    json: Json = False,
) -> None:
    """Replace the database by a backup; what is there stays until the backup is read whole."""
    settings = _settings(ctx)
    cluster.restore(settings, file)
    if json:
        print_json({"file": str(file.absolute()), "restored": True})
        return
    console.print(f"Restored: {file.absolute()}")


def _settings(ctx: typer.Context) -> Settings:
    shared = ctx.obj
    return shared.settings if isinstance(shared, AppContext) else Settings.from_environment()


def _beside(settings: Settings) -> list[str]:
    kept = (settings.rasters_dir, settings.runs_dir, settings.uploads_dir, settings.jobs_dir)
    return [str(folder) for folder in kept]


def _show(found: ClusterStatus, settings: Settings, json: bool) -> None:
    private = settings.database_url is None
    secret = cluster.password_file(settings)
    lines: dict[str, Any] = {
        "running": found.running,
        "address": address_of(found.url) if found.url else None,
        "user": make_url(found.url).username if found.url else None,
        # Never the password itself: screens are shared and logs are kept.
        "password_file": str(secret) if private and secret.exists() else None,
        "data": str(found.data_dir) if found.data_dir else None,
        "log": str(found.data_dir.parent / "server.log") if found.data_dir else None,
        "postgresql": found.server_version,
        "postgis": found.postgis_version,
        "reason": found.reason,
    }
    if json:
        print_json(lines)
        return
    console.print("The database runs." if found.running else "The database does not run.")
    for name, value in lines.items():
        if name != "running" and value is not None:
            console.print(f"  {name.replace('_', ' '):14}{value}", markup=False)
