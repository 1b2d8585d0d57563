"""Read one raster entry of a pack, mend it, and write it as a Cloud-Optimised GeoTIFF."""

from __future__ import annotations

import numpy as np

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.ingest.findings import Findings
from geoplan.ingest.raster import RasterFile, read_raster, write_cog
from geoplan.ingest.staged import Context
from geoplan.ingest.steps import quantisation
from geoplan.raster import dequantise

__all__ = ["read_surface"]


def read_surface(
    entry: PackEntry, spec: LayerSpec, context: Context, sha: str, findings: Findings
) -> tuple[RasterFile | None, str]:
    """Return the written file (None when only checked) and the CRS as found."""
    surface = read_raster(
        context.folder.file(entry.file),
        crs=entry.crs,
        where=entry.file,
        categorical=spec.categorical,
    )
    if not spec.categorical:
        values = surface.values
        low = -np.inf if spec.minimum is None else spec.minimum
        high = np.inf if spec.maximum is None else spec.maximum
        off = (values < low) | (values > high)
        findings.add(
            "out-of-range",
            f"{int(off.sum()):,} cells lie outside {low:g} … {high:g} {spec.unit or ''}",
            "stored as empty",
            severity="repaired",
            count=int(off.sum()),
        )
        values[off] = np.nan
        missing = int(np.isnan(values).sum())
        findings.add(
            "missing-cells",
            f"{missing:,} of {values.size:,} cells have no data",
            "stay empty",
            severity="info",
            count=missing,
        )
        found = quantisation(values)
        if found is not None:
            cells = values.size - missing
            what = (
                f"heights come in steps of {found.step:g} {spec.unit or ''}: "
                f"{found.values} distinct values in {cells:,} cells"
            )
            if "dequantise" in entry.repair:
                step = entry.dequantise_step or found.step
                before = values.copy() if context.rasters_dir is not None else None
                if before is not None:
                    surface.values = dequantise(values, step).astype(np.float32)
                    moved = np.abs(surface.values - before)
                    changed = int((moved > 0).sum())
                    most = float(np.nanmax(moved))
                    # A height is known to half a step; finer digits would only weigh.
                    surface.values = np.round(surface.values, 2)
                    told = (
                        f"; {changed:,} cells moved, none by more than {most:.2f} {spec.unit or ''}"
                    )
                else:
                    told = ""
                findings.add(
                    "quantised",
                    what + told,
                    f"smoothed within ± half a step of {step:g}",
                    severity="repaired",
                    count=cells,
                )
            else:
                findings.add(
                    "quantised", what, "add 'dequantise' to 'repair'; slopes will have cliffs",
                    count=cells,
                )  # fmt: skip
        elif "dequantise" in entry.repair:
            findings.add("not-quantised", "no steps were found", "not smoothed", severity="info")
    if context.rasters_dir is None:
        return None, surface.crs
    raster = write_cog(
        surface, context.rasters_dir, sha, categorical=spec.categorical, unit=spec.unit
    )
    return raster, surface.crs
