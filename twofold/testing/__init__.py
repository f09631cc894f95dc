"""Conformance suites: a driver of anyone's proves itself by subclassing one and returning the driver."""

from twofold.testing.cache import CacheConformance
from twofold.testing.clock import Clock
from twofold.testing.document_store import DocumentStoreConformance
from twofold.testing.event_store import EventStoreConformance
from twofold.testing.idempotency import IdempotencyConformance
from twofold.testing.message_queue import MessageQueueConformance
from twofold.testing.read_model import ReadModelConformance
from twofold.testing.secret_store import SecretStoreConformance

__all__ = [
    "CacheConformance",
    "Clock",
    "DocumentStoreConformance",
    "EventStoreConformance",
    "IdempotencyConformance",
    "MessageQueueConformance",
    "ReadModelConformance",
    "SecretStoreConformance",
]
