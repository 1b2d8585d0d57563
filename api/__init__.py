"""The HTTP service: JSON answers, vector tiles and the map page."""

from api.app import create_app

__all__ = ["create_app"]
