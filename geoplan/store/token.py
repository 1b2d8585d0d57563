"""Tokens by which people write through the service: made once, kept as a hash, revoked by name."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from geoplan.errors import InputError, RangeError, UnknownName
from geoplan.store import tables

__all__ = [
    "TOKEN_PREFIX",
    "TokenInfo",
    "find_token",
    "make_token",
    "note_use",
    "revoke_token",
    "tokens",
]

TOKEN_PREFIX = "geoplan_"  # noqa: S105  (a mark by which scanners find a token that leaked)

_BYTES = 32
_NAME_LENGTH = 100
_USE_SECONDS = 60  # last_used is no finer than this: reading a job must not write each time


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a token; never the token itself.

    Parameters
    ----------
    name : str
        Whose it is; loads carry this name.
    created_at : datetime
        When it was made.
    revoked_at, last_used : datetime or None
        When it was revoked; when it was last shown, to a minute.
    """

    name: str
    created_at: datetime
    revoked_at: datetime | None
    last_used: datetime | None


def make_token(session: Session, name: str) -> str:
    """Return a new token for a person; it cannot be read again afterwards.

    Parameters
    ----------
    name : str
        Who gets it, 1 to 100 characters.

    Raises
    ------
    InputError
        The person has a token in use.
    RangeError
        The name is empty, too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= _NAME_LENGTH or any(unicodedata.category(c) == "Cc" for c in name):
        raise RangeError(
            f"a name has 1 to {_NAME_LENGTH} characters and no control characters, this one has "
            f"{len(name)}",
            where="name",
            remedy="give the name under which this person's loads shall stand",
        )
    # Two at once for one name: the second waits here and then sees the first.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"token:{name}"))))
    if _in_use(session, name):
        raise InputError(
            f"'{name}' has a token already; it cannot be shown again",
            where="name",
            remedy=f"revoke it first: geoplan user revoke {name}",
        )
    token = TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)
    session.add(tables.AccessToken(name=name, sha256=_digest(token)))
    session.flush()
    return token


def find_token(session: Session, token: str) -> TokenInfo | None:
    """Return whose token this is, revoked or not; ``None`` where nobody was given it."""
    digest = _digest(token)
    row = session.scalar(select(tables.AccessToken).where(tables.AccessToken.sha256 == digest))
    # The index compares hashes, whose bytes nobody can steer; the last word is in constant time.
    if row is None or not hmac.compare_digest(row.sha256, digest):
        return None
    return _info(row)


def note_use(session: Session, token: str) -> None:
    """Note that a token was used just now; at most once a minute."""
    stale = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, _USE_SECONDS)
    session.execute(
        update(tables.AccessToken)
        .where(
            tables.AccessToken.sha256 == _digest(token),
            (tables.AccessToken.last_used.is_(None)) | (tables.AccessToken.last_used < stale),
        )
        .values(last_used=func.now())
    )


def tokens(session: Session) -> list[TokenInfo]:
    """Return all tokens, those in use first, by name."""
    rows = session.scalars(
        select(tables.AccessToken).order_by(
            tables.AccessToken.revoked_at.isnot(None),
            tables.AccessToken.name,
            tables.AccessToken.id,
        )
    )
    return [_info(row) for row in rows]


def revoke_token(session: Session, name: str) -> TokenInfo:
    """Revoke the token of a person.

    Raises
    ------
    UnknownName
        No token in use has this name.
    """
    name = unicodedata.normalize("NFC", name).strip()
    rows = _in_use(session, name)
    if not rows:
        known = [t.name for t in tokens(session) if t.revoked_at is None]
        raise UnknownName(
            f"'{name}' has no token in use",
            where="name",
            remedy=f"in use: {', '.join(known[:10]) or 'none'}",
        )
    row = rows[0]
    row.revoked_at = session.scalar(select(func.now()))
    session.flush()
    return _info(row)


def _in_use(session: Session, name: str) -> list[tables.AccessToken]:
    asked = select(tables.AccessToken).where(
        tables.AccessToken.name == name, tables.AccessToken.revoked_at.is_(None)
    )
    return list(session.scalars(asked))


def _digest(token: str) -> str:
    # A plain hash is enough: 32 random bytes cannot be guessed, unlike a password.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _info(row: tables.AccessToken) -> TokenInfo:
    return TokenInfo(row.name, row.created_at, row.revoked_at, row.last_used)
