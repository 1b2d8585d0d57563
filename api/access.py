"""Who may write: everybody who shows a token that ``geoplan user add`` made."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import NoToken, TokenRevoked
from api.service import Serving
from api.writing import writing
from geoplan.store.token import find_token, note_use

__all__ = ["Caller"]

_LONGEST = 200  # characters: nothing longer is ever looked up

# No cookies: a page of another host cannot make a browser send this header.
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token that `geoplan user add NAME` printed.",
)


def _caller(
    service: Serving,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> str:
    """Return the name of who asks.

    Raises
    ------
    NoToken
        No token was sent, or nobody was given it.
    TokenRevoked
        It was revoked.
    """
    if given is None or not given.credentials:
        raise NoToken(
            "this needs a token",
            where="Authorization",
            remedy="send 'Authorization: Bearer TOKEN'; 'geoplan user add NAME' makes one",
        )
    found = None
    if len(given.credentials) <= _LONGEST:
        with writing(service.database) as session:
            found = find_token(session, given.credentials)
            if found is not None and found.revoked_at is None:
                note_use(session, given.credentials)
    if found is None:
        raise NoToken(
            "nobody was given this token",
            where="Authorization",
            remedy="check that it was copied whole; 'geoplan user list' shows who has one",
        )
    if found.revoked_at is not None:
        raise TokenRevoked(
            f"the token of '{found.name}' was revoked",
            where="Authorization",
            remedy="ask who runs this server for a new one: geoplan user add NAME",
        )
    return found.name


Caller = Annotated[str, Depends(_caller)]
"""Name of who asks; a route that takes it answers nobody else."""
