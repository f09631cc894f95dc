"""Lease: one holder at a time, by a document. What makes overlapping runs of a schedule harmless.

Stored in `documents`, partition `lease:<name>`, id `lease`, `{"format": 1, "owner": <random>}`, expiring with the lease. It is
created under ABSENT, and given back only under the version that creating it returned: who held it too long never frees
somebody else's. A holder that dies blocks others until the lease expires, and no longer.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from twofold.errors import Conflict
from twofold.portable.document_store import ABSENT, DocumentStore, at_version

LEASES = "documents"
FORMAT = 1


@asynccontextmanager
async def lease(documents: DocumentStore, name: str, seconds: int) -> AsyncIterator[bool]:
    """True inside when this holds the lease, False when somebody else does. Work inside must end within `seconds`.

    Raises StoreError when the store can't be asked.
    """
    partition, body = f"lease:{name}", {"format": FORMAT, "owner": secrets.token_hex(8)}
    try:
        version = await documents.put(
            LEASES, partition, "lease", body, condition=ABSENT, expires_at=documents.now() + seconds
        )
    except Conflict:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(Conflict):  # it expired, and perhaps somebody else holds it now
            await documents.delete(LEASES, partition, "lease", condition=at_version(version))
