"""``geoplan site compare``: two runs side by side."""

from __future__ import annotations

import json as jsonlib
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from geoplan.cli.context import AppContext, console, print_json, print_table
from geoplan.cli.run_folder import folder_of
from geoplan.studies.compare import Change, RunComparison, compare_runs

__all__ = ["compare"]

_PART = 60


def compare(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(help="Run id or run folder.")],
    after: Annotated[str, typer.Argument(help="Run id or run folder.")],
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document instead of tables.")
    ] = False,
) -> None:
    """Say what differs between two runs: question, layers, weights, ranks and plan."""
    context: AppContext = ctx.obj
    found = compare_runs(folder_of(context, before), folder_of(context, after))
    if json:
        print_json(_document(found))
        return
    for title, changes in (
        ("Scenario", found.scenario),
        ("Rules of the country", found.profile),
        ("Layers", found.layers),
        ("Programs", found.software),
        ("Result", found.result),
    ):
        _changes(title, changes)
    changed = found.weights[found.weights["before"] != found.weights["after"]]
    if len(changed):
        print_table(
            "Weights",
            ["criterion", "before", "after"],
            [[r.criterion, _number(r.before), _number(r.after)] for r in changed.itertuples()],
            right=(1, 2),
        )
    print_table(
        f"Plan: {found.before} → {found.after}",
        ["before", "after", "", "rank", "rank after", "score", "score after", "common land"],
        [
            [
                r.before or "–",
                r.after or "–",
                r.change,
                _number(r.rank_before, 0),
                _number(r.rank_after, 0),
                _number(r.score_before),
                _number(r.score_after),
                "" if math.isnan(r.overlap) else f"{100 * r.overlap:.0f} %",
            ]
            for r in found.sites.itertuples()
        ],
        right=(3, 4, 5, 6, 7),
    )
    tau = "–" if math.isnan(found.kendall_tau) else f"{found.kendall_tau:.3f}"
    console.print(f"{found.matched} candidates are the same place in both; Kendall τ {tau}")


def _changes(title: str, changes: Iterable[Change]) -> None:
    rows = [[c.path, _short(c.before), _short(c.after)] for c in changes]
    if rows:
        print_table(title, ["what", "before", "after"], rows)


def _short(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
    return text if len(text) <= _PART else f"{text[: _PART - 1]}…"


def _number(value: float, decimals: int = 4) -> str:
    return "–" if math.isnan(value) else f"{value:,.{decimals}f}"


def _document(found: RunComparison) -> dict[str, Any]:
    def records(frame: Any) -> list[dict[str, Any]]:
        return [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
            for row in frame.to_dict("records")
        ]

    plain = {
        name: [asdict(c) for c in getattr(found, name)]
        for name in ("scenario", "profile", "layers", "software", "result")
    }
    return {
        "before": found.before,
        "after": found.after,
        **plain,
        "weights": records(found.weights),
        "sites": records(found.sites),
        "matched": found.matched,
        "kendall_tau": None if math.isnan(found.kendall_tau) else found.kendall_tau,
    }
