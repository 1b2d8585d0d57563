"""The ``geoplan`` command: global options and sub-commands."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from geoplan import __version__
from geoplan.catalogue import Catalogue
from geoplan.cli.context import AppContext
from geoplan.settings import Settings

__all__ = ["app"]

_COMMANDS = {
    "db": "The database: start, stop, back up.",
    "layers": "The layer catalogue and single files.",
    "pack": "Deliveries of many files.",
    "site": "Siting runs.",
    "regions": "Measures of regions.",
    "user": "Who may load through the service.",
    "sample": "Make the synthetic country as a pack of files.",
    "demo": "Make, load and plan the synthetic country, then serve it.",
    "serve": "Serve the map and the API.",
}
"""Sub-command, and so module of this package → its help."""


class _Commands(TyperGroup):
    """The sub-commands, each imported when it is asked for: a load needs no solver in memory."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - its signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:  # an error follows, which names the nearest of all
            for name in _COMMANDS:
                self.get_command(ctx, name)
        elif cmd_name not in self.commands:
            module = import_module(f"geoplan.cli.{cmd_name}")
            of_one = typer.Typer(callback=lambda: None)
            if hasattr(module, "app"):
                of_one.add_typer(module.app, name=cmd_name, help=_COMMANDS[cmd_name])
            else:
                of_one.command(cmd_name, help=_COMMANDS[cmd_name])(getattr(module, cmd_name))
            found: Any = get_command(of_one)
            self.commands[cmd_name] = found.commands[cmd_name]
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="geoplan",
    cls=_Commands,
    help="Land-use planning platform for industrial estates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"geoplan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(help="Private folder: database, rasters, runs [GEOPLAN_HOME]."),
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
