"""A collection of the service's own is a table on AWS and a container on Azure, as `documents` is."""

import json

import pytest

from tests.stacks.captured import Captured
from twofold.manifest import ServiceManifest

MANIFEST = ServiceManifest("notes", app="x:y", blocks=frozenset({"documents"}), collections=("documents", "notes"))


def data(cloud):
    def program():
        if cloud == "aws":
            from twofold.deploy.aws.data import Data

            Data("notes-dev", manifest=MANIFEST, region="eu-central-1", protect=True)
        else:
            from twofold.deploy.azure.data import Data

            where = {"group": "notes-dev", "location": "westeurope", "subscription": "s"}
            Data("notes-dev", manifest=MANIFEST, protect=True, **where)

    return program


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_each_is_made_like_documents(tmp_path, cloud):
    captured = Captured(tmp_path, cloud, data(cloud))
    token = {"aws": "aws:dynamodb/table:Table", "azure": "azure-native:cosmosdb:SqlResourceSqlContainer"}[cloud]
    tables = captured.named(token)
    assert set(tables) == {"notes-dev-documents", "notes-dev-notes"}
    notes, documents = (json.dumps(tables[f"notes-dev-{name}"], sort_keys=True) for name in ("notes", "documents"))
    assert notes == documents.replace("documents", "notes")
