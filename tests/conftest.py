"""Fixtures that every folder may use."""

from tests.emulators.fixtures import azurite, dynamodb_local, ministack, redis_url

__all__ = ["azurite", "dynamodb_local", "ministack", "redis_url"]
