"""`python -m tests.stacks.capture RELEASE`: this checkout's stacks as the engine keeps them, into tests/stacks/states/RELEASE/.

What a release adds, once, and nobody changes afterwards: `test_upgrades.py` brings each of them up with today's program. Made
with the real engine on the stand-in providers. The same checkout gives the same bytes: without times, without this machine's
paths; secrets are the stand-in's own, in plain text, which the engine encrypts when it imports them.
"""

import json
import re
import sys
import tempfile
import types
import uuid
from pathlib import Path

from tests.engine.answers import ACCOUNT, SUBSCRIPTION, TENANT
from tests.engine.engine import Engine
from tests.stacks.options import everything
from tests.stacks.stack import ROOT, config, program
from twofold.deploy.config import KEYS

STATES = Path(__file__).with_name("states")
PINS = {"aws": {"account": ACCOUNT}, "azure": {"subscription": SUBSCRIPTION, "tenant": TENANT}}
"""Where the stand-in providers are."""
MOMENTARY = ("created", "modified", "sourcePosition", "stackTrace")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHAPES = ("dev", "prod", "own")
"""The defaults; production with everything on that is optional; a service with resources and a transform of its own."""
TRANSFORM = """
    def longer(args):
        kinds = ("aws:cloudwatch/logGroup:LogGroup", "azure-native:operationalinsights:Workspace")
        kept = {"retentionInDays": 365} if args.type_ in kinds else {}
        return pulumi.ResourceTransformResult(props={**args.props, **kept}, opts=args.opts)

    pulumi.runtime.register_resource_transform(longer)
"""
OWN = {
    "aws": """
    from pulumi_aws import s3, sns

    own = pulumi.ResourceOptions(provider=provider)
    s3.Bucket("reports", bucket=f"{name}-reports", opts=own)
    sns.Topic("told", name=f"{name}-told", opts=own)
""",
    "azure": """
    from pulumi_azure_native import storage

    reports = storage.StorageAccount(
        "reports", account_name="ordersreports", resource_group_name=group, location=config.region, kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_LRS"),
    )
    storage.BlobContainer("reports", container_name="reports", account_name=reports.name, resource_group_name=group)
""",
}
"""What a user writes into stacks/<cloud>.py: a transform before anything is made, resources at the end."""


def stack_config(shape: str, cloud: str) -> dict[str, str]:
    """The config of a stack, of the keys that this checkout knows."""
    own = {"environment": shape}
    if shape == "prod":
        own = everything(cloud) | own | PINS[cloud]
    return config(cloud, **{key: value for key, value in own.items() if key in KEYS})


def with_own(cloud: str, lines: str | None = None):
    """The program with the user's lines in its stacks/<cloud>.py, at the end and by default those of OWN."""
    path = ROOT / "stacks" / f"{cloud}.py"

    def extended() -> None:
        text = path.read_text()
        for before, own in (("    name = ", TRANSFORM), ("    return {", lines or OWN[cloud])):
            assert text.count(f"\n{before}") == 1, f"{path} has no place for a user's lines"
            text = text.replace(f"\n{before}", f"\n{own}{before}")
        module = types.ModuleType(f"stacks.{cloud}")
        exec(compile(text, path, "exec"), module.__dict__)
        replaced = sys.modules.get(module.__name__)
        sys.modules[module.__name__] = module
        try:
            program()
        finally:
            sys.modules.pop(module.__name__)
            if replaced is not None:
                sys.modules[module.__name__] = replaced

    return extended


def capture(folder: Path, shape: str, cloud: str) -> dict[str, object]:
    """`config` and `resources` of a stack that just came up."""
    chosen = stack_config(shape, cloud)
    engine = Engine(folder, f"{shape}-{cloud}", chosen, with_own(cloud) if shape == "own" else program)
    try:
        engine.up()
        return {"config": chosen, "resources": settled(engine.state())}
    finally:
        engine.close()


def settled(deployment, root: Path = ROOT):
    """A deployment's resources without what differs from one run and machine to the next, each after what it needs."""
    text = json.dumps(deployment["resources"]).replace(str(root), "/service")
    for resource in deployment["resources"]:
        if UUID.fullmatch(resource.get("id", "")):  # the engine's own: of providers and of what is in the state alone
            text = text.replace(resource["id"], str(uuid.uuid5(uuid.NAMESPACE_URL, resource["urn"])))
    left = {}
    for resource in json.loads(text):
        kept = {key: value for key, value in resource.items() if key not in MOMENTARY}
        kept |= {key: sorted(kept[key]) for key in ("dependencies", "additionalSecretOutputs") if key in kept}
        by_property = kept.get("propertyDependencies", {})
        kept["propertyDependencies"] = {key: sorted(urns) for key, urns in by_property.items()}
        left[kept["urn"]] = kept
    ordered = []
    while left:
        for urn in sorted(urn for urn, resource in left.items() if not _needs(resource) & left.keys()):
            ordered.append(left.pop(urn))
    return ordered


def _needs(resource) -> set[str]:
    needed = {
        *resource.get("dependencies", ()),
        resource.get("parent"),
        resource.get("provider", "").rpartition("::")[0],
    }
    return needed.union(*resource["propertyDependencies"].values())


def write(folder: Path, name: str, state) -> None:
    """One resource a line, so that a difference shows where it is."""
    lines = ",\n".join(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in state["resources"])
    head = json.dumps(state["config"], sort_keys=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(f'{{"config": {head},\n"resources": [\n{lines}\n]}}\n')


def main(release: str) -> None:
    """Writes a file for each shape and cloud."""
    if (STATES / release).exists():
        sys.exit(f"{STATES / release} exists: a captured release stays as it is")
    for cloud in ("azure", "aws"):
        for shape in SHAPES:
            with tempfile.TemporaryDirectory() as folder:
                write(STATES / release, f"{shape}-{cloud}", capture(Path(folder), shape, cloud))
                print(f"{shape}-{cloud}")


if __name__ == "__main__":
    main(sys.argv[1])
