"""The one meeting point: read, compute, write."""
