"""Does a load cost more when many layers are catalogued? ``python -m benchmarks.catalogue_size``.

The same 2,000 plots are loaded into a database and catalogue of 10 layers and of 2,000 layers, in
turns, each load a new version; the ratio of the medians should stay within 1.2.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.plots import make_plots
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.session import engine_for
from geoplan.studies.delivery import load_delivery
from geoplan.studies.delivery_options import DeliveryOptions

__all__ = ["run"]

_LAYER = """\
id: extra_{n:04d}
title: {{en: Extra layer {n}, fa: لایهٔ {n}}}
theme: cadastre
kind: vector
geometry: polygon
table: features
key: code
fields:
  code: {{type: string, required: true}}
"""

_ENTER = """
insert into layer (id, title_en, theme, kind, spec)
  select format('extra_%s', lpad(n::text, 4, '0')), 'Extra', 'cadastre', 'vector',
         '{"table": "features", "geometry": "polygon"}'::jsonb
  from generate_series(1, :n) n;
insert into layer_version (layer_id, number, source_file, sha256, loaded_by, rows_read,
    rows_stored, rows_refused, source, licence, confidence, synthetic, report, profile_id)
  select id, 1, 'x', md5(id), 'bench', 50, 50, 0, '', '', '', true, '[]', 'iran' from layer
  where id like 'extra_%';
update layer set current_version_id = v.id from layer_version v where v.layer_id = layer.id;
insert into feature (version_id, key, attrs, geom)
  select v.id, k::text, '{}', ST_SetSRID(ST_MakeEnvelope(
      50 + (v.id % 100) * 0.05, 30 + k * 0.01, 50.01 + (v.id % 100) * 0.05, 30.005 + k * 0.01
    ), 4326)
  from layer_version v, generate_series(1, 50) k;
"""


def _prepared(place: Path, count: int) -> tuple[Engine, Settings, Catalogue]:
    home = place / f"home-{count}"
    layers = place / f"layers-{count}"
    layers.mkdir(parents=True)
    for n in range(1, count + 1):
        (layers / f"extra_{n:04d}.yaml").write_text(_LAYER.format(n=n), encoding="utf-8")
    settings = Settings(home=home, layers_dir=layers)
    status = cluster.up(settings)
    assert status.url is not None
    engine = engine_for(status.url)
    with engine.begin() as connection:
        for statement in _ENTER.strip().split(";\n"):
            if statement.strip():
                connection.execute(text(statement), {"n": count} if ":n" in statement else {})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    return engine, settings, Catalogue.standard(layers)


def run(*, few: int = 10, many: int = 2_000, times: int = 9, rows: int = 2_000) -> dict[str, float]:
    """Return the median seconds of a load with few and with many layers, and their ratio."""
    place = Path(tempfile.mkdtemp(prefix="geoplan-bench-catalogue-"))
    place.chmod(0o755)
    made: list[tuple[Engine, Settings]] = []
    seconds: dict[int, list[float]] = {few: [], many: []}
    try:
        file = place / "plots.gpkg"
        make_plots(file, rows)
        options = DeliveryOptions.model_validate(
            {"layer": "plots", "profile": "iran", "force": True,
             "mapping": {"fields": {"code": "code", "block_key": "block_key", "number": "number"}}}
        )  # fmt: skip
        cases = {}
        for count in (few, many):
            engine, settings, catalogue = _prepared(place, count)
            made.append((engine, settings))
            cases[count] = (engine, settings, catalogue)
        for turn in range(times + 1):
            for count, (engine, settings, catalogue) in cases.items():
                started = time.perf_counter()
                load_delivery(engine, settings, catalogue, file, options, loaded_by="bench")
                if turn:  # the first one compiles
                    seconds[count].append(time.perf_counter() - started)
    finally:
        for engine, settings in made:
            engine.dispose()
            cluster.down(settings)
        shutil.rmtree(place, ignore_errors=True)
    low, high = (statistics.median(seconds[n]) for n in (few, many))
    return {"few_s": low, "many_s": high, "ratio": high / low}


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--many", type=int, default=2_000)
    given = parser.parse_args()
    found = run(many=given.many)
    if given.json:
        print(json.dumps(found))
        return
    print(f"load of 2,000 plots with 10 layers {found['few_s']:.3f} s, with {given.many:,} layers "
          f"{found['many_s']:.3f} s: ratio {found['ratio']:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
