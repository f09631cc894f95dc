"""What may not happen to a living stack: that it moves, which would plan the deletion of its data, or goes by mistake."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pulumi.runtime import invoke

from twofold.deploy.config import ConfigError, StackConfig
from twofold.manifest import ServiceManifest

READS = 5
KEY_FOR_GOOD = ("azure",)
"""Where a customer's key is decided on when data is made: Cosmos DB never gives it up, queues never take it later."""


def identity(manifest: ServiceManifest, config: StackConfig) -> dict[str, str]:
    """What names and places the stack's data: exported by it, compared before the next update."""
    return {
        "service": manifest.name,
        "customer": config.customer,
        "environment": config.environment,
        "region": config.region,
        "encryption_key": config.encryption_key,
    }


def refuse_moves(manifest: ServiceManifest, config: StackConfig) -> None:
    """Raises ConfigError when the stack's last update had another service, customer, environment or region.

    So does a customer's key that came or went where the cloud can't follow; another key is fine.
    """
    before = _outputs()
    if before.get("service"):
        before = {"customer": "", "encryption_key": "", **before}  # a stack from before there were any has none
    problems = [
        f"{name} is {now!r}, but this stack's data lives under {before[name]!r}: make a new stack, or set it back"
        for name, now in identity(manifest, config).items()
        if name != "encryption_key" and before.get(name) not in (None, now)
    ]
    key = before.get("encryption_key")
    if config.cloud in KEY_FOR_GOOD and key is not None and bool(key) != bool(config.encryption_key):
        problems.append(
            f"twofold:encryptionKey is {config.encryption_key!r}, but this stack's data was made {'with' if key else 'without'} "
            f"one, and {config.cloud} can't change that: make a new stack, or set it back"
        )
    if problems:
        raise ConfigError("a living stack can't move:\n" + "\n".join(f"  - {problem}" for problem in problems))


@contextlib.contextmanager
def guarded(config: StackConfig) -> Iterator[None]:
    """With `protect`, `pulumi destroy` stops before it deletes anything of what is made within, whoever made it.

    The engine deletes what is unprotected before it stops at a protected resource, dependents first. So one resource
    depends on all others, exists in the state alone, and is protected. What is made in an `apply` comes too late for it.
    """
    resources: list[pulumi.Resource] = []
    pulumi.runtime.register_stack_transformation(lambda args: resources.append(args.resource))
    yield
    pulumi.Stash(
        "guard",
        input="twofold:protect false, then pulumi up: only then can this stack be destroyed",
        opts=pulumi.ResourceOptions(depends_on=tuple(resources), protect=config.protect),
    )


def _outputs() -> Mapping[str, Any]:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for attempt in range(READS):
        try:
            answer: Any = invoke("pulumi:pulumi:readStackOutputs", {"name": name})
            break
        except Exception as exc:  # the SDK has no narrower one
            # The update under way writes the same file; on a file backend it may be read half written.
            if "checkpoint" not in str(exc) or attempt == READS - 1:
                raise
            time.sleep(0.2)
    outputs: Mapping[str, Any] = (answer.value if hasattr(answer, "value") else answer).get("outputs") or {}
    return outputs
