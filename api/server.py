"""Run the service on this machine: take a port, say its address, stop cleanly when told to."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from geoplan.catalogue import Catalogue
from geoplan.errors import InputError, PortTaken, RangeError
from geoplan.settings import Settings
from geoplan.store.serve.database import Engine

__all__ = ["Listener", "listen", "run", "serve"]

_TRIES = 100
_GRACE_S = 5  # seconds that open requests get after Ctrl-C


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that is taken and answers as soon as the service runs.

    Parameters
    ----------
    socket : socket
        Listening socket; handed to the service.
    host : str
        As asked for.
    port : int
        The port that was really taken.
    """

    socket: socket.socket
    host: str
    port: int

    @property
    def url(self) -> str:
        """Address to open in a browser on this machine."""
        if self.host in ("0.0.0.0", "::"):  # noqa: S104  (a comparison, nothing is bound here)
            host = "127.0.0.1"
        else:
            host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def listen(host: str = "127.0.0.1", port: int = 8000, *, find_free: bool = True) -> Listener:
    """Take a port.

    Parameters
    ----------
    host : str
        Address to listen on; ``127.0.0.1`` is reached from this machine only.
    port : int, 0 to 65535
        Port; 0 takes any free one.
    find_free : bool
        Take the next free port, of the hundred that follow, where this one is in use.

    Raises
    ------
    PortTaken
        The port is in use and ``find_free`` is false, or all of the hundred are.
    InputError
        The host is not an address of this machine, or the port needs more rights.
    RangeError
        The port is outside its range.
    """
    if not 0 <= port <= 65535:
        raise RangeError(
            f"port {port} is outside 0 to 65535", where="port", remedy="give 1024 to 65535"
        )
    last = min(port + (_TRIES if find_free and port else 0), 65535)
    for number in range(port, last + 1):
        taken = _bind(host, number)
        if taken is not None:
            return Listener(taken, host, int(taken.getsockname()[1]))
    raise PortTaken(
        f"port {port} is in use" if last == port else f"ports {port} to {last} are all in use",
        where=f"{host}:{port}",
        remedy="stop what uses it, or give another with --port (0 takes any free one)",
    )


def _bind(host: str, port: int) -> socket.socket | None:
    """Return a listening socket, or ``None`` where the port is in use."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise _bad_host(host) from error
    found = socket.socket(family, kind, protocol)
    try:
        # A port that waits for its last connections to die is free; one that listens is not.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        # Listening now settles the race with another process that found the same port free.
        found.listen(512)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            return None
        if error.errno == errno.EACCES:
            raise InputError(
                f"port {port} may not be used by this user",
                where=f"{host}:{port}",
                remedy="give a port above 1023 with --port",
            ) from error
        raise _bad_host(host) from error
    return found


def _bad_host(host: str) -> InputError:
    return InputError(
        f"'{host[:100]}' is not an address of this machine",
        where="host",
        remedy="give 127.0.0.1 for this machine only, or 0.0.0.0 for the network",
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._on_ready is not None and self.started:
            self._on_ready()


class _Interruptible:
    """Answer 503 to requests that are cut off when the service stops; no traceback for them."""

    def __init__(self, app: ASGIApp, stopping: Callable[[], bool]) -> None:
        self.app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            if not self._stopping() or scope["type"] != "http" or begun:
                raise
            answer = PlainTextResponse("the service is stopping", 503, {"Retry-After": "5"})
            await answer(scope, receive, send)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    # uvicorn raises a signal again after it has shut down. SIGTERM would end the process there,
    # before its caller has cleaned up: stopped the database that it started.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(app: FastAPI, listener: Listener, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve ``app`` on a port that was taken before, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    app : FastAPI
        From :func:`api.app.create_app`.
    listener : Listener
        From :func:`listen`; closed at the end.
    on_ready : callable, optional
        Called once with the address when requests are answered.
    """
    server: _Server
    config = uvicorn.Config(
        _Interruptible(app, lambda: server.should_exit),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    ready = None if on_ready is None else (lambda: on_ready(listener.url))
    server = _Server(config, ready)
    try:
        with _terminated_like_interrupted():
            server.run(sockets=[listener.socket])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down and raises the signal again; the caller wanted just that
    finally:
        listener.socket.close()


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    find_free: bool = True,
    *,
    engine: Engine | None = None,
    catalogue: Catalogue | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Take a port, find the database, and serve until Ctrl-C.

    The port is taken first: what cannot work fails before a database is started.

    Raises
    ------
    PortTaken, InputError, RangeError
        As :func:`listen`.
    Unavailable
        The database cannot be found or started.
    """
    listener = listen(host, port, find_free=find_free)
    try:
        if engine is None:
            from geoplan.store.cluster import ensure
            from geoplan.store.session import engine_for

            engine = engine_for(ensure(settings))
        app = create_app(settings, engine=engine, catalogue=catalogue)
    except BaseException:
        listener.socket.close()
        raise
    run(app, listener, on_ready=on_ready)
