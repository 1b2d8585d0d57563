"""``geoplan user``: who may load through the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Engine

from geoplan.cli.context import AppContext, console, print_json, print_table
from geoplan.store import cluster, token
from geoplan.store.session import engine_for, transaction

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
NameArgument = Annotated[
    str, typer.Argument(help="Whose token it is; their loads carry this name.")
]


@app.command()
def add(ctx: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Make a token for a person and print it, this once: only its hash is kept."""
    with transaction(_engine(ctx)) as session:
        made = token.make_token(session, name)
    if json:
        print_json({"name": name.strip(), "token": made})
        return
    console.print(made)
    console.print(
        f"This is the token of {name.strip()}. It is not shown again. Send it with each request:"
    )
    console.print("  Authorization: Bearer TOKEN")


@app.command(name="list")
def list_users(ctx: typer.Context, json: JsonOption = False) -> None:
    """List who has or had a token, when it was made, and when it was last used."""
    with transaction(_engine(ctx)) as session:
        found = token.tokens(session)
    if json:
        print_json(
            [
                {
                    "name": t.name,
                    "created_at": _when(t.created_at),
                    "last_used": _when(t.last_used),
                    "revoked_at": _when(t.revoked_at),
                }
                for t in found
            ]
        )
        return
    if not found:
        console.print("Nobody has a token. Make one: geoplan user add NAME")
        return
    print_table(
        "",
        ("name", "made", "last used", "revoked"),
        [
            (t.name, *(_when(m) or "" for m in (t.created_at, t.last_used, t.revoked_at)))
            for t in found
        ],
    )


@app.command()
def revoke(ctx: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Refuse a person's token from now on. What they loaded stays."""
    with transaction(_engine(ctx)) as session:
        gone = token.revoke_token(session, name)
    if json:
        print_json({"name": gone.name, "revoked_at": _when(gone.revoked_at)})
        return
    console.print(f"The token of {gone.name} is refused from now on.")


def _engine(ctx: typer.Context) -> Engine:
    context: AppContext = ctx.obj
    return engine_for(cluster.ensure(context.settings))


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ", timespec="seconds")
