"""The reference pages, written from the code: commands, scenario keys, layers, errors, routes.

``python -m geoplan.cli.reference DIR`` writes them, ``--check DIR`` says whether they are current.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from geoplan import errors
from geoplan.catalogue import Catalogue, LayerSpec, Pack, Profile, Scenario
from geoplan.expression import FUNCTIONS

__all__ = ["pages"]


def pages() -> dict[str, str]:
    """Return every reference page: file name → Markdown."""
    return {
        "commands.md": _commands(),
        "scenario.md": _model("Scenario", "One YAML that fixes a siting question.", Scenario),
        "profile.md": _model("Profile", "Everything about a country.", Profile),
        "pack.md": _model("Pack", "A delivery of files mapped to layers.", Pack) + _expressions(),
        "layer.md": _model("Layer", "One YAML per catalogued layer.", LayerSpec),
        "layers.md": _layers(),
        "errors.md": _errors(),
        "routes.md": _routes(),
        "settings.md": _settings(),
    }


def _commands() -> str:
    from typer.main import get_command

    from geoplan.cli.app import app

    lines = [
        "# Commands",
        "",
        "Exit codes: 0 done, 1 the answer is no (a check failed, no plan exists), 2 could not be "
        "done as asked, 130 stopped by Ctrl-C. `--json` prints one JSON document.",
        "",
    ]
    root: Any = get_command(app)
    lines += ["## geoplan", "", *_options(root)]

    def walk(command: Any, name: str) -> None:
        for sub_name in sorted(command.list_commands(None)):
            sub = command.get_command(None, sub_name)
            full = f"{name} {sub_name}"
            if getattr(sub, "commands", None):
                walk(sub, full)
                continue
            arguments = [p for p in sub.params if p.param_type_name == "argument"]
            usage = " ".join([full, *[(p.metavar or p.name or "").upper() for p in arguments]])
            lines.extend([f"## {usage}", "", (sub.help or "").strip().split("\n")[0], ""])
            lines.extend(_options(sub))

    walk(root, "geoplan")
    return "\n".join(lines).rstrip() + "\n"


def _options(command: Any) -> Iterator[str]:
    rows = []
    for parameter in command.params:
        if "--help" in parameter.opts or parameter.name is None:
            continue
        name = (
            parameter.name.upper()
            if parameter.param_type_name == "argument"
            else ", ".join(parameter.opts)
        )
        rows.append(f"| `{name}` | {(getattr(parameter, 'help', '') or '').replace('|', '/')} |")
    if rows:
        yield from ["| option | meaning |", "|---|---|", *rows, ""]


def _kind(annotation: Any) -> str:
    if annotation is type(None):
        return "empty"
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(a) for a in get_args(annotation))
    if origin is not None and getattr(origin, "__name__", "") == "Literal":
        return " / ".join(f"`{a}`" for a in get_args(annotation))
    if origin in (tuple, list):
        inner = [a for a in get_args(annotation) if a is not Ellipsis]
        return "list of " + " , ".join(dict.fromkeys(_kind(a) for a in inner))
    if origin is dict:
        key, value = get_args(annotation)
        return f"mapping {_kind(key)} → {_kind(value)}"
    if origin is not None:  # Annotated
        return _kind(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {str: "text", int: "whole number", float: "number", bool: "yes/no"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default_factory is not None:
        return "its defaults"
    value = info.default
    if value is None or value is PydanticUndefined or value == ():
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "its defaults" if isinstance(value, BaseModel) else f"`{value}`"


def _limits(info: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = []
    for item in info.metadata:
        for name, sign in signs.items():
            bound = getattr(item, name, None)
            if bound is not None:
                found.append(f"{sign} {bound:g}")
    return ", ".join(found)


def _model(title: str, text: str, model: type[BaseModel]) -> str:
    lines = [f"# {title}", "", text, "An unknown key is an error.", ""]
    queue: list[type[BaseModel]] = [model]
    seen: list[type[BaseModel]] = []
    while queue:
        current = queue.pop(0)
        if current in seen:
            continue
        seen.append(current)
        doc = (current.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        lines += [f"## {current.__name__}", "", " ".join(doc.split()), ""]
        lines += ["| key | kind | default | meaning |", "|---|---|---|---|"]
        for name, info in current.model_fields.items():
            limits = _limits(info)
            meaning = " ".join(
                filter(None, [info.description or "", f"({limits})" if limits else ""])
            )
            key = info.alias or name
            kind = _kind(info.annotation).replace("|", "/")
            lines.append(f"| `{key}` | {kind} | {_default(info)} | {meaning} |")
            queue += [m for m in _models(info.annotation) if m not in seen]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _expressions() -> str:
    return (
        "\n## Expressions\n\nColumns, numbers, 'text', `+ - * / %`, comparisons, `and or not`, "
        "`in [...]`, and the functions "
        + ", ".join(f"`{name}`" for name in FUNCTIONS)
        + ". Missing stays missing in arithmetic and is false in a comparison.\n"
    )


def _layers() -> str:
    lines = ["# Layers of the catalogue", "", "| id | title | kind | table | fields |"]
    lines.append("|---|---|---|---|---|")
    for layer in Catalogue.standard().layers().values():
        fields = ", ".join(
            f"`{name}`" + (f" ({spec.unit})" if spec.unit else "")
            for name, spec in layer.fields.items()
        )
        kind = layer.geometry or layer.kind
        title = f"{layer.title.en} · {layer.title.fa}" if layer.title.fa else layer.title.en
        lines.append(f"| `{layer.id}` | {title} | {kind} | {layer.table} | {fields} |")
    return "\n".join(lines) + "\n"


def _errors() -> str:
    from api.errors import STATUS

    lines = ["# Errors", "", "| class | exit code | HTTP | meaning |", "|---|---|---|---|"]
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.GeoPlanError):
            status = next((STATUS[base] for base in kind.__mro__ if base in STATUS), 500)
            doc = (kind.__doc__ or "").strip().split("\n")[0]
            lines.append(f"| `{name}` | {kind.exit_code} | {status} | {doc} |")
    return "\n".join(lines) + "\n"


def _routes() -> str:
    from api.openapi import document

    lines = ["# Routes", "", "| method | path | meaning |", "|---|---|---|"]
    for path, methods in sorted(document()["paths"].items()):
        for method, spec in sorted(methods.items()):
            told = (spec.get("description") or spec.get("summary") or "").strip()
            lines.append(f"| {method.upper()} | `{path}` | {told.split(chr(10))[0]} |")
    return "\n".join(lines) + "\n"


def _settings() -> str:
    rows = [
        ("GEOPLAN_HOME", "--home", "Private folder: cluster, rasters, runs; default `.geoplan`"),
        ("GEOPLAN_DATABASE_URL", "", "PostGIS server to use instead of the private cluster"),
        ("GEOPLAN_LAYERS_DIR", "--layers-dir", "Extra catalogue folder; wins over the bundled one"),
        ("GEOPLAN_RUNS_DIR", "", "Where run folders are written; default `<home>/runs`"),
        ("GEOPLAN_PROFILE", "--profile", "Country profile, by id or path"),
        ("GEOPLAN_UPLOAD_MB", "", "Largest file that the service takes, MB; default 4,000"),
        ("GEOPLAN_KEEP_DAYS", "", "Days that uploads and their reports are kept; default 30"),
        ("GEOPLAN_TEST_DATABASE_URL", "", "Server on which the tests make their databases"),
        ("GEOPLAN_TRACEBACK", "", "Set: show the traceback of an error (for developers)"),
    ]
    lines = ["# Settings", "", "| variable | option | meaning |", "|---|---|---|"]
    lines += [f"| `{n}` | {f'`{o}`' if o else ''} | {m} |" for n, o, m in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit code."""
    # Help texts are wrapped to the terminal; the pages must not depend on it.
    os.environ["COLUMNS"] = "100"
    check = "--check" in arguments
    folder = Path(next((a for a in arguments if not a.startswith("-")), "docs/reference"))
    stale = []
    for name, text in pages().items():
        path = folder / name
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        typer.echo(f"not current: {', '.join(stale)}\n  → make docs", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
