"""A queue of a protected stack that gets another name, as docs/end-a-stack.md tells it."""

from dataclasses import replace

import pytest
from pulumi import automation

from api import manifest
from tests.stacks.stack import started

QUEUE = {"aws": "aws:sqs/queue:Queue", "azure": "azure-native:storage:Queue"}
OLD, NEW = ({f"orders-dev-{name}", f"orders-dev-{name}-poison"} for name in ("payments", "charges"))


def test_a_queue_of_a_protected_stack_is_renamed_by_having_both_for_a_while(tmp_path, cloud, monkeypatch):
    service = manifest.SERVICE
    renamed = tuple(replace(one, name="charges") for one in service.queues)
    engine = started(tmp_path, cloud, protect="true")
    engine.up()

    def deploying(*queues):
        monkeypatch.setattr(manifest, "SERVICE", replace(service, queues=queues))

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
