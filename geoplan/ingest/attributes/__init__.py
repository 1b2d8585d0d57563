"""Turn the columns of a file into the typed fields of a layer, as Arrow batches."""

# Empty on purpose: `geoplan.ingest.columns` uses the units and dates of this package, and its
# plan uses those columns; names are imported from where they stand.
__all__: list[str] = []
