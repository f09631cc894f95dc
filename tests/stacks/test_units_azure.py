"""What an Azure stack says of its units: an artifact that is kept, config that scales them, an image in containers."""

import json
import zipfile

import pytest

from api.manifest import SERVICE
from tests.engine.azure_rules import HOST_ID, host_of
from tests.stacks.captured import Captured
from tests.stacks.stack import DATA, UNIT, config, started, variables
from twofold.deploy.azure.compute import functions
from twofold.settings import MARKER, release

IMAGE = "company.azurecr.io/shop/orders@sha256:" + "a" * 64
REGISTRY = f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/shared/providers"
REGISTRY += "/Microsoft.ContainerRegistry/registries/company"
MOST, WARM = {"http": 40, "worker": 1}, {"http": 2, "worker": 1, "schedule": 1, "feed": 1}
SCALED = {
    "maxInstances": json.dumps(MOST), "warmInstances": json.dumps(WARM), "rollingUpdates": "true", "memoryMb": "512",
}  # fmt: skip
DYNAMIC = "pulumi-python:dynamic:Resource"


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """A stack by default, then scaled, then of an image: its resources, outputs and what was deleted, each time."""
    engine = started(tmp_path_factory.mktemp("azure"), "azure")
    record = {}
    for stage, changed in (
        ("default", {}),
        ("scaled", SCALED),
        ("image", {"image": IMAGE, "registry": REGISTRY, "maxInstances": json.dumps({"worker": 3})}),
    ):
        engine.configure(config("azure", **changed))
        engine.up()
        record[stage] = engine.resources(), engine.outputs, set(engine.standin.deleted)
    record["state"] = engine.state()["resources"]
    engine.close()
    return record


def scales(resources):
    return {app["name"].split("-")[2]: app["functionAppConfig"] for app in resources.of(UNIT["azure"])}


def test_the_artifact_is_deployed_kept_and_asked_for(stages):
    captured, outputs, _ = stages["default"]
    resources = {name: one for name, one in captured.named(DYNAMIC).items() if not name.endswith(("-known", "-tokens"))}
    assert resources["orders-dev-health"]["confirmed"] is True
    kept, check = resources.pop("orders-dev-releases"), resources.pop("orders-dev-health")
    assert set(resources) == {f"orders-dev-{unit.role}-code" for unit in SERVICE.units}
    assert {one["site"] for one in resources.values()} == set(outputs["units"].values())
    assert {one["app"] for one in resources.values()} == {app["name"] for app in captured.of(UNIT["azure"])}
    assert {name: one["functions"] for name, one in resources.items()} == {
        f"orders-dev-{unit.role}-code": functions(SERVICE, unit) for unit in SERVICE.units
    }
    assert {one["container"] for one in resources.values()} == {
        app["functionAppConfig"]["deployment"]["storage"]["value"] for app in captured.of(UNIT["azure"])
    }
    assert set(outputs["units"]) == {unit.role for unit in SERVICE.units}
    assert {one["digest"] for one in resources.values()} | {kept["digest"]} == {outputs["artifact"]}
    assert kept["url"] == outputs["releases_url"] and kept["count"] == 5
    assert outputs["releases_url"].startswith("https://ordersdev") and outputs["releases_url"].endswith("/releases")
    [deployer] = [one for one in captured.of("azure-native:authorization:RoleAssignment") if one["principalId"] == "o"]
    assert kept["writer"] == "o"
    assert deployer["scope"] == "/azure-native:storage:BlobContainer/orders-dev-releases"
    assert (
        check["url"] == outputs["url"] and check["app"] == check["source"] == "/azure-native:web:WebApp/orders-dev-http"
    )
    http = captured.named(UNIT["azure"])["orders-dev-http"]
    marker = zipfile.ZipFile(kept["path"]).read(MARKER).decode()
    assert check["release"] == release(marker, variables(http) | {"PATH": "/bin", "TWOFOLD_TEST_X": "y"})


