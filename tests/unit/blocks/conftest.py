"""Blocks over the embedded store, with a clock that moves by hand."""

import pytest

from twofold.local.document_store import from_url as open_store
from twofold.portable.document_store import DocumentStore
from twofold.portable.event_store import EventStore
from twofold.testing.clock import Clock


@pytest.fixture
def clock():
    return Clock(1_800_000_000)


@pytest.fixture
async def documents(tmp_path, clock):
    store = DocumentStore(open_store(f"sqlite:///{tmp_path}/store.db"), clock=clock)
    yield store
    await store.close()


@pytest.fixture
def events(documents):
    return EventStore(documents)
