"""A second country as files only: other language, other CRS, two levels of regions.

An invented island in the South Pacific, 60 × 50 km, described in Spanish: two departments of four
municipalities each, delivered as Shapefile (Latin-1), GeoJSON, GeoPackage, semicolon CSV and
GeoTIFF in UTM zone 12S. Water comes in litres per second and power in kVA. Nothing of it is known
to the repository: layers, profile, pack and scenario are written here, into one folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import yaml
from rasterio.transform import Affine

from geoplan.sample.place import place
from geoplan.sample.relief import fractal

__all__ = ["LITRES", "SecondCountry", "make_second_country"]

CRS = "EPSG:32712"
EAST, NORTH = 500_000.0, 6_600_000.0
WIDE, HIGH = 60_000.0, 50_000.0
LITRES = {
    "F-01": (220.0, 90.0),
    "F-02": (180.0, 120.0),
    "F-03": (160.0, 40.0),
    "F-04": (90.0, 20.0),
}
"""Water sources: yield and what is committed, l/s."""

_TOWNS = (
    "Peñarela",
    "Santa Orilla",
    "Güemal",
    "Villa Ñandara",
    "Corvía",
    "Lumbral",
    "Açufre",
    "Tresmontes",
)


@dataclass(frozen=True)
class SecondCountry:
    """Where the files lie."""

    layers_dir: Path
    delivery: Path
    pack: Path
    profile: Path
    scenario: Path


def make_second_country(folder: Path) -> SecondCountry:
    """Write the country into ``folder`` and return its paths."""
    delivery, layers_dir = folder / "entrega", folder / "capas"
    for path in (delivery, layers_dir / "profiles", layers_dir / "packs", layers_dir / "scenarios"):
        path.mkdir(parents=True)
    _regions(delivery)
    _lines_and_places(delivery)
    _utilities(delivery)
    _relief(delivery)
    for layer in _LAYERS:
        _write(layers_dir / f"{layer['id']}.yaml", layer)
    country = SecondCountry(
        layers_dir,
        delivery,
        layers_dir / "packs" / "isla.yaml",
        layers_dir / "profiles" / "isla.yaml",
        layers_dir / "scenarios" / "polos.yaml",
    )
    _write(country.pack, _PACK)
    _write(country.profile, _PROFILE)
    _write(country.scenario, _SCENARIO)
    return country


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _box(col: int, row: int, cols: int, rows: int) -> shapely.Polygon:
    w, h = WIDE / cols, HIGH / rows
    return shapely.box(EAST + col * w, NORTH + row * h, EAST + (col + 1) * w, NORTH + (row + 1) * h)


def _centre(number: int) -> tuple[float, float]:
    col, row = number % 4, number // 4
    return EAST + (col + 0.5) * WIDE / 4, NORTH + (row + 0.5) * HIGH / 2


def _regions(folder: Path) -> None:
    west_east = gpd.GeoDataFrame(
        {"código": [1, 2], "nombre": ["Poniente", "Oriente"]},
        geometry=[_box(0, 0, 2, 1), _box(1, 0, 2, 1)],
        crs=CRS,
    )
    west_east.to_file(folder / "departamentos.gpkg", layer="departamentos")
    towns = gpd.GeoDataFrame(
        {
            "cod_mun": [n + 1 for n in range(8)],
            "cod_dep": [1 if n % 4 < 2 else 2 for n in range(8)],
            "nombre": [f"Municipio de {t}" for t in _TOWNS],
        },
        geometry=[_box(n % 4, n // 4, 4, 2) for n in range(8)],
        crs=CRS,
    )
    towns.to_file(folder / "municipios.shp", encoding="ISO-8859-1")
    pd.DataFrame(
        {
            "municipio": [f"{n + 1:03d}" for n in range(8)],
            "habitantes": [90_000, 42_000, 15_000, 8_000, 60_000, 21_000, 12_000, 30_000],
            "empleo_industrial": [6_300, 2_100, 300, 90, 3_000, 800, 150, 1_400],
        }
    ).to_csv(folder / "estadística.csv", sep=";", index=False, encoding="latin-1")


def _lines_and_places(folder: Path) -> None:
    middle = NORTH + HIGH / 2
    lines = [shapely.LineString([(EAST, middle), (EAST + WIDE, middle)])]
    lines += [
        shapely.LineString([(_centre(n)[0], NORTH), (_centre(n)[0], NORTH + HIGH)])
        for n in range(4)
    ]
    gpd.GeoDataFrame(
        {"categoría": ["troncal", *["vecinal"] * 4], "carriles": [4, 2, 2, 2, 2]},
        geometry=lines,
        crs=CRS,
    ).to_file(folder / "vías.geojson")
    gpd.GeoDataFrame(
        {
            "nombre": list(_TOWNS),
            "población": [70_000, 30_000, 9_000, 4_000, 45_000, 15_000, 7_000, 22_000],
        },
        geometry=[shapely.Point(_centre(n)) for n in range(8)],
        crs=CRS,
    ).to_crs(4326).to_file(folder / "ciudades.geojson")
    reserve = shapely.Point(EAST + 30_000, NORTH + 40_000).buffer(5_000)
    gpd.GeoDataFrame({"nombre": ["Reserva del Peñón"]}, geometry=[reserve], crs=CRS).to_file(
        folder / "reservas.gpkg"
    )


def _utilities(folder: Path) -> None:
    at = [(8_000, 20_000), (22_000, 31_000), (41_000, 18_000), (54_000, 34_000)]
    pd.DataFrame(
        {
            "identificador": list(LITRES),
            "nombre": [f"Captación {n}" for n in ("Norte", "Ñuble", "Cañada", "Árida")],
            "caudal_l_s": [q for q, _ in LITRES.values()],
            "comprometido_l_s": [c for _, c in LITRES.values()],
            "este": [EAST + x for x, _ in at],
            "norte": [NORTH + y for _, y in at],
        }
    ).to_csv(folder / "fuentes.csv", sep=";", index=False, encoding="latin-1")
    gpd.GeoDataFrame(
        {
            "id_sub": ["SE1", "SE2", "SE3", "SE4"],
            "nombre": [f"Subestación {t}" for t in ("Poniente", "Centro", "Sur", "Oriente")],
            "potencia_kva": [60_000, 40_000, 50_000, 30_000],
            "demanda_kva": [25_000, 22_000, 20_000, 8_000],
        },
        geometry=[shapely.Point(EAST + x + 2_000, NORTH + y - 1_500) for x, y in at],
        crs=CRS,
    ).to_file(folder / "subestaciones.gpkg")
    gpd.GeoDataFrame(
        {
            "nombre": ["Depuradora de Peñarela", "Depuradora de Corvía"],
            "capacidad": [14_000.0, 9_000.0],
            "uso": [9_500.0, 6_000.0],
        },
        geometry=[shapely.Point(_centre(0)), shapely.Point(_centre(4))],
        crs=CRS,
    ).to_crs(4326).to_file(folder / "depuradoras.geojson")


def _relief(folder: Path) -> None:
    cell = 200.0
    shape = (int(HIGH / cell), int(WIDE / cell))
    x = np.linspace(0, 1, shape[1])[None, :]
    ridge = 900 * np.exp(-(((x - 0.5) / 0.06) ** 2))
    height = 40 + 200 * x + ridge + 6 * fractal(shape, place(1, "small").rng("isla"), beta=3.0)
    with rasterio.open(
        folder / "relieve.tif",
        "w",
        driver="GTiff",
        width=shape[1],
        height=shape[0],
        count=1,
        dtype="float32",
        crs=CRS,
        transform=Affine(cell, 0, EAST, 0, -cell, NORTH + HIGH),
        nodata=-9999.0,
    ) as sink:
        sink.write(height.astype(np.float32), 1)


def _text(en: str, local: str) -> dict[str, str]:
    return {"en": en, "local": local}


def _number(unit: str) -> dict[str, Any]:
    return {"type": "number", "unit": unit, "minimum": 0}


_CODE = {"type": "string", "required": True}
_KEY = {"key": "id_fuente", "table": "utility_nodes", "theme": "utility", "geometry": "point"}
_LAYERS: list[dict[str, Any]] = [
    {
        "id": "departamentos", "title": _text("Departments", "Departamentos"), "kind": "vector",
        "theme": "administration", "geometry": "polygon", "table": "regions", "level": 1,
        "key": "code", "fields": {"code": _CODE},
    },
    {
        "id": "municipios", "title": _text("Municipalities", "Municipios"), "kind": "vector",
        "theme": "administration", "geometry": "polygon", "table": "regions", "level": 2,
        "key": "code", "fields": {"code": _CODE, "parent_code": _CODE},
    },
    {
        "id": "datos-municipales", "title": _text("Municipal figures", "Datos municipales"),
        "kind": "table", "theme": "statistics", "table": "region_facts", "level": 2,
        "fields": {"poblacion": _number("personas"), "empleo_industrial": _number("personas")},
    },
    {
        "id": "vias", "title": _text("Roads", "Vías"), "kind": "vector", "theme": "transport",
        "geometry": "line",
        "fields": {"categoria": {"type": "string", "codes": ["principal", "local"]}},
    },
    {
        "id": "ciudades", "title": _text("Towns", "Ciudades"), "kind": "vector",
        "theme": "settlement", "geometry": "point", "fields": {"poblacion": _number("personas")},
    },
    {
        "id": "reservas", "title": _text("Nature reserves", "Reservas naturales"),
        "kind": "vector", "theme": "environment", "geometry": "polygon",
    },
    {
        **_KEY, "id": "fuentes-agua", "title": _text("Water sources", "Fuentes de agua"),
        "kind": "vector", "fields": {"id_fuente": _CODE},
    },
    {
        **_KEY, "id": "subestaciones", "title": _text("Substations", "Subestaciones"),
        "kind": "vector", "fields": {"id_fuente": _CODE},
    },
    {
        **_KEY, "id": "depuradoras", "title": _text("Treatment plants", "Depuradoras"),
        "kind": "vector", "fields": {"id_fuente": _CODE},
    },
    {
        "id": "relieve", "title": _text("Relief", "Relieve"), "kind": "raster",
        "theme": "terrain", "table": "raster", "unit": "m",
    },
    {
        "id": "pendiente", "title": _text("Slope", "Pendiente"), "kind": "raster",
        "theme": "terrain", "table": "raster", "unit": "%",
        "derived": {"from": "relieve", "measure": "slope_percent"},
    },
]  # fmt: skip

_NODE = {"kind": {"default": "red"}, "name_local": "nombre"}
_PACK: dict[str, Any] = {
    "id": "isla",
    "title": _text("Invented island", "Isla inventada"),
    "profile": "isla",
    "synthetic": True,
    "entries": [
        {
            "layer": "departamentos", "file": "departamentos.gpkg",
            "fields": {"code": {"from": "código", "zero_pad": 2}, "name_local": "nombre"},
        },
        {
            "layer": "municipios", "file": "municipios.shp", "encoding": "ISO-8859-1",
            "fields": {
                "code": {"from": "cod_mun", "zero_pad": 3},
                "parent_code": {"from": "cod_dep", "zero_pad": 2},
                "name_local": {"from": "nombre", "strip_prefix": "Municipio de "},
            },
        },
        {
            "layer": "datos-municipales", "file": "estadística.csv", "encoding": "latin-1",
            "as_of": "2023", "source": "censo inventado", "fields": {"region_code": "municipio"},
            "melt": {"habitantes": "poblacion", "empleo_industrial": "empleo_industrial"},
        },
        {
            "layer": "vias", "file": "vías.geojson", "crs": CRS,
            "fields": {
                "categoria": {
                    "from": "categoría", "codes": {"troncal": "principal", "vecinal": "local"},
                }
            },
        },
        {
            "layer": "ciudades", "file": "ciudades.geojson",
            "fields": {"name_local": "nombre", "poblacion": "población"},
        },
        {"layer": "reservas", "file": "reservas.gpkg", "fields": {"name_local": "nombre"}},
        {
            "layer": "fuentes-agua", "file": "fuentes.csv", "encoding": "latin-1", "crs": CRS,
            "lon": "este", "lat": "norte", "basis": "licensed",
            "columns": {"caudal_l_s": "caudal", "comprometido_l_s": "comprometido"},
            "fields": {
                **_NODE, "id_fuente": "identificador", "resource": {"default": "water"},
                "capacity": {"expr": "caudal * 86.4"},
                "committed": {"expr": "comprometido * 86.4"},
                "headroom": {"expr": "(caudal - comprometido) * 86.4"},
                "unit": {"default": "m3/day"},
            },
        },
        {
            "layer": "subestaciones", "file": "subestaciones.gpkg", "basis": "metered",
            "fields": {
                **_NODE, "id_fuente": "id_sub", "resource": {"default": "power"},
                "capacity": {"expr": "potencia_kva / 1000"},
                "committed": {"expr": "demanda_kva / 1000"},
                "headroom": {"expr": "(potencia_kva - demanda_kva) / 1000"},
                "unit": {"default": "MVA"},
            },
        },
        {
            "layer": "depuradoras", "file": "depuradoras.geojson", "basis": "assumed",
            "method": _text("capacity less use", "capacidad menos uso"),
            "fields": {
                **_NODE, "id_fuente": "nombre", "resource": {"default": "wastewater"},
                "capacity": "capacidad", "committed": "uso",
                "headroom": {"expr": "capacidad - uso"}, "unit": {"default": "m3/day"},
            },
        },
        {"layer": "relieve", "file": "relieve.tif"},
    ],
}  # fmt: skip


def _assumed(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "basis": "supuesto", "status": "proposed"}


_PROFILE: dict[str, Any] = {
    "id": "isla",
    "title": _text("Invented island", "Isla inventada"),
    "country": "XX",
    "synthetic": True,
    "languages": ["local", "en"],
    # Albers equal-area in the southern hemisphere
    "analysis_crs": (
        "+proj=aea +lat_1=-31.0 +lat_2=-30.2 +lat_0=-30.6 +lon_0=-110.7 +datum=WGS84 +units=m"
    ),
    "bbox": [-111.2, -31.0, -110.2, -30.0],
    "region_levels": [
        {"level": 1, "layer": "departamentos", "title": _text("Department", "Departamento")},
        {"level": 2, "layer": "municipios", "title": _text("Municipality", "Municipio")},
    ],
    "currency": "PEN",
    "price_year": "2023",
    "rule_sets": [
        {
            "id": "decreto-7", "title": _text("Decree 7", "Decreto 7"), "enacted": "2011",
            "basis": "decreto inventado 7/2011", "status": "in force",
            "rules": [
                {
                    "id": "ciudad", "title": _text("Town", "Ciudad"), "object": "settlement",
                    "distance_m": 2000, "basis": "decreto inventado 7/2011, art. 3",
                    "status": "in force",
                }
            ],
        }
    ],
    "demand_classes": {
        "alimentos": {
            "title": _text("Food", "Alimentos"), "water": _assumed(30, "m3/day/ha"),
            "return_ratio": _assumed(0.7, "1"), "connected_power": _assumed(300, "kVA/ha"),
            "coincidence": _assumed(0.55, "1"), "jobs": _assumed(40, "jobs/ha"), "grade": [2, 4],
        }
    },
    "coefficients": {
        "industrial_share": _assumed(0.6, "1"), "network_loss": _assumed(0.1, "1"),
        "domestic_water": _assumed(60, "l/person/day"), "domestic_return": _assumed(0.8, "1"),
        "green_share": _assumed(0.1, "1"), "green_water": _assumed(30, "m3/day/ha"),
        "nonpotable_share": _assumed(0.3, "1"),
    },
    "index": {
        "level": 2,
        "indicators": [
            {
                "id": "empleo", "title": _text("Industrial employment", "Empleo industrial"),
                "level": 2, "variable": "empleo_industrial", "per": "poblacion",
                "per_unit": 1000, "unit": "por 1000", "weight": 1, "basis": "censo inventado",
            }
        ],
    },
}  # fmt: skip

_SCENARIO: dict[str, Any] = {
    "id": "polos",
    "title": _text("Two industrial poles", "Dos polos industriales"),
    "profile": "isla",
    "area": {"layer": "departamentos"},
    "grid": {"cell_m": 250},
    "exclude": [
        {"id": "pendiente", "raster": "pendiente", "above": 12, "basis": "costumbre"},
        {"id": "ciudades", "layer": "ciudades", "rule": "decreto-7/ciudad"},
        {"id": "reservas", "layer": "reservas", "within_m": 500, "basis": "ley inventada"},
        {"id": "lejos", "layer": "vias", "beyond_m": 9000, "basis": "costumbre"},
    ],
    "criteria": {
        "agua": {
            "measure": "distance", "layer": "fuentes-agua", "unit": "km", "weight": 0.4,
            "value": {"kind": "linear", "best": 2, "worst": 30},
        },
        "via": {
            "measure": "distance", "layer": "vias", "where": "categoria == 'principal'",
            "unit": "km", "weight": 0.3, "value": {"kind": "linear", "best": 1, "worst": 20},
        },
        "rezago": {
            "measure": "region", "index": "industrialisation", "invert": True, "unit": "index",
            "weight": 0.3,
        },
    },
    "candidates": {"area_ha": [100, 250], "spacing_km": 2, "seeds": 500, "keep": 40},
    "demand": {"mix": {"alimentos": 1.0}, "take_up": 0.8},
    "supply": {
        "water": {"layers": ["fuentes-agua"], "max_km": 30, "cost_per_km": 300_000},
        "power": {"layers": ["subestaciones"], "max_km": 30, "cost_per_km": 500_000},
        "wastewater": {
            "layers": ["depuradoras"], "max_km": 20, "cost_per_km": 300_000,
            "own": [
                {"kind": "plant", "module_m3_per_day": 1000, "cost": 4_000_000, "modules_max": 4}
            ],
        },
    },
    "portfolio": {
        "count": 2, "per_region_max": 1, "region_level": 1, "spacing_km": 5,
        "cost_per_score_point": 1.0e8, "time_limit_s": 20,
    },
    "seed": 3,
}  # fmt: skip
