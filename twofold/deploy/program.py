"""What a stack's program asks for, known without an engine, a cloud or a login: it runs on Pulumi's own mocks, as in a preview."""

import asyncio
import base64
import importlib
import json
import logging
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks

from twofold.deploy.config import ConfigError, StackConfig, parse
from twofold.manifest import ServiceManifest

NOBODY = "00000000-0000-0000-0000-000000000000"
PIPELINE = f".{base64.urlsafe_b64encode(b'{"idtyp": "app"}').decode()}."
"""What an Entra token says of a login that is no person's."""


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """A resource: its type token, logical name and inputs; what another resource has to give is missing there."""

    type: str
    name: str
    inputs: Mapping[str, Any]


_UNHEARD = logging.getLogger(f"{__name__}.planned")
_UNHEARD.setLevel(logging.ERROR)  # an update is warned, not who wants to know what it would do

type Outputs = Callable[[str, str, Mapping[str, Any]], tuple[str, dict[str, Any]]]


def stack_config(root: Path, stack: str, manifest: ServiceManifest) -> StackConfig:
    """The config of a stack from its file in the project; ConfigError without one, or when it is wrong."""
    project = yaml.safe_load((root / "Pulumi.yaml").read_text()) if (root / "Pulumi.yaml").is_file() else {}
    path = root / project.get("stackConfigDir", "") / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise ConfigError(f"{path} is missing: run this in your service's folder, for a stack that has a file")
    values = (yaml.safe_load(path.read_text()) or {}).get("config", {})
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return parse(raw, stack, manifest)


def planned(
    manifest: ServiceManifest, config: StackConfig, root: Path, stack: str, outputs_of: Outputs | None = None
) -> tuple[PlannedResource, ...]:
    """The resources of `stacks/<cloud>.py`, the user's own among them, sorted; the artifact is built as for an update.

    `outputs_of` tells of a resource's type, name and inputs what it has to give: its id and outputs. Without it nothing is known.
    Call it outside of a running event loop.
    """
    recorder = _Recorder(config, outputs_of or _no_outputs)
    deploy = importlib.import_module(f"stacks.{config.cloud}").deploy

    def run() -> None:
        deploy(manifest, config, root)

    asyncio.set_event_loop(_loop())
    mocks.set_mocks(recorder, project=manifest.name, stack=stack, preview=True, logger=_UNHEARD)
    pulumi.runtime.test(run)()  # type: ignore[no-untyped-call]  # its way to run on mocks, and to wait
    return tuple(sorted(recorder.resources, key=lambda one: (one.type, one.name)))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Pulumi takes the thread's event loop, which is gone after an `asyncio.run`. This one is never closed: its threads would
    end with loops that Pulumi has opened in them, and each of those prints a traceback when it is collected.
    """
    return asyncio.new_event_loop()


def types(resources: Iterable[PlannedResource], known: Container[str], apart: tuple[str, ...]) -> list[str]:
    """The types of the resources, sorted, without those that begin with one of `apart`. ConfigError names what is not known."""
    names = sorted({one.type for one in resources if not one.type.startswith(apart)})
    if unknown := [type for type in names if type not in known]:
        raise ConfigError(
            f"no permissions are known for {', '.join(unknown)}: write them into a policy or role of your own"
        )
    return names


def _no_outputs(type: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "", {}  # no code runs that would need it


class _Recorder(mocks.Mocks):
    def __init__(self, config: StackConfig, outputs_of: Outputs) -> None:
        self._outputs_of = outputs_of
        self._transforms: list[pulumi.ResourceTransform] = []
        self.resources: list[PlannedResource] = []
        self._answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": config.account},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": [f"{config.region}{z}" for z in "abc"]},
            "azure-native:authorization:getClientConfig": {
                "subscriptionId": config.subscription or NOBODY, "tenantId": config.tenant or NOBODY,
                "objectId": NOBODY, "clientId": NOBODY,
            },
            "azure-native:authorization:getClientToken": {"token": PIPELINE},
            "azure-native:apimanagement:getApiManagementService": {
                "gatewayUrl": "https://gateway.invalid", "identity": {"principalId": NOBODY},
            },
        }  # fmt: skip

    def register_transform(self, transform: pulumi.ResourceTransform) -> None:
        self._transforms.append(transform)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.custom and not args.typ.startswith("pulumi:"):
            inputs = self._transformed(args)
            self.resources.append(PlannedResource(args.typ, args.name, inputs))
            return self._outputs_of(args.typ, args.name, inputs)
        return "", {}

    def _transformed(self, args: mocks.MockResourceArgs) -> dict[str, Any]:
        """What the stack's transforms make of a resource's inputs, as the engine lets them."""
        props = args.inputs
        for transform in self._transforms:
            # One that waits for something is not run here: nothing is there to wait for.
            result = transform(pulumi.ResourceTransformArgs(True, args.typ, args.name, props, pulumi.ResourceOptions()))
            if isinstance(result, pulumi.ResourceTransformResult):
                props = dict(result.props)
        return props

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token.endswith(":getSubnet"):  # all in one VPC, each in a zone of its own
            return {"id": args.args["id"], "vpcId": "${vpc}", "availabilityZone": f"zone of {args.args['id']}"}, []
        return self._answers.get(args.token, {}), []
