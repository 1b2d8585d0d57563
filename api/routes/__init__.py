"""Routes of the service, one module per noun."""

__all__: list[str] = []
