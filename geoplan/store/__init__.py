"""PostGIS: the only rooms that speak SQL."""
