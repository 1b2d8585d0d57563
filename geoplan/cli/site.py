"""``geoplan site``: run, list, explain, compare, verify and replay siting runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from geoplan.catalogue import RESOURCE_UNITS
from geoplan.cli.context import AppContext, console, print_json, print_table
from geoplan.cli.progress import step_lines
from geoplan.cli.run_folder import folder_of
from geoplan.cli.site_compare import compare
from geoplan.cli.site_place import explain_place
from geoplan.errors import CheckFailed, Infeasible
from geoplan.siting.result import SitingResult
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction
from geoplan.studies.record import site_record
from geoplan.studies.replay import replay_run
from geoplan.studies.site import RunOutcome, run_site
from geoplan.studies.verify import verify_folder

__all__ = ["app", "print_record", "print_result"]

app = typer.Typer(no_args_is_help=True)
app.command()(compare)

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]


@app.command()
def run(
    ctx: typer.Context,
    scenario: Annotated[str, typer.Argument(help="Scenario, by id or by path of its .yaml file.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; it must not exist or be empty.")
    ] = None,
    plan_only: Annotated[
        bool,
        typer.Option(
            "--plan-only",
            help="Leave out what the scenario asks beside the plan (front, draws, other plans …).",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Run a scenario: rank land, choose the sites that can be served together, write everything."""
    context: AppContext = ctx.obj
    # A mistake in the files is told before a database is started.
    context.catalogue.profile(context.profile or context.catalogue.scenario(scenario).profile)
    engine = engine_for(cluster.ensure(context.settings))
    outcome = run_site(
        engine,
        context.settings,
        context.catalogue,
        scenario,
        profile=context.profile,
        out=out,
        plan_only=plan_only,
        progress=step_lines(quiet=json),
    )
    if json:
        print_json(_summary(outcome))
    else:
        print_result(outcome.result)
        console.print(f"\nrun {outcome.run_id}\nfolder {outcome.folder}")
    if outcome.result.solver.status == "infeasible":
        raise Infeasible(
            "no set of sites satisfies all limits",
            outcome.result.relaxations,
            where=f"run {outcome.run_id}",
            remedy="move one of these limits in the scenario; the ranking is in the folder",
        )


def _summary(outcome: RunOutcome) -> dict[str, Any]:
    result = outcome.result
    return {
        "run_id": outcome.run_id,
        "folder": str(outcome.folder),
        "status": result.solver.status,
        "objective": result.solver.objective,
        "bound": result.solver.bound,
        "gap": result.solver.gap,
        "candidates": len(result.candidates),
        "sites": result.portfolio["site_id"].tolist() if len(result.portfolio) else [],
        "warnings": [notice.en for notice in result.warnings],
        "timings": [
            {"step": t.step, "seconds": t.seconds, "peak_mb": t.peak_mb} for t in result.timings
        ],
    }


def _region_names(row: pd.Series) -> str:
    names = []
    for level in (1, 2):
        for column in (f"region{level}_name_en", f"region{level}_name_local"):
            name = row.get(column)
            if isinstance(name, str) and name:
                names.append(name)
                break
    return " / ".join(names)


def print_result(result: SitingResult, *, top: int = 10) -> None:
    """Print the ranking, the portfolio, the proof, and how long each step took."""
    candidates = result.candidates
    flag = " (synthetic country)" if result.profile.synthetic else ""
    print_table(
        f"Ranking, best {min(top, len(candidates))} of {len(candidates)}{flag}",
        ["rank", "site", "region", "ha", "score", "alone", "chosen"],
        [
            [
                int(row["rank"]),
                site,
                _region_names(row),
                f"{row['area_ha']:,.0f}",
                f"{row['score']:.4f}",
                "yes" if row["served_alone"] else "no",
                "yes" if row["in_portfolio"] else "",
            ]
            for site, row in candidates.head(top).iterrows()
        ],
        right=(0, 3, 4),
    )
    console.print()
    if len(result.portfolio):
        units = [f"{r} {u}" for r, u in RESOURCE_UNITS.items()]
        units.append(f"cost {result.profile.currency} {result.profile.price_year}".strip())
        print_table(
            f"Portfolio: {len(result.portfolio)} sites served together{flag} ({', '.join(units)})",
            ["#", "site", "region", "ha", "score", "water", "power", "wastewater", "cost"],
            [
                [
                    number,
                    row["site_id"],
                    _region_names(row),
                    f"{row['area_ha']:,.0f}",
                    f"{row['score']:.4f}",
                    f"{row['water_m3_per_day']:,.0f}",
                    f"{row['power_mva']:,.1f}",
                    f"{row['wastewater_m3_per_day']:,.0f}",
                    f"{row['cost']:,.3g}",
                ]
                for number, (_, row) in enumerate(result.portfolio.iterrows(), 1)
            ],
            right=(0, 3, 4, 5, 6, 7, 8),
        )
    solver = result.solver
    proof = f"status {solver.status}"
    if solver.objective is not None:
        proof += f", objective {solver.objective:.6f}"
    if solver.bound is not None and solver.gap is not None:
        proof += f", bound {solver.bound:.6f}, gap {solver.gap:.2e} (asked {solver.gap_asked:g})"
    console.print(f"{solver.name} {solver.version}: {proof}")
    assumed = int((result.sources["basis"] == "assumed").sum()) if len(result.sources) else 0
    if assumed:
        console.print(f"assumed: {assumed} of {len(result.sources)} sources (marked in every file)")
    for warning in result.warnings:
        console.print(f"note: {warning.en}")
    console.print()
    print_table(
        "Steps",
        ["step", "seconds", "peak MB"],
        [[t.step, f"{t.seconds:.2f}", f"{t.peak_mb:,.0f}"] for t in result.timings]
        + [
            [
                "total",
                f"{sum(t.seconds for t in result.timings):.2f}",
                f"{max((t.peak_mb for t in result.timings), default=0):,.0f}",
            ]
        ],
        right=(1, 2),
    )


