"""Fixtures that every folder may use."""

from tests.emulators.fixtures import dynamodb_local, ministack

__all__ = ["dynamodb_local", "ministack"]
