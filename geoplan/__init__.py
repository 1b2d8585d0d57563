"""GeoPlan: the land-use planning platform for industrial estates."""

__all__ = ["__version__"]
__version__ = "0.1.0"