def test_nobody_enters_an_app_with_a_password(stages):
    captured, _, _ = stages["default"]
    apps = [app["name"] for app in captured.of(UNIT["azure"])]
    for kind in ("WebAppScmAllowed", "WebAppFtpAllowed"):
        policies = captured.of(f"azure-native:web:{kind}")
        assert {one["name"]: one["allow"] for one in policies} == dict.fromkeys(apps, False)


def test_each_units_host_has_an_id_of_its_own(stages):
    for stage in ("default", "scaled"):
        hosts = [host_of(app) for app in stages[stage][0].of(UNIT["azure"])]
        assert len(set(hosts)) == len(SERVICE.units) and all(HOST_ID.fullmatch(host_id) for _, host_id in hosts)
    containers = stages["image"][0].of("azure-native:app:ContainerApp")
    variables = [{one["name"]: one["value"] for one in app["template"]["containers"][0]["env"]} for app in containers]
    assert {one["AzureFunctionsWebHost__hostid"] for one in variables} == {host_id for _, host_id in hosts}


LONG = {"customer": "abcdefghijkl", "environment": "productioneu", "protect": "false"}
"""Of which the units' apps have the first 32 characters in common."""


def test_long_names_collide_nowhere(tmp_path):
    stack = Captured(tmp_path, "azure", stack="abcdefghijkl-productioneu-azure", **LONG)
    apps = stack.of(UNIT["azure"])
    assert len({one["name"][:32] for one in apps}) == 1 and len({host_of(one) for one in apps}) == len(apps) == 4


def test_identities_and_roles_are_known_before_they_are_needed(stages):
    """An image's first revision pulls it; Cosmos DB looks the identity up."""
    pulls = {name: one for name, one in stages["image"][0].named(DYNAMIC).items() if name.endswith("-image")}
    assert {one["assignment"] for one in pulls.values()} == {
        f"/azure-native:authorization:RoleAssignment/{name}" for name in pulls
    }
    by_urn = {one["urn"]: one for one in stages["state"]}
    apps = [one for one in stages["state"] if one["type"] == "azure-native:app:ContainerApp"]
    needed = {app["urn"].rpartition("::")[2]: {by_urn[urn]["urn"] for urn in app["dependencies"]} for app in apps}
    assert len(needed) == len(pulls) == len(SERVICE.units)
    assert all(any(urn.endswith(f"Resource::{name}-image") for urn in urns) for name, urns in needed.items())


def test_units_scale_as_they_are_told(stages):
    before, after = scales(stages["default"][0]), scales(stages["scaled"][0])
    usual = {"maximumInstanceCount": 100, "instanceMemoryMB": 2048, "alwaysReady": []}
    http = usual | {"triggers": {"http": {"perInstanceConcurrency": 16}}}
    assert {role: one["scaleAndConcurrency"] for role, one in before.items()} == {
        "http": http, "feed": usual, "schedule": usual, "worker": usual,
    }  # fmt: skip
    assert {one["siteUpdateStrategy"]["type"] for one in before.values()} == {"Recreate"}
    limits = {role: one["scaleAndConcurrency"] for role, one in after.items()}
    assert {role: one["maximumInstanceCount"] for role, one in limits.items()} == {"feed": 100, "schedule": 100} | MOST
    groups = {
        "http": "http",
        "worker": "function:queue_payments",
        "schedule": "function:expire_unpaid",
        "feed": "function:feed",
    }
    assert {role: one["alwaysReady"] for role, one in limits.items()} == {
        role: [{"name": groups[role], "instanceCount": count}] for role, count in WARM.items()
    }
    assert limits["http"]["triggers"] == {"http": {"perInstanceConcurrency": 4}}
    assert {one["siteUpdateStrategy"]["type"] for one in after.values()} == {"RollingUpdate"}
    assert not [urn for urn in stages["scaled"][2] if "WebApp" in urn]


