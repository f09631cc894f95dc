"""Fixtures that every folder may use."""

from tests.emulators.fixtures import azurite, azurite_services, dynamodb_local, ministack, redis_url

__all__ = ["azurite", "azurite_services", "dynamodb_local", "ministack", "redis_url"]
