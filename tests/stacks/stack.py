"""This repository's program on the engine, and what the tests read of the stacks that it makes."""

import importlib
import json
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from api.manifest import SERVICE
from stacks.program import main as program
from tests.copies.copy import share_artifacts
from tests.engine.engine import Engine
from twofold.deploy.config import parse

ROOT = Path(__file__).parents[2]
CODE = ("api", "requirements", "function_app.py", "lambda_function.py", "host.json")
OUTPUTS = {
    "service", "customer", "environment", "region", "encryption_key", "url", "health_url", "docs_url", "oidc_issuer",
    "oidc_audience", "store_url", "queue_url",
    "events_url", "secrets_url", "cache_url", "artifact", "units", "releases_url", "dashboard_url",
}  # fmt: skip
DATA = (
    "aws:dynamodb/table:Table", "aws:secretsmanager/secret:Secret", "aws:cognito/userPool:UserPool",
    "azure-native:cosmosdb:DatabaseAccount",
    "azure-native:cosmosdb:SqlResourceSqlDatabase", "azure-native:cosmosdb:SqlResourceSqlContainer",
    "azure-native:keyvault:Vault", "aws:sqs/queue:Queue", "azure-native:storage:Queue",
)  # fmt: skip
HELD = (*DATA, "azure-native:resources:ResourceGroup")
UNIT = {"aws": "aws:lambda/function:Function", "azure": "azure-native:web:WebApp"}


def config(cloud, /, **changed):
    base = {
        "cloud": cloud,
        "environment": "dev",
        "region": {"aws": "eu-central-1", "azure": "westeurope"}.get(cloud, "x"),
        "oidcIssuer": "https://issuer.example",
        "oidcAudience": "orders",
        "settings": json.dumps({"payment_url": "https://payments.example"}),
    }
    return {f"twofold:{key}": value for key, value in (base | changed).items()}


def program_in(root, cloud):
    """The program of this code in another folder, which has an OpenAPI document, or files, of its own."""
    for name in CODE:
        (root / name).symlink_to(ROOT / name)
    share_artifacts(root)

    def run():
        read = parse({**get_config_env(), **CONFIG.get()}, pulumi.get_stack(), SERVICE)
        for name, value in importlib.import_module(f"stacks.{cloud}").deploy(SERVICE, read, root).items():
            pulumi.export(name, value)

    return run


def started(folder, cloud, program=program, *, stack=None, **changed):
    return Engine(folder, stack or f"dev-{cloud}", config(cloud, **changed), program)


def variables(unit):
    """A Lambda function's or a Function App's."""
    if "environment" in unit:
        return unit["environment"]["variables"]
    return {pair["name"]: pair["value"] for pair in unit["siteConfig"]["appSettings"]}


def environments(resources, cloud):
    """The variables of each unit, without the host's own."""
    units = (variables(unit) for unit in resources.of(UNIT[cloud]))
    return [{key: value for key, value in unit.items() if key.startswith("TWOFOLD_")} for unit in units]


def listed(urns):
    """As the golden files have them. A renamed resource is deleted and created: it carries an alias, and gets a new line there."""
    return sorted(f"{urn.split('::')[2].split('$')[-1]} {urn.split('::')[-1]}" for urn in urns)


def golden(name):
    return (ROOT / f"tests/contract/golden/resources-{name}.txt").read_text().splitlines()
