"""Loaded layers."""

from __future__ import annotations

from fastapi import APIRouter

from api.layers import layer_info
from api.schemas import LayerInfo
from api.service import Name, Serving

__all__ = ["router"]

router = APIRouter(tags=["layers"])


@router.get("/layers")
def list_layers(service: Serving) -> list[LayerInfo]:
    """List the loaded layers by id, each with its source, date, style and tile address."""
    return [layer_info(x) for x in service.snapshot.get().layers.values()]


@router.get("/layers/{layer_id}")
def get_layer(service: Serving, layer_id: Name) -> LayerInfo:
    """Return one loaded layer."""
    return layer_info(service.snapshot.get().layer(layer_id))
