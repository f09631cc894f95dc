"""Fixtures that every folder may use."""

from tests.emulators.fixtures import azurite, dynamodb_local, ministack

__all__ = ["azurite", "dynamodb_local", "ministack"]
