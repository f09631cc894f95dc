"""The service: one FastAPI core, the same on every cloud."""
