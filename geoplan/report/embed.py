"""The few third-party files that map and report carry inside them, so that they need no network.

They come from the npm registry, are checked against the digests below and lie in ``assets/``,
which is in the wheel and not in the repository. ``python -m geoplan.report`` fetches what
is missing.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import CheckFailed, FileMissing, Unavailable

__all__ = [
    "ASSETS",
    "PARTS",
    "Part",
    "data_uri",
    "fetch",
    "font_css",
    "leaflet_css",
    "leaflet_js",
    "require_assets",
]

ASSETS = Path(__file__).parent / "assets"
"""Folder of the fetched files."""

_REMEDY = "run 'make setup', or 'python -m geoplan.report' where npm is installed"


@dataclass(frozen=True, slots=True)
class Part:
    """One npm package of which a few files are used.

    Parameters
    ----------
    name, version, licence : str
        Package, exact version, SPDX licence.
    files : mapping of str to tuple
        Name in ``assets/`` → (member of the package, sha256).
    """

    name: str
    version: str
    licence: str
    files: Mapping[str, tuple[str, str]]


PARTS = (
    Part(
        "leaflet",
        "1.9.4",
        "BSD-2-Clause",
        {
            "leaflet.js": (
                "dist/leaflet.js",
                "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
            ),
            "leaflet.css": (
                "dist/leaflet.css",
                "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
            ),
            "layers.png": (
                "dist/images/layers.png",
                "1dbbe9d028e292f36fcba8f8b3a28d5e8932754fc2215b9ac69e4cdecf5107c6",
            ),
            "layers-2x.png": (
                "dist/images/layers-2x.png",
                "066daca850d8ffbef007af00b06eac0015728dee279c51f3cb6c716df7c42edf",
            ),
            "leaflet.LICENSE": (
                "LICENSE",
                "53e8dc25862014e4324741ca18fbe3611e11d42ef69f59f86ea8c5389647d4cb",
            ),
        },
    ),
    Part(
        "vazirmatn",
        "33.0.3",
        "OFL-1.1",
        {
            "vazirmatn.woff2": (
                "misc/Non-Latin/fonts/webfonts/Vazirmatn-NL[wght].woff2",
                "cdef5578ea583313cbea060a14aa107955a99717a861971b860cb564dfe1bbf5",
            ),
            "vazirmatn.LICENSE": (
                "OFL.txt",
                "17e355067c8284f47743a1ee3b1ef7ff684ff0601eda357f9353b10b3016ab31",
            ),
        },
    ),
)
"""Everything that is embedded: Leaflet draws the map, Vazirmatn sets Persian text."""


def require_assets(folder: Path = ASSETS) -> None:
    """Raise unless every embedded file is there; call it before long work.

    Raises
    ------
    FileMissing
        A file is absent.
    """
    absent = [name for part in PARTS for name in part.files if not (folder / name).is_file()]
    if absent:
        raise FileMissing(
            f"the map and report need {', '.join(absent)}", where=str(folder), remedy=_REMEDY
        )


def fetch(folder: Path = ASSETS) -> list[str]:
    """Fetch the files that are absent or differ, through npm; return their names.

    Raises
    ------
    Unavailable
        npm is not installed or does not reach its registry.
    CheckFailed
        A file is not the one whose digest stands in `PARTS`.
    """
    fetched: list[str] = []
    for part in PARTS:
        if all(_digest(folder / n) == sha256 for n, (_, sha256) in part.files.items()):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            archive = _pack(part, Path(scratch))
            with tarfile.open(archive) as members:
                for name, (member, sha256) in part.files.items():
                    source = members.extractfile(f"package/{member}")
                    content = source.read() if source else b""
                    if hashlib.sha256(content).hexdigest() != sha256:
                        raise CheckFailed(
                            f"{member} of {part.name} {part.version} is not the file expected",
                            where=str(archive.name),
                            remedy="check which npm registry this machine uses",
                        )
                    # Written beside and renamed: an interrupted fetch leaves no half file.
                    beside = folder / f".{name}.part"
                    beside.write_bytes(content)
                    beside.replace(folder / name)
                    fetched.append(name)
    return fetched


def _pack(part: Part, scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(
            f"npm is not installed; it brings {part.name}", remedy="install npm, then run again"
        )
    done = subprocess.run(
        [npm, "pack", "--silent", f"{part.name}@{part.version}"],
        cwd=scratch, capture_output=True, text=True, check=False,
    )  # fmt: skip
    archives = sorted(scratch.glob("*.tgz"))
    if done.returncode != 0 or not archives:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(
            f"npm did not deliver {part.name} {part.version}: {last}",
            remedy="check the network and the npm registry, then run again",
        )
    return archives[0]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def data_uri(name: str, media_type: str) -> str:
    """Return one asset as a ``data:`` URI."""
    content = base64.b64encode((ASSETS / name).read_bytes()).decode("ascii")
    return f"data:{media_type};base64,{content}"


def leaflet_js() -> str:
    """Return Leaflet's code, without the pointer to a source map that is not there."""
    text = (ASSETS / "leaflet.js").read_text(encoding="utf-8")
    return re.sub(r"//# sourceMappingURL=\S+\s*$", "", text)


def leaflet_css() -> str:
    """Return Leaflet's styles with its two layer icons inside and no other reference."""
    text = (ASSETS / "leaflet.css").read_text(encoding="utf-8")
    for name in ("layers.png", "layers-2x.png"):
        text = text.replace(f"url(images/{name})", f"url({data_uri(name, 'image/png')})")
    text = re.sub(r"background-image: url\(images/[^)]*\);", "", text)
    return re.sub(r"behavior: url\([^)]*\);", "", text)


def font_css() -> str:
    """Return the ``@font-face`` rule of Vazirmatn (Arabic script only; 48 kB)."""
    return (
        "@font-face{font-family:Vazirmatn;font-weight:100 900;"
        f"src:url({data_uri('vazirmatn.woff2', 'font/woff2')}) format('woff2');"
        "unicode-range:U+0600-06FF,U+0750-077F,U+200B-200F,U+FB50-FDFF,U+FE70-FEFC}"
    )
