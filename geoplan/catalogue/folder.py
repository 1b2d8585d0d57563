"""Read the catalogue's folders, strictly, and report every problem of a file at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import Pack
from geoplan.catalogue.pattern import PatternSpec
from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import Scenario
from geoplan.catalogue.slices import TargetSpec
from geoplan.errors import FileMissing, Problem, ProblemsFound, UnknownName

if TYPE_CHECKING:
    from geoplan.catalogue.composite import CompositeSpec

__all__ = ["Catalogue", "bundled_folder", "read_model"]

M = TypeVar("M", bound=BaseModel)

_MAX_YAML_BYTES = 5_000_000


class _Loader(yaml.SafeLoader):
    """YAML with the booleans of version 1.2: ``on``, ``no`` and dates are words, not values."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def bundled_folder() -> Path:
    """Return the ``layers`` folder shipped in the wheel, else the checkout's."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_layers"
    return shipped if shipped.is_dir() else package.parent / "layers"


def _allowed_keys(model: Any, path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that ``model`` knows at ``path``, as far as they can be followed."""
    from typing import get_args

    current = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            info = next(
                (f for n, f in current.model_fields.items() if part in (n, f.alias)),
                None,
            )
            if info is None:
                return []
            current = info.annotation
        models = [
            a
            for a in _flatten(current, get_args)
            if isinstance(a, type) and issubclass(a, BaseModel)
        ]
        current = models[0] if len(models) == 1 else current
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [f.alias or n for n, f in current.model_fields.items()]
    return []


