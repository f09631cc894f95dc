"""The HTTP layers, as pure ASGI: one concept a file, put together in `pipeline`."""
