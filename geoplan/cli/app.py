"""The ``geoplan`` command: global options and sub-commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from geoplan import __version__
from geoplan.catalogue import Catalogue
from geoplan.cli import db, demo, layers, pack, regions, sample, serve, site, user
from geoplan.cli.context import AppContext
from geoplan.settings import Settings

__all__ = ["app"]

app = typer.Typer(
    name="geoplan",
    help="Land-use planning platform for industrial estates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(db.app, name="db", help="The database: start, stop, back up.")
app.add_typer(layers.app, name="layers", help="The layer catalogue and single files.")
app.add_typer(pack.app, name="pack", help="Deliveries of many files.")
app.add_typer(site.app, name="site", help="Siting runs.")
app.add_typer(regions.app, name="regions", help="Measures of regions.")
app.add_typer(user.app, name="user", help="Who may load through the service.")
app.command(name="sample", help="Make the synthetic country as a pack of files.")(sample.sample)
app.command(name="demo", help="Make, load and plan the synthetic country, then serve it.")(
    demo.demo
)
app.command(name="serve", help="Serve the map and the API.")(serve.serve)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"geoplan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Private folder: database, rasters, runs [env: GEOPLAN_HOME]."),
    ] = None,
    layers_dir: Annotated[
        Path | None,
        typer.Option(
            help="Extra catalogue folder; wins over the bundled one [GEOPLAN_LAYERS_DIR]."
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Country profile, by id or path [GEOPLAN_PROFILE].")
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if ctx.resilient_parsing or {"-h", "--help"} & set(sys.argv[1:]):
        return
    environ = dict(os.environ)
    if home is not None:
        environ["GEOPLAN_HOME"] = str(home)
    if layers_dir is not None:
        environ["GEOPLAN_LAYERS_DIR"] = str(layers_dir)
    if profile is not None:
        environ["GEOPLAN_PROFILE"] = profile
    settings = Settings.from_environment(environ)
    ctx.obj = AppContext(
        settings=settings,
        catalogue=Catalogue.standard(settings.layers_dir),
        profile=settings.profile,
    )
