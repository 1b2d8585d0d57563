"""Measurements, each figure beside a peer in the same run."""
