"""The feed on Azure: documents of the events container, as the Cosmos DB trigger hands them over."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twofold.azure.document_codec import decode
from twofold.portable.document_store import Document


def documents_of(batch: Iterable[Mapping[str, Any] | str]) -> list[Document]:
    """The commit documents of a trigger's batch. Placeholders of batches never reach the feed: it has last versions."""
    items = (json.loads(item) if isinstance(item, str) else item for item in batch)
    return [decode(item) for item in items]
