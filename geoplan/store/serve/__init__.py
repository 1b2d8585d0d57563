"""What the service reads: short read-only questions, answered with plain rows and tiles."""
