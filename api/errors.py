"""Errors as HTTP answers: one table of status codes, one shape of body (RFC 9457)."""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from api.schemas import ProblemBody
from geoplan import errors

__all__ = [
    "OWN_STATUS",
    "PROBLEM_TYPE",
    "RETRY_AFTER_S",
    "STATUS",
    "NoToken",
    "TokenRevoked",
    "TooLarge",
    "TooMany",
    "answer_of",
    "install",
    "problem_of",
    "status_of",
]

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

STATUS: dict[type[errors.GeoPlanError], int] = {
    errors.GeoPlanError: 500,
    errors.InputError: 400,
    errors.FileMissing: 404,
    errors.CrsProblem: 400,
    errors.EmptyLayer: 404,
    errors.UnknownName: 404,
    errors.RangeError: 400,
    errors.ShapeError: 400,
    errors.ProblemsFound: 422,
    errors.AnswerNo: 409,
    errors.CheckFailed: 409,
    errors.Infeasible: 409,
    errors.Stopped: 503,
    errors.Unavailable: 503,
    errors.PostgisMissing: 503,
    errors.DatabaseLost: 503,
    errors.PortTaken: 503,
    errors.DiskFull: 507,
}
"""HTTP status of every error class; a subclass without a row takes its nearest base's."""


class NoToken(errors.InputError):
    """The request needs a token, and has none that anybody was given."""


class TokenRevoked(errors.InputError):
    """The token was given to somebody once, and is not accepted any more."""


class TooLarge(errors.InputError):
    """More bytes than the service takes."""


class TooMany(errors.InputError):
    """More requests or jobs at once than one client may have."""


OWN_STATUS: dict[type[errors.GeoPlanError], int] = {
    NoToken: 401,
    TokenRevoked: 403,
    TooLarge: 413,
    TooMany: 429,
}
"""HTTP status of the errors that only the service knows."""

_ALL = STATUS | OWN_STATUS

_log = logging.getLogger("geoplan.api")


def status_of(error: errors.GeoPlanError) -> int:
    """Return the HTTP status of ``error``: its own row of ``STATUS`` or its nearest base's."""
    return next(_ALL[c] for c in type(error).__mro__ if c in _ALL)


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _place(where: str) -> str:
    # A folder of the server is nobody's business; the file's name is enough to recognise it.
    return PurePath(where).name if where.startswith("/") else where


def problem_of(error: Exception) -> ProblemBody:
    """Return the body that tells a client what was wrong, where, and what to do."""
    if not isinstance(error, errors.GeoPlanError):
        return _unexpected(error)
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(error)
    kind = _kebab(type(error).__name__)
    problems: list[dict[str, Any]] = []
    if isinstance(error, errors.ProblemsFound):
        problems = [
            {"where": _place(p.where), "what": p.what, "remedy": p.remedy, "severity": p.severity}
            for p in error.problems
        ]
    elif isinstance(error, errors.Infeasible):
        problems = [
            {"where": r.limit, "what": f"{r.label}: {r.value:g} → {r.needed:g} {r.unit}"}
            for r in error.relaxations
        ]
    return ProblemBody(
        type=f"urn:geoplan:{kind}",
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=error.what,
        where=_place(error.where),
        remedy=error.remedy,
        problems=problems,
    )


def _unexpected(error: BaseException) -> ProblemBody:
    # The text of an unexpected error may hold SQL, paths or data: it goes to the log only.
    reference = secrets.token_hex(4)
    _log.error("unexpected error, reference %s", reference, exc_info=error)
    return ProblemBody(
        type="urn:geoplan:internal",
        title="Internal server error",
        status=500,
        detail="the server met an unexpected error",
        where=f"reference {reference}",
        remedy="tell the person who runs this server the reference; the log has the cause",
    )


def _answer(body: ProblemBody, headers: dict[str, str] | None = None) -> Response:
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if body.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if body.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="geoplan"'
    return JSONResponse(
        body.model_dump(mode="json"),
        status_code=body.status,
        headers=headers,
        media_type=PROBLEM_TYPE,
    )


def answer_of(error: Exception) -> Response:
    """Return the answer that tells a client of ``error``."""
    return _answer(problem_of(error))


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error as ``application/problem+json``."""

    @app.exception_handler(errors.GeoPlanError)
    async def _known(_: Request, error: errors.GeoPlanError) -> Response:
        return answer_of(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        found = [
            {"where": ".".join(str(p) for p in e["loc"]), "what": e["msg"]} for e in error.errors()
        ]
        return _answer(
            ProblemBody(
                type="urn:geoplan:range-error",
                title="Range error",
                status=400,
                detail="; ".join(f"{p['where']}: {p['what']}" for p in found),
                where=found[0]["where"] if found else "",
                remedy="correct the named parameters; /api/openapi.json has their ranges",
                problems=found,
            )
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        lost = error.status_code == HTTPStatus.NOT_FOUND
        return _answer(
            ProblemBody(
                type="about:blank",
                title=phrase,
                status=error.status_code,
                detail="nothing is served at this address" if lost else str(error.detail),
                where=request.url.path[:200],
                remedy="/api/openapi.json lists every address" if lost else "",
            ),
            dict(error.headers or {}),
        )

    @app.exception_handler(Exception)
    async def _fault(_: Request, error: Exception) -> Response:
        return _answer(_unexpected(error))