def print_record(document: dict[str, Any], folder: str) -> None:
    """Print what a recorded run's document says, for a run that is not made again."""
    solver = document.get("solver", {})
    console.print(
        f"this scenario was run before on the same layers: {solver.get('status')}, "
        f"{document.get('sites')} sites of {document.get('candidates')} candidates, "
        f"gap {solver.get('gap')}\nfolder {folder}"
    )
    portfolio = Path(folder) / "portfolio.csv"
    if portfolio.is_file():
        frame = pd.read_csv(portfolio, dtype={"site_id": str})
        print_table(
            f"Portfolio: {len(frame)} sites served together",
            ["#", "site", "region", "ha", "score"],
            [
                [
                    number,
                    row["site_id"],
                    _region_names(row),
                    f"{row['area_ha']:,.0f}",
                    f"{row['score']:.4f}",
                ]
                for number, (_, row) in enumerate(frame.iterrows(), 1)
            ],
            right=(0, 3, 4),
        )


@app.command(name="list")
def list_runs(ctx: typer.Context, json: Json = False) -> None:
    """List the runs in the database, newest first."""
    context: AppContext = ctx.obj
    with transaction(engine_for(cluster.ensure(context.settings))) as session:
        rows = [asdict(r) for r in read.runs(session)]
    if json:
        print_json(rows)
        return
    print_table(
        "",
        ["run", "scenario", "status", "sites", "candidates", "created", "folder"],
        [
            [
                r["id"], r["scenario_id"], r["status"], r.get("sites"), r.get("candidates"),
                str(r["created_at"])[:19], r["folder"],
            ]
            for r in rows
        ],
    )  # fmt: skip


@app.command()
def explain(
    ctx: typer.Context,
    run_id: Annotated[str, typer.Argument(help="Run id or run folder.")],
    site: Annotated[str | None, typer.Argument(help="Site id.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Any place instead of a site: LON,LAT in degrees.")
    ] = None,
    language: Annotated[
        Literal["en", "fa"], typer.Option(help="Language of titles and sentences.")
    ] = "en",
    json: Json = False,
) -> None:
    """Say why a site is in the plan or not, or why a place is no candidate, with the numbers."""
    context: AppContext = ctx.obj
    if at is not None or site is None:
        explain_place(context, run_id, at if site is None else None, language=language, json=json)
        return
    record = site_record(engine_for(cluster.ensure(context.settings)), run_id, site)
    if json:
        print_json(record)
        return

    def told(label: dict[str, str | None] | None) -> str:
        words = label or {}
        local = words.get("local") or words.get("fa")
        return str((local if language == "fa" else None) or words.get("en") or "")

    print_table(
        f"{site}: rank {record['rank']}, score {record['score']:.4f}, {record['area_ha']:,.0f} ha",
        ["criterion", "measured", "unit", "value", "weight", "contribution"],
        [
            [
                told(c["title"]),
                "" if c["measured"] is None else f"{c['measured']:,.2f}",
                c["unit"],
                "" if c["value"] is None else f"{c['value']:.3f}",
                f"{c['weight']:.3f}",
                "" if c["contribution"] is None else f"{c['contribution']:.4f}",
            ]
            for c in record["criteria"]
        ],
        right=(1, 3, 4, 5),
    )
    for reason in record["reasons"]:
        console.print(f"- {told(reason['text'])}")


@app.command()
def verify(
    ctx: typer.Context,
    run_or_folder: Annotated[str, typer.Argument(help="Run folder or run id.")],
    json: Json = False,
) -> None:
    """Check a run folder again with independent arithmetic."""
    folder = folder_of(ctx.obj, run_or_folder)
    report = verify_folder(folder)
    if json:
        print_json(
            {
                "folder": str(folder),
                "passed": report.passed,
                "checks": [
                    {"name": c.name, "passed": c.passed, "detail": c.detail} for c in report.checks
                ],
            }
        )
    else:
        print_table(
            f"{folder}",
            ["", "check", "detail"],
            [["ok" if c.passed else "FAILED", c.name, c.detail] for c in report.checks],
        )
    if not report.passed:
        failed = [c.name for c in report.checks if not c.passed]
        raise CheckFailed(
            f"{len(failed)} of {len(report.checks)} checks failed: {', '.join(failed)}",
            where=str(folder),
            remedy="do not use this folder; run the scenario again",
        )
    if not json:
        console.print(f"all {len(report.checks)} checks passed")


@app.command()
def replay(
    ctx: typer.Context,
    run_or_folder: Annotated[str, typer.Argument(help="Run folder or run id.")],
    json: Json = False,
) -> None:
    """Run a recorded scenario again on the recorded layer versions and compare bytes."""
    context: AppContext = ctx.obj
    folder = folder_of(context, run_or_folder)
    engine = engine_for(cluster.ensure(context.settings))
    report = replay_run(engine, context.catalogue, folder, progress=step_lines(quiet=json))
    if json:
        files = [{**asdict(f), "same": f.same} for f in report.files]
        print_json({"folder": str(folder), "identical": report.identical, "files": files})
    else:
        print_table(
            f"{folder}",
            ["file", "recorded", "replayed", ""],
            [
                [f.name, f.recorded[:12], f.replayed[:12], "same" if f.same else "DIFFERENT"]
                for f in report.files
            ],
        )
    if not report.identical:
        other = [f.name for f in report.files if not f.same]
        raise CheckFailed(
            f"{len(other)} files differ: {', '.join(other)}",
            where=str(folder),
            remedy="compare the software versions in run.json with those installed here",
        )
