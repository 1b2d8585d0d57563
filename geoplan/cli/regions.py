"""``geoplan regions``: measures of regions."""

from __future__ import annotations

import typer

from geoplan.cli.region_index import index, inequality
from geoplan.cli.region_industries import pattern, slices, specialisation
from geoplan.cli.region_match import match
from geoplan.cli.region_stored import studies

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measures of regions."""


for _command in (index, inequality, specialisation, pattern, slices, match, studies):
    app.command()(_command)
