"""`twofold describe` and the engine are told the same: with a real stack's outputs for its placeholders, nothing differs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.copies.copy import ROOT, Copy
from tests.engine.answers import ACCOUNT, SUBSCRIPTION, TENANT
from tests.stacks.options import ON, everything
from tests.stacks.stack import config, variables
from twofold.deploy.description import UNKNOWN
from twofold.deploy.output_placeholders import ACCOUNT as ACCOUNT_PLACEHOLDER

MORE = {"cache": "redis", "telemetry": "managed", "maxInstances": json.dumps({"http": 20})}
PINNED = {
    "azure": {"subscription": SUBSCRIPTION, "tenant": TENANT},
    "aws": {"issuer": "managed", "oidcIssuer": "", "oidcAudience": ""},
}
PLACEHOLDER = re.compile(r"\$\{(\w+)\.(\w+)\.([^.}]+)\.([\w.]+?)(\.host)?\}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cloud):
    copy = Copy(tmp_path_factory.mktemp("described") / "p", built=True)
    content = {"config": config(cloud, **MORE, **PINNED[cloud])}
    copy.write(f"stacks/config/Pulumi.dev-{cloud}.yaml", yaml.safe_dump(content))
    return copy


@pytest.fixture(scope="module")
def described(folder, cloud):
    return json.loads(folder.run("twofold", "describe", "--cloud", cloud, "--json"))


@pytest.fixture(scope="module")
def stack(captured, cloud):
    return captured(cloud, **MORE, **PINNED[cloud])


def filled(text, stack):
    """The text with what the stack's state has in the place of its placeholders."""

    def real(match):
        module, kind, name, path, host = match.groups()
        [one] = [
            one
            for one in stack.state["resources"]
            if one["urn"].endswith(f"::{name}") and re.fullmatch(rf"\S+:{module}(/\w+)?:{kind}", one["type"])
        ]
        value = one["id"] if path == "id" else one["outputs"]
        for step in path.split(".") if path != "id" else ():
            value = value[int(step) if step.isdigit() else step]
        return urlsplit(value).netloc if host else value

    return PLACEHOLDER.sub(real, text.replace(ACCOUNT_PLACEHOLDER, ACCOUNT))


def asked_of_the_engine(stack):
    """Each unit's variables and permissions, from what the providers were given."""
    if stack.cloud == "aws":
        policies = {
            one["role"]: json.loads(one["policy"])["Statement"] for one in stack.of("aws:iam/rolePolicy:RolePolicy")
        }
        return {
            variables(one)["TWOFOLD_ROLE"]: (variables(one), policies[one["name"]])
            for one in stack.of("aws:lambda/function:Function")
        }
    units = {}
    for app in stack.of("azure-native:web:WebApp"):
        role = variables(app)["TWOFOLD_ROLE"]
        principal = f"principal-orders-dev-{role}"
        permissions = [
            {"role": one["roleDefinitionId"], "scope": one["scope"]}
            for kind in ("authorization:RoleAssignment", "cosmosdb:SqlResourceSqlRoleAssignment")
            for one in stack.of(f"azure-native:{kind}")
            if one["principalId"] == principal
        ] + [
            {"role": one["accessPolicyName"], "scope": f"{one['clusterName']}/databases/{one['databaseName']}"}
            for one in stack.of("azure-native:redisenterprise:AccessPolicyAssignment")
            if one["user"]["objectId"] == principal
        ]
        units[role] = variables(app), permissions
    return units


def test_environment_and_permissions_are_what_the_engine_is_asked_for(described, stack):
    units = {
        unit["role"]: (unit["environment"], unit["permissions"])
        for unit in json.loads(filled(json.dumps(described["units"]), stack))
    }
    wanted = asked_of_the_engine(stack)
    assert set(units) == set(wanted) == {"http", "feed", "schedule", "worker"}
    for role, (environment, permissions) in wanted.items():
        assert units[role][0] == environment
        assert sorted(map(json.dumps, units[role][1])) == sorted(map(json.dumps, permissions))


def test_it_has_each_resource_with_its_properties_and_nothing_else(described, stack):
    resources = {(one["type"], one["name"]): one["properties"] for one in described["resources"]}
    actual = {(kind, urn.rpartition("::")[2]): inputs for urn, (kind, inputs) in stack.resources.items()}
    assert set(resources) == set(actual)
    for key, inputs in actual.items():
        # What comes of a version that an update publishes, or lies in an archive, is not a placeholder's.
        same = set(inputs) - {"__provider", "code", "path", "__defaults"}
        lacking = {name for name in same - set(resources[key]) if not name.startswith("functionVersion")}
        assert key[0] == "pulumi-python:dynamic:Resource" or not lacking, (key, lacking)