def test_an_image_runs_in_containers_with_what_the_zip_had(stages):
    """Same identities, roles, variables and closing; units that something can wake scale to zero."""
    zipped, (captured, outputs, deleted) = stages["default"][0], stages["image"]
    data = {urn for urn, (token, _) in zipped.items() if token in DATA}
    assert data and not data & deleted and captured.of(UNIT["azure"]) == []
    containers = {one["containerAppName"].split("-")[2]: one for one in captured.of("azure-native:app:ContainerApp")}
    assert set(containers) == {unit.role for unit in SERVICE.units} and outputs["releases_url"] == ""
    assert outputs["units"] == {role: f"/azure-native:app:ContainerApp/orders-dev-{role}" for role in containers}
    assert all(len(one["containerAppName"]) <= 32 for one in containers.values())
    apps = {app["name"].split("-")[2]: app for app in zipped.of(UNIT["azure"])}
    for role, one in containers.items():
        [container] = one["template"]["containers"]
        assert {pair["name"]: pair["value"] for pair in container["env"]} == variables(apps[role])
        assert container["image"] == IMAGE and container["resources"] == {"cpu": 0.5, "memory": "1Gi"}
        [identity] = one["identity"]["userAssignedIdentities"]
        assert one["configuration"]["registries"] == [{"server": "company.azurecr.io", "identity": identity}]
    [account] = [
        one["accountName"]
        for one in captured.of("azure-native:storage:StorageAccount")
        if "queues" in one["accountName"]
    ]
    scale = {role: one["template"]["scale"] for role, one in containers.items()}
    assert {role: (one["minReplicas"], one["maxReplicas"]) for role, one in scale.items()} == {
        "http": (0, 100), "worker": (0, 3), "feed": (1, 100), "schedule": (1, 100),
    }  # fmt: skip
    [rule] = scale["worker"]["rules"]
    [identity] = containers["worker"]["identity"]["userAssignedIdentities"]
    assert rule["azureQueue"] == {
        "accountName": account, "queueName": "orders-payments", "queueLength": 16, "identity": identity,
    }  # fmt: skip
    ingress = {role: one["configuration"].get("ingress") for role, one in containers.items()}
    assert ingress.pop("http") == {"external": True, "targetPort": 80, "transport": "auto", "allowInsecure": False}
    assert set(ingress.values()) == {None}
    closed = captured.one("azure-native:app:ContainerAppsAuthConfig")
    open_ = zipped.one("azure-native:web:WebAppAuthSettingsV2")
    assert (
        closed["containerAppName"] == containers["http"]["containerAppName"] and closed["authConfigName"] == "current"
    )
    assert closed["platform"] == {"enabled": True} and closed["identityProviders"] == open_["identityProviders"]
    assert closed["globalValidation"] == {"unauthenticatedClientAction": "Return401"}
    # No packages, no releases: neither has the account that holds them.
    assert (
        not captured.of("azure-native:storage:BlobContainer")
        and len(captured.of("azure-native:storage:StorageAccount")) == 2
    )
    roles = {
        (a["principalId"], a["roleDefinitionId"].rsplit("/", 1)[1], a["scope"])
        for a in captured.of("azure-native:authorization:RoleAssignment")
    }
    before = {
        (a["principalId"], a["roleDefinitionId"].rsplit("/", 1)[1], a["scope"])
        for a in zipped.of("azure-native:authorization:RoleAssignment")
        if ":BlobContainer/" not in a["scope"]
    }
    pulls = {(f"principal-orders-dev-{role}", "7f951dda-4ed3-4680-a7ca-43fe172d538d", REGISTRY) for role in containers}
    assert roles == before | pulls
    api = captured.one("azure-native:apimanagement:Api")
    assert (
        api["serviceUrl"]
        == f"https://{containers['http']['containerAppName']}.happy-1.westeurope.azurecontainerapps.io"
    )
    check = captured.named(DYNAMIC)["orders-dev-health"]
    assert check["confirmed"] is False and check["app"] == "/azure-native:app:ContainerApp/orders-dev-http"
    assert check["source"] == "/azure-native:app:ManagedEnvironment/orders-dev"
