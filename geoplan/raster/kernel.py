"""Compiled loops, and the threads that run them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import numba

__all__ = ["THREADS", "kernel", "over_blocks", "threads_limited"]

F = TypeVar("F", bound=Callable[..., Any])

THREADS = min(2, os.cpu_count() or 1)
"""Threads that a loop uses unless told otherwise. Results do not depend on it."""

_limit: ContextVar[int] = ContextVar("threads", default=THREADS)


@contextmanager
def threads_limited(threads: int) -> Iterator[None]:
    """Let loops use so many threads unless told otherwise, at least 1.

    For a worker process beside others on one machine, which has one core for itself.
    """
    token = _limit.set(max(1, threads))
    try:
        yield
    finally:
        _limit.reset(token)


def kernel(function: F) -> F:
    """Compile ``function`` without the interpreter lock, and keep the machine code on disk.

    Notes
    -----
    Python threads share the work instead of numba's own: compiling is several times faster, and
    a server may call a kernel from two requests at once. No fast-math, so that the same numbers
    come out on every machine.
    """
    try:
        compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder that numba may write its cache to
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(F, compiled)


def over_blocks(
    work: Callable[[int, int], Any], count: int, *, threads: int | None = None, block: int = 0
) -> list[Any]:
    """Call ``work(start, stop)`` for consecutive blocks of ``range(count)``.

    Parameters
    ----------
    work : callable
        Writes only what belongs to its block, or returns it.
    count : int
        Number of items.
    threads : int, optional
        At least 1; default :data:`THREADS`, or what :func:`threads_limited` says.
    block : int
        Items per block; 0 makes four blocks per thread.

    Returns
    -------
    list
        What each block returned, in order of the blocks.
    """
    threads = max(1, _limit.get() if threads is None else threads)
    if count <= 0:
        return []
    if block <= 0:
        block = max(1, -(-count // (4 * threads)))
    starts = range(0, count, block)
    if threads == 1 or len(starts) == 1:
        return [work(start, min(start + block, count)) for start in starts]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        futures = [pool.submit(work, start, min(start + block, count)) for start in starts]
        return [future.result() for future in futures]
