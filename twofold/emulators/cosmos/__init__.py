"""A strict Cosmos DB for NoSQL, in process, written from the REST reference.

Known divergences from the service: one partition key range; a change feed in the order of writes over all partitions;
no indexing, request units or consistency levels other than Strong; queries in the grammar of `query.py` alone; no
multi-region accounts, stored procedures, triggers or users; tokens are compared, not verified; a batch has no time limit.
"""

from twofold.emulators.cosmos.server import CosmosFake

__all__ = ["CosmosFake"]
