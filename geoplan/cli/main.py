"""The ``geoplan`` command: global options, sub-commands, and one place where errors are told."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, Exit, TyperException

from geoplan import __version__
from geoplan.catalogue import Catalogue
from geoplan.cli import db, demo, layers, pack, regions, sample, serve, site
from geoplan.cli.context import AppContext, print_json
from geoplan.errors import DatabaseLost, DiskFull, GeoPlanError, Infeasible, ProblemsFound
from geoplan.settings import Settings

__all__ = ["app", "main"]

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


def _as_geoplan_error(error: BaseException) -> GeoPlanError | None:
    """Return the error in GeoPlan's words where its cause is outside the program."""
    if isinstance(error, GeoPlanError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            "no space is left on the disk",
            where=str(error.filename or ""),
            remedy="free some space, or set GEOPLAN_HOME to a larger disk; nothing half-written "
            "was kept",
        )
    if isinstance(error, PermissionError):
        return GeoPlanError(
            "this may not be read or written",
            where=str(error.filename or ""),
            remedy="change the permissions, or choose another folder",
        )
    if type(error).__module__.startswith(("sqlalchemy", "psycopg2")):
        text = str(getattr(error, "orig", error)).strip().splitlines()
        if type(error).__name__ in ("OperationalError", "InterfaceError"):
            return DatabaseLost(
                text[0] if text else "the database went away",
                remedy="see 'geoplan db status'; nothing of this command was kept in the database",
            )
    return None


def _tell(error: GeoPlanError, *, as_json: bool) -> None:
    if as_json:
        body: dict[str, object] = {
            "error": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "remedy": error.remedy,
        }
        if isinstance(error, ProblemsFound):
            body["problems"] = [
                {"where": p.where, "what": p.what, "remedy": p.remedy, "severity": p.severity}
                for p in error.problems
            ]
        if isinstance(error, Infeasible):
            body["relaxations"] = [
                {
                    "limit": r.limit,
                    "label": r.label,
                    "value": r.value,
                    "needed": r.needed,
                    "by": r.by,
                    "unit": r.unit,
                }
                for r in error.relaxations
            ]
        print_json(body)
    sys.stderr.write(f"geoplan: {error}\n")


def main() -> None:
    """Run the command line; exit 0 done, 1 the answer is no, 2 could not be done as asked."""
    as_json = "--json" in sys.argv
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, Abort):
        sys.stderr.write("geoplan: stopped; nothing half-written was kept\n")
        sys.exit(130)
    except Exit as stop:
        sys.exit(stop.exit_code)
    except TyperException as usage:
        show = getattr(usage, "show", None)
        if show is not None:
            show()
        else:
            sys.stderr.write(f"geoplan: {usage}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        known = _as_geoplan_error(error)
        if known is None or os.environ.get("GEOPLAN_TRACEBACK"):
            raise
        _tell(known, as_json=as_json)
        sys.exit(known.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