def _flatten(annotation: Any, get_args: Any) -> Iterable[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _flatten(inner, get_args)


def _remedy(model: Any, error: Mapping[str, Any]) -> str:
    kind = error["type"]
    loc = tuple(error["loc"])
    if kind == "extra_forbidden":
        known = _allowed_keys(model, loc[:-1])
        close = get_close_matches(str(loc[-1]), known, n=1)
        if close:
            return f"did you mean '{close[0]}'?"
        return f"remove it; known keys: {', '.join(sorted(known))}" if known else "remove it"
    if kind == "missing":
        return f"add '{loc[-1]}'"
    ctx = error.get("ctx") or {}
    if "expected" in ctx:
        return f"use one of: {ctx['expected']}"
    return "correct the value"


def read_model(path: Path, model: type[M], *, what: str) -> M:
    """Read one YAML file into ``model``.

    Parameters
    ----------
    path : Path
        The file.
    model : type
        A strict pydantic model.
    what : str
        What the file is, for messages: ``layer``, ``scenario`` …

    Raises
    ------
    FileMissing
        There is no such file.
    ProblemsFound
        The file is not YAML, or breaks the model: all problems, each with its path in the file.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileMissing(
            f"no {what} file", where=str(path), remedy="check the path, or list what is there"
        ) from error
    except PermissionError as error:
        raise FileMissing(
            f"this {what} file may not be read", where=str(path), remedy="ask for read permission"
        ) from error
    if len(raw) > _MAX_YAML_BYTES:
        raise ProblemsFound(
            f"the {what} file is too large",
            [Problem(path.name, f"{len(raw):,} bytes", f"keep it under {_MAX_YAML_BYTES:,}")],
            where=str(path),
        )
    try:
        data = yaml.load(raw.decode("utf-8"), Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else path.name
        text = str(getattr(error, "problem", None) or error)
        raise ProblemsFound(
            f"the {what} file is not valid YAML",
            [Problem(place, text, "correct the syntax; the file must be UTF-8", code="yaml")],
            where=str(path),
        ) from error
    if not isinstance(data, dict):
        raise ProblemsFound(
            f"the {what} file is empty or not a mapping",
            [Problem(path.name, f"found {type(data).__name__}", "start from an example")],
            where=str(path),
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            loc = [str(p) for p in item["loc"]]
            message = item["msg"].removeprefix("Value error, ")
            given = item.get("input")
            if item["type"] == "extra_forbidden":
                message = f"unknown key '{loc[-1]}'"
            elif item["type"] == "missing":
                message = f"'{loc[-1]}' is missing"
            elif isinstance(given, (str, int, float, bool)) and repr(given) not in message:
                message = f"{message} (given: {given!r})"
            problems.append(
                Problem(".".join(loc) or what, message, _remedy(model, item), code=item["type"])
            )
        n = len(problems)
        raise ProblemsFound(
            f"{what} has {n} problem{'s' if n > 1 else ''}", problems, where=str(path)
        ) from error


@dataclass(frozen=True)
class Catalogue:
    """The layers, profiles, packs, scenarios, indices, patterns and targets of some folders.

    Later folders win, so a country's own folder can replace a bundled layer.
    """

    folders: tuple[Path, ...]

    @classmethod
    def standard(cls, layers_dir: Path | None = None) -> Catalogue:
        """Return the bundled catalogue, with ``layers_dir`` on top where given."""
        folders: tuple[Path, ...] = (bundled_folder(),)
        if layers_dir is not None:
            if not layers_dir.is_dir():
                raise FileMissing(
                    "the layers folder does not exist",
                    where=str(layers_dir),
                    remedy="give --layers-dir or GEOPLAN_LAYERS_DIR an existing folder",
                )
            folders += (layers_dir,)
        return cls(folders)

    def _names(self, sub: str) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted((folder / sub).glob("*.yaml")):
                if sub == "" and path.name in ("sources.yaml", "fields.yaml"):
                    continue
                found[path.stem] = path
        return dict(sorted(found.items()))

    def _path(self, sub: str, name: str, what: str) -> Path:
        names = self._names(sub)
        if name in names:
            return names[name]
        as_path = Path(name)
        if as_path.suffix in (".yaml", ".yml"):
            return as_path
        close = get_close_matches(name, list(names), n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        listed = ", ".join(names) or "none"
        raise UnknownName(
            f"unknown {what} '{name}'",
            where=", ".join(str(f / sub) if sub else str(f) for f in self.folders),
            remedy=f"{hint}known: {listed}; or give the path of a .yaml file",
        )

    def layers(self) -> dict[str, LayerSpec]:
        """Return every layer by id; problems of all files are reported together."""
        out: dict[str, LayerSpec] = {}
        problems: list[Problem] = []
        for name, path in self._names("").items():
            try:
                spec = read_model(path, LayerSpec, what="layer")
            except ProblemsFound as error:
                problems += [
                    Problem(f"{path.name}: {p.where}", p.what, p.remedy, code=p.code)
                    for p in error.problems
                ]
                continue
            if spec.id != name:
                problems.append(
                    Problem(path.name, f"its id is '{spec.id}'", f"rename it to {spec.id}.yaml")
                )
            out[spec.id] = spec
        if problems:
            raise ProblemsFound(
                f"the layer catalogue has {len(problems)} problems",
                problems,
                where=", ".join(map(str, self.folders)),
            )
        return out

    def layer(self, layer_id: str) -> LayerSpec:
        """Return one layer."""
        return read_model(self._path("", layer_id, "layer"), LayerSpec, what="layer")

    def profile(self, name: str) -> Profile:
        """Return a profile by id or by path."""
        return read_model(self._path("profiles", name, "profile"), Profile, what="profile")

    def profiles(self) -> dict[str, Path]:
        """Return the profiles' files by id."""
        return self._names("profiles")

    def pack(self, name: str) -> Pack:
        """Return a pack by id or by path."""
        return read_model(self._path("packs", name, "pack"), Pack, what="pack")

    def packs(self) -> dict[str, Path]:
        """Return the packs' files by id."""
        return self._names("packs")

    def scenario(self, name: str) -> Scenario:
        """Return a scenario by id or by path."""
        return read_model(self.scenario_path(name), Scenario, what="scenario")

    def scenario_path(self, name: str) -> Path:
        """Return the file of a scenario given by id or by path."""
        return self._path("scenarios", name, "scenario")

    def scenarios(self) -> dict[str, Path]:
        """Return the scenarios' files by id."""
        return self._names("scenarios")

    def index(self, name: str) -> CompositeSpec:
        """Return a composite index by id or by path."""
        # Imported here: that module reads its files with this one.
        from geoplan.catalogue.composite import CompositeSpec

        return read_model(self._path("indices", name, "index"), CompositeSpec, what="index")

    def indices(self) -> dict[str, Path]:
        """Return the indices' files by id."""
        return self._names("indices")

    def pattern(self, name: str) -> PatternSpec:
        """Return a regional pattern by id or by path."""
        return read_model(self._path("patterns", name, "pattern"), PatternSpec, what="pattern")

    def patterns(self) -> dict[str, Path]:
        """Return the patterns' files by id."""
        return self._names("patterns")

    def target(self, name: str) -> TargetSpec:
        """Return a national target by id or by path."""
        return read_model(self._path("targets", name, "target"), TargetSpec, what="target")

    def targets(self) -> dict[str, Path]:
        """Return the targets' files by id."""
        return self._names("targets")
