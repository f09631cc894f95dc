"""Each file of stacks/config comes up by itself; production is protected, and its data retained."""

import json
from pathlib import Path

import pytest
import yaml
from pulumi import automation

from api.manifest import SERVICE
from tests.engine.engine import Engine
from tests.stacks.capture import PINS
from tests.stacks.stack import OUTPUTS, ROOT, program
from tests.stacks.test_upgrades import data

FILES = sorted((ROOT / "stacks/config").glob("Pulumi.*.yaml"))


def test_there_is_a_file_for_each_environment_and_cloud():
    wanted = {f"Pulumi.{environment}-{cloud}.yaml" for environment in ("dev", "staging", "prod") for cloud in PINS}
    assert {path.name for path in FILES} == wanted


def file_config(path: Path) -> dict[str, str]:
    """A file with an issuer; where it pins an account of nobody's, the one that the stand-ins are in."""
    entries = yaml.safe_load(path.read_text())["config"]
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in entries.items()}
    pins = PINS[entries["twofold:cloud"]]
    raw["twofold:oidcIssuer"] = "https://issuer.test"
    return raw | {f"twofold:{key}": value for key, value in pins.items() if f"twofold:{key}" in raw}


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=[pytest.mark.deep] * ("prod" not in path.stem)) for path in FILES]
)
def test_it_previews_and_comes_up(tmp_path, path):
    stack = path.stem.removeprefix("Pulumi.")
    environment, _, cloud = stack.partition("-")
    assert (set(PINS[cloud]) <= {key.removeprefix("twofold:") for key in file_config(path)}) == (environment != "dev")
    engine = Engine(tmp_path, stack, file_config(path), program)
    planned, done = engine.preview(), engine.up()
    assert planned == {"create": done["create"]}
    assert set(engine.outputs) >= OUTPUTS and engine.outputs["environment"] == environment
    state = {one["urn"]: one for one in engine.state()["resources"]}
    kept = data(state.values())
    assert len(kept) >= len(SERVICE.queues) * 2 + 3
    protected = environment == "prod"
    assert {bool(state[urn].get("protect")) for urn in kept} == {protected}
    secrets = {urn for urn in kept if "secretsmanager" in urn}  # retained by their recovery window
    assert {bool(state[urn].get("retainOnDelete")) for urn in kept - secrets} == {protected}
    if protected:
        with pytest.raises(automation.CommandError, match="protect"):
            engine.destroy()
        assert engine.standin.deleted == set()
    engine.close()


def test_a_file_as_it_is_previews_and_makes_nothing(tmp_path, cloud):
    """Its issuer is a placeholder: API Gateway would refuse it after fifty resources."""
    path = next(path for path in FILES if path.stem == f"Pulumi.dev-{cloud}")
    placeholder = yaml.safe_load(path.read_text())["config"]["twofold:oidcIssuer"]
    engine = Engine(tmp_path, f"dev-{cloud}", file_config(path) | {"twofold:oidcIssuer": placeholder}, program)
    assert engine.preview()["create"] > 50
    with pytest.raises(automation.CommandError, match="is a placeholder") as refused:
        engine.up()
    assert "pulumi config set twofold:oidcIssuer" in str(refused.value) and "Traceback" not in str(refused.value)
    assert engine.resources() == {}
    engine.close()
