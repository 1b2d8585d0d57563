"""Entry of the reading process: what it may do is limited before anything large is imported."""

import contextlib
import json
import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

from geoplan.errors import Unavailable
from geoplan.ingest.reader.confine import close_in, limit, live_no_longer_than, readable_for
from geoplan.ingest.reader.wire import ERROR, request_of, said_of_error, write_frame


class _Without(MetaPathFinder):
    """Hides what libraries load where it is there and nothing here uses.

    That is half of the time that the process would take to start.
    """

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse the names below; say nothing of others."""
        if fullname in ("pandas", "geopandas", "pyproj"):
            raise ModuleNotFoundError(f"no {fullname} in the reading process", name=fullname)


def main() -> int:
    """Read the request from standard input and answer on standard output."""
    said = json.loads(sys.stdin.buffer.readline())
    live_no_longer_than(0)
    request, folder = request_of(said["request"]), Path(said["folder"])
    limit(request.limits)
    close_in(readable_for(request.path), folder)
    sys.meta_path.insert(0, _Without())
    # Libraries print; what they print must not get between the frames.
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)

    try:
        from geoplan.ingest.reader.child import serve, tell_layers
    except (ImportError, OSError, MemoryError) as error:
        refused = Unavailable(
            f"the reading process cannot start: {' '.join(str(error).split())[:200]}",
            where=request.path.name,
            remedy="allow it more memory, or install GeoPlan again",
        )
        write_frame(out, ERROR, said_of_error(refused))
        os._exit(3)
    code = (tell_layers if said["task"] == "layers" else serve)(request, folder, out)
    with contextlib.suppress(BrokenPipeError):  # the parent has seen enough
        out.flush()
    # Nothing here is worth the time that tearing down libraries takes.
    os._exit(code)


if __name__ == "__main__":
    main()
