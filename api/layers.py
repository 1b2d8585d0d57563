"""Describe the loaded layers."""

from __future__ import annotations

from api.labels import label
from api.schemas import LayerInfo
from geoplan.catalogue.layer import Style
from geoplan.store.serve.current import CurrentLayer
from geoplan.store.serve.tile_query import has_tiles

__all__ = ["layer_info"]


def layer_info(layer: CurrentLayer) -> LayerInfo:
    """Return what a page needs to list and draw a layer."""
    version = layer.version
    style = Style.model_validate(layer.spec.get("style") or {})
    # The token in the address lets a browser keep a tile for good: a new load has a new address.
    tiles = (
        f"/tiles/layers/{layer.id}/{{z}}/{{x}}/{{y}}.mvt?v={layer.token}"
        if has_tiles(layer)
        else None
    )
    method = {"en": version.method_en, "local": version.method_local}
    return LayerInfo(
        id=layer.id,
        title=label({"en": layer.title_en, "local": layer.title_local}),
        theme=layer.theme,
        kind=layer.kind,
        geometry=layer.spec.get("geometry"),
        rows=version.rows_stored,
        version=version.number,
        as_of=version.as_of,
        source=version.source,
        licence=version.licence,
        assumed=version.basis == "assumed",
        method=label(method) if any(method.values()) else None,
        synthetic=version.synthetic,
        color=style.color,
        width=style.width,
        opacity=style.opacity,
        min_zoom=style.min_zoom,
        show=style.show,
        tiles=tiles,
        source_layer="layer",
        bounds=list(version.bbox) if version.bbox else None,
    )
