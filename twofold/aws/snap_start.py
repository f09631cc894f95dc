"""SnapStart: instances are copies of a snapshot that Lambda took once the function's module was loaded.

What must not be alike in all copies is not in it: a Runtime opens nothing before its first event, so there is no connection,
login, cached value or clock reading to go stale. `uuid4`, `secrets` and TLS draw from the system, which is fresh in each copy.
What is left is the state of `random`, from which retries draw their jitter: it is seeded anew.
"""

import importlib
import random
from collections.abc import Iterable

from twofold.manifest import ServiceManifest


def prepare(manifest: ServiceManifest) -> None:
    """Registers what is done before the snapshot (load the modules that the first event would) and after a restore."""
    # The library is part of Lambda's own Python runtime.
    from snapshot_restore_py import (  # type: ignore[import-untyped]
        register_after_restore,
        register_before_snapshot,
    )

    register_before_snapshot(
        _load, [*_own(manifest), "mangum", "boto3", "twofold.http.pipeline", "twofold.http.health"]
    )
    register_after_restore(random.seed)


def _own(manifest: ServiceManifest) -> Iterable[str]:
    """The modules of the service that the manifest names."""
    named = [manifest.app]
    for specs in (manifest.queues, manifest.schedules, manifest.consumers, manifest.projections):
        named += [spec.handler for spec in specs]
    return sorted({name.partition(":")[0] for name in named})


def _load(modules: Iterable[str]) -> None:
    for name in modules:
        importlib.import_module(name)
