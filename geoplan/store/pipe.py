"""Blocks that one thread makes while another sends them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

__all__ = ["Pipe"]

_PIECE = 1 << 26  # libpq takes less than 2 GB at once; a row may be larger


class Pipe:
    """A file to read from whose bytes are made ahead, on a thread of its own.

    Parameters
    ----------
    blocks : iterator of bytes
        Run on the other thread; closed there when nobody reads any more.
    ahead : int
        How many blocks may wait.

    Notes
    -----
    An error of the maker is raised by :meth:`read`, and kept in ``error``: psycopg2 turns what
    ``read`` raises into an error of its own. Leaving the ``with`` block stops the maker after the
    block that it is at, whatever the reader was interrupted by, and waits for it.
    """

    def __init__(self, blocks: Iterator[bytes], *, ahead: int = 4) -> None:
        self._blocks = blocks
        self._ahead = ahead
        self._ready: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._stopped = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._make, name="encode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._stopped = True
            self._ready.clear()
            self._changed.notify_all()
        self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether every block was read, and the maker has no more; an error is not an end."""
        with self._changed:
            while not self._ready and not self._ended:
                self._changed.wait()
            return not self._ready and self.error is None

    def read(self, _size: int = -1) -> bytes:
        """Return the next block, whatever its size; empty at the end."""
        try:
            with self._changed:
                while not self._ready and not self._ended:
                    self._changed.wait()
                if self._ready:
                    block = self._ready.popleft()
                    self._changed.notify_all()
                    return block
            if self.error is not None:
                raise self.error
            return b""
        except BaseException as error:
            self.error = error  # an interruption, say
            raise

    def _make(self) -> None:
        failed: BaseException | None = None
        try:
            for block in self._blocks:
                for start in range(0, len(block), _PIECE):
                    piece = block if len(block) <= _PIECE else block[start : start + _PIECE]
                    if not self._put(piece):
                        return
        except BaseException as error:  # noqa: BLE001  (raised by the reader, on its thread)
            failed = error
        finally:
            try:
                close = getattr(self._blocks, "close", None)
                if close is not None:
                    close()
            except BaseException as error:  # noqa: BLE001
                failed = failed or error
            with self._changed:
                self._ended = True
                self.error = self.error or failed
                self._changed.notify_all()

    def _put(self, block: bytes) -> bool:
        with self._changed:
            while len(self._ready) >= self._ahead and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return False
            self._ready.append(block)
            self._changed.notify_all()
            return True