def test_the_artifact_is_the_one_that_is_deployed(described, stack, folder):
    assert described["artifact"]["digest"] == stack.outputs["artifact"]
    assert Path(described["artifact"]["path"]).is_file()
    assert (described["service"], described["stack"], described["notes"]) == ("orders", f"dev-{stack.cloud}", [])


def test_routes_have_their_scopes_and_units_their_triggers(described):
    routes = {(one["method"], one["path"]): (one["open"], one["scopes"]) for one in described["routes"]}
    assert routes["POST", "/orders"] == (False, ["orders.write"]) and routes["GET", "/health/live"] == (True, [])
    triggers = {unit["role"]: [one["kind"] for one in unit["triggers"]] for unit in described["units"]}
    assert triggers == {"http": ["http"], "feed": ["feed"], "schedule": ["schedule"], "worker": ["queue"]}


def test_with_every_key_on_only_a_made_up_value_is_unknown(folder, cloud):
    chosen = config(cloud, **everything(cloud), environment="everything")
    folder.write(f"stacks/config/Pulumi.everything-{cloud}.yaml", yaml.safe_dump({"config": chosen}))
    description = json.loads(folder.run("twofold", "describe", "--cloud", cloud, "--env", "everything", "--json"))
    unknown = {name for unit in description["units"] for name, value in unit["environment"].items() if UNKNOWN in value}
    assert unknown == ({"TWOFOLD_EDGE_DIGEST"} if cloud == "aws" else set())
    assert all(unit["permissions"] for unit in description["units"]) and UNKNOWN not in json.dumps(
        description["units"][1]["permissions"]
    )
    if cloud == "aws":
        assert description["artifact"] == {"image": ON["aws"]["image"]}


def test_a_program_gets_the_deployers_documents(folder, cloud):
    documents = json.loads(folder.run("twofold", "deployer", "--cloud", cloud, "--json"))
    assert any(name.startswith("orders-dev-deployer") for name in documents)
    assert json.loads(folder.run("twofold", "deployer", "--cloud", cloud)) == documents


@pytest.mark.parametrize("deployer", ["", "Group:00000000-0000-0000-0000-000000000001"])
def test_a_person_is_told_to_name_the_deployer_first(tmp_path, deployer):
    """The condition is that of a pipeline's identity, unless the stack names another."""
    copy = Copy(tmp_path / "p", built=True)
    content = {"config": config("azure", **PINNED["azure"], **({"deployer": deployer} if deployer else {}))}
    copy.write("stacks/config/Pulumi.dev-azure.yaml", yaml.safe_dump(content))
    program = Path(sys.executable).with_name("twofold")
    done = subprocess.run(
        [program, "deployer", "--cloud", "azure", "--json"], cwd=copy.folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(copy.folder)},
    )  # fmt: skip
    assert done.returncode == 0 and ("'ServicePrincipal'" in json.loads(done.stdout)["condition"]["Condition"]) != bool(
        deployer
    )
    assert ("set twofold:deployer first" in done.stderr) != bool(deployer)


def test_a_preflight_without_a_login_tells_a_program_so(folder, cloud, tmp_path):
    """On AWS it is a check, which has room for more; on Azure there is nobody to ask for the rest."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    nobody = {
        "PATH": "/nowhere", "HOME": str(tmp_path), "XDG_CACHE_HOME": cache, "PYTHONPATH": str(folder.folder),
        "AWS_EC2_METADATA_DISABLED": "true", "ARM_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555",
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
    }  # fmt: skip
    command = [Path(sys.executable).with_name("twofold"), "preflight", "--cloud", cloud, "--json"]
    done = subprocess.run(command, cwd=folder.folder, env=nobody, capture_output=True, text=True)
    if cloud == "azure":
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.endswith("run: az login\n")
    else:
        login = json.loads(done.stdout)[0]
        assert (done.returncode, login["what"], login["fine"]) == (1, "login", False) and "aws sso login" in login[
            "command"
        ]
        assert set(login) == {"what", "fine", "found", "command", "needed"}


def test_people_get_a_table(folder, cloud):
    shown = folder.run("twofold", "describe", "--cloud", cloud)
    assert "POST /orders" in shown and "queue payments" in shown and "orders.write" in shown


def test_a_mistake_is_one_line():
    program = str(Path(sys.executable).with_name("twofold"))
    for wrong, message in (
        (("gcp", "dev"), "'gcp' is no cloud; allowed: aws, azure"),
        (("azure", "nowhere"), "Pulumi.nowhere-azure.yaml is missing"),
    ):
        done = subprocess.run(
            [program, "describe", "--cloud", wrong[0], "--env", wrong[1]], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
