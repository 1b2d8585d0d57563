"""``geoplan serve``: the map and the API."""

from __future__ import annotations

from typing import Annotated

import typer

from geoplan.cli.context import AppContext, console
from geoplan.cli.serving import serving

__all__ = ["serve"]


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port; without it 8000, or the next free one.")
    ] = None,
) -> None:
    """Serve the map and the API until Ctrl-C."""
    from api.server import serve as serve_api

    context: AppContext = ctx.obj
    settings = context.settings
    with serving(settings):
        serve_api(
            settings,
            host,
            8000 if port is None else port,
            find_free=port is None,
            catalogue=context.catalogue,
            on_ready=lambda url: console.print(f"GeoPlan is at {url}   (Ctrl-C stops it)"),
        )
