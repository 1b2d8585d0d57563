"""The only readers of files: check everything, mend by named rules, drop nothing silently."""

from geoplan.ingest.folder import PackFolder
from geoplan.ingest.pack import Context, Staged, by_layer, fingerprint, read_entry, read_layer

__all__ = [
    "Context",
    "PackFolder",
    "Staged",
    "by_layer",
    "fingerprint",
    "read_entry",
    "read_layer",
]
