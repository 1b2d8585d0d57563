"""Describe the loaded layers."""

from __future__ import annotations

from api.labels import label
from api.schemas import LayerInfo
from api.tile_urls import layer_tiles
from geoplan.catalogue.layer import Style
from geoplan.store.serve.current import CurrentLayer

__all__ = ["layer_info"]


def layer_info(layer: CurrentLayer) -> LayerInfo:
    """Return what a page needs to list and draw a layer."""
    version = layer.version
    style = Style.model_validate(layer.spec.get("style") or {})
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
        tiles=layer_tiles(layer),
        source_layer="layer",
        bounds=list(version.bbox) if version.bbox else None,
    )
