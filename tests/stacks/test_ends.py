"""A queue of a protected stack that gets another name, as docs/end-a-stack.md tells it."""

import json
import os
from dataclasses import replace

import pytest
from pulumi import automation

from stacks import program
from tests.host.terminal import host
from tests.stacks.stack import started

QUEUE = {"aws": "aws:sqs/queue:Queue", "azure": "azure-native:storage:Queue"}
OLD, NEW = ({f"orders-dev-{name}", f"orders-dev-{name}-poison"} for name in ("payments", "charges"))


def test_a_queue_of_a_protected_stack_is_renamed_by_having_both_for_a_while(tmp_path, cloud, monkeypatch):
    service = program.SERVICE
    renamed = tuple(replace(one, name="charges") for one in service.queues)
    engine = started(tmp_path, cloud, protect="true")
    engine.up()

    def deploying(*queues):
        monkeypatch.setattr(program, "SERVICE", replace(service, queues=queues))

    def urns():
        return {urn for urn, (token, _) in engine.standin.resources.items() if token == QUEUE[cloud]}

    def names():
        return {urn.rpartition("::")[2] for urn in urns()}

    old = urns()
    deploying(*renamed)
    with pytest.raises(automation.CommandError, match=r"cannot be deleted\s+because it is protected"):
        engine.preview()  # which `pulumi up` begins with: so it ends here, and nothing has happened
    assert names() == OLD and engine.standin.deleted == set()

    deploying(*service.queues, *renamed)
    engine.up()
    assert names() == OLD | NEW and not old & engine.standin.deleted

    deploying(*renamed)
    for urn in old:
        engine.stack._run_pulumi_cmd_sync(["state", "unprotect", urn, "--yes"])
    engine.up()
    left = {one["urn"] for one in engine.state()["resources"] if one["type"] == QUEUE[cloud]}
    assert {urn.rpartition("::")[2] for urn in left} == NEW
    assert not old & engine.standin.deleted  # the queue itself, and what may be in it, stays: it is deleted by hand
    engine.close()


def test_a_recovered_vault_is_imported_and_the_next_update_finds_it(tmp_path, monkeypatch):
    """Purge protection keeps its name for 90 days: after `az keyvault recover` it is there, and in no state."""
    monkeypatch.setenv("PATH", f"{host(tmp_path / 'bin')}:{os.environ['PATH']}")  # `pulumi import` wants it to be there
    engine = started(tmp_path, "azure")
    engine.up()
    kind, vault = "azure-native:keyvault:Vault", engine.resources().one("azure-native:keyvault:Vault")
    [kept] = [one for one in engine.state()["resources"] if one["type"] == kind]
    engine.destroy()
    engine.standin.existing[kept["id"]] = vault
    listed = tmp_path / "come-back.json"
    engine.stack.preview(import_file=str(listed))
    wanted = json.loads(listed.read_text())
    back = [one for one in wanted["resources"] if one["type"] == kind]
    [imported] = back
    parents = [one for one in wanted["resources"] if one["name"] == imported["parent"]]
    assert [one["component"] for one in parents] == [True]
    imported["id"] = kept["id"]
    listed.write_text(json.dumps(wanted | {"resources": [*parents, imported]}))
    engine.stack._run_pulumi_cmd_sync(
        ["import", "--file", str(listed), "--yes", "--protect=false", "--generate-code=false"]
    )
    steps = engine.steps("up")
    assert steps[kept["urn"]] <= {"same", "update"}
    engine.close()
