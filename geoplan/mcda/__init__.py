"""Multi-criteria arithmetic on arrays: value functions, weights, aggregation."""
