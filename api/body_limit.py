"""No request but an upload may send more than a form's worth."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLarge, answer_of

__all__ = ["BodyLimit"]


class BodyLimit:
    """Refuse bodies that are larger than any request needs.

    A body is read before anything else is asked, also who sends it; uploads are streamed, after
    their token was seen, and have a limit of their own.

    Parameters
    ----------
    app : ASGI application
        What answers.
    most : int, bytes
        Largest body.
    streamed : str
        Path that is left alone.
    """

    def __init__(self, app: ASGIApp, *, most: int, streamed: str) -> None:
        self.app = app
        self._most = most
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http" or scope["path"] == self._streamed:
            await self.app(scope, receive, send)
            return
        announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if announced.isdigit() and int(announced[:20]) > self._most:
            await answer_of(self._refusal())(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._most:
                raise self._refusal()
            return message

        await self.app(scope, counted, send)

    def _refusal(self) -> TooLarge:
        return TooLarge(
            f"a request may have {self._most / 1e6:g} MB",
            where="body",
            remedy=f"send files with PUT {self._streamed}",
        )
