"""Versions of the database's tables, applied in order by :mod:`geoplan.store.schema`."""
