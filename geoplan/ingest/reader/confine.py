"""What the reading process may still do once it is confined: read its file, write its folder.

Limits of memory and file size hold everywhere. On Linux the kernel also refuses every network
socket and every other program (seccomp), files that are not the delivered one or part of the
installation (Landlock), and ends the process with its parent. Where a kernel knows none of these,
the checks in front of the libraries stand alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import select
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from geoplan.ingest.reader.request import Limits

__all__ = ["close_in", "limit", "live_no_longer_than", "readable_for"]

_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_DENIED = {
    # machine → (audit architecture, socket, socketpair, connect, execve, execveat, ptrace,
    #            process_vm_readv, process_vm_writev, io_uring_setup)
    "x86_64": (0xC000003E, 41, 53, 42, 59, 322, 101, 310, 311, 425),
    "aarch64": (0xC00000B7, 198, 199, 203, 221, 281, 117, 270, 271, 425),
}
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13  # 13: EACCES

_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_FOLDER_READ = _READ | _LIST
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone",
    "/dev/null", "/dev/urandom", "/proc/self", "/proc/meminfo", "/proc/cpuinfo",
    "/sys/devices/system/cpu",
)  # fmt: skip
_NAMED = ("LD_LIBRARY_PATH", "PROJ_DATA", "PROJ_LIB", "GDAL_DATA")
"""Variables that name where libraries and their data lie."""


def limit(limits: Limits) -> None:
    """Limit memory and the size of files that are written; no core dumps, one thread a library."""
    os.environ.update(_THREADS)
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.unpacked_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        within = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (within, within))


def live_no_longer_than(lifeline: int) -> None:
    """End this process when the other end of a pipe closes, whatever it is doing then.

    Parameters
    ----------
    lifeline : int
        Descriptor of a pipe that the parent holds open, and writes nothing more to.
    """
    if not hasattr(os, "O_ASYNC"):
        return
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)  # SIGIO: its default is the end
    waiting = select.poll()
    waiting.register(lifeline, select.POLLHUP)
    if waiting.poll(0):
        os._exit(1)


def readable_for(path: Path) -> list[Path]:
    """Return a file with those beside it that bear its name, as a Shapefile's parts do."""
    if path.is_dir():
        return [path]
    stem = path.name.rsplit(".", 1)[0].casefold()
    with contextlib.suppress(OSError), os.scandir(path.parent) as found:
        return [path, *(Path(f.path) for f in found if f.name.casefold().startswith(stem + "."))]
    return [path]


def close_in(readable: Iterable[Path], writable: Path) -> tuple[bool, bool]:
    """Refuse the network, other programs and other files, as far as this kernel can.

    Parameters
    ----------
    readable : iterable of Path
        The delivered files.
    writable : Path
        The private folder.

    Returns
    -------
    tuple of bool
        Whether the network, and whether files are refused by the kernel. Both are told to no
        one but tests: the checks before each library do not depend on them.
    """
    if sys.platform != "linux":
        return False, False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False, False
    # Landlock first: its calls are not among those that stay allowed for certain.
    files = _landlock(libc, list(readable), writable)
    return _seccomp(libc), files


def _seccomp(libc: ctypes.CDLL) -> bool:
    known = _DENIED.get(os.uname().machine)
    if known is None:
        return False
    architecture, *denied = known
    n = len(denied)
    # A jump counts the steps that it passes over; the last step refuses, the one before allows.
    steps = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 1, 0, architecture),
        (0x06, 0, 0, _REFUSE),
        (0x20, 0, 0, 0),  # load the number of the call
        (0x35, n + 1, 0, 0x40000000),  # x32 numbers the same calls differently
        *((0x15, n - i, 0, number) for i, number in enumerate(denied)),
        (0x06, 0, 0, _ALLOW),
        (0x06, 0, 0, _REFUSE),
    ]
    raw = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(raw, len(raw))
    head = struct.pack("@HxxxxxxP", len(steps), ctypes.addressof(program))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.c_char_p(head), 0, 0) == 0)


def _landlock(libc: ctypes.CDLL, readable: list[Path], writable: Path) -> bool:
    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = (1 << (13 if version < 2 else 14 if version < 3 else 15)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("=Q", handled), 8)
    rules = libc.syscall(444, attributes, ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        named = [p for v in _NAMED for p in os.environ.get(v, "").split(os.pathsep)]
        installed = [sys.prefix, sys.base_prefix, *filter(None, [*sys.path, *named])]
        for place in [*map(Path, (*_SYSTEM, *installed)), *readable]:
            _allow(libc, rules, place, _FOLDER_READ)
        for place in {file.parent for file in readable}:
            _allow(libc, rules, place, _LIST)  # the names beside a file, and not what they hold
        _allow(libc, rules, writable, handled & ~_EXECUTE)
        _allow(libc, rules, Path("/dev/null"), _READ | _WRITE)
        return bool(libc.syscall(446, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, place: Path, access: int) -> None:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    try:
        if not place.is_dir():
            access &= _READ | _WRITE
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, handle), 12)
        libc.syscall(445, rules, 1, rule, 0)
    finally:
        os.close(handle)
