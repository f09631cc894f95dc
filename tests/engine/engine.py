"""The Pulumi engine on an inline program, with a file backend of its own and stand-in providers."""

import collections
import os
from pathlib import Path

from pulumi import automation

from tests.engine.provider import StandIn
from tools import pulumi_cli

EPOCH = "2026-01-01T00:00:00Z"


class Engine:
    """One stack. `up` and its like return the summary's counts: {"create": n, "same": n …}."""

    outputs: dict[str, object]

    def __init__(
        self, folder: Path, stack: str, config: dict[str, str], program, project: str = "orders", *, standin=None
    ):
        self.standin = standin or StandIn()
        binary = pulumi_cli.find()
        state = folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        os.environ["PATH"] = f"{binary.parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {
            "PULUMI_DEBUG_PROVIDERS": self.standin.debug_providers(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        settings = automation.ProjectSettings(
            project, "python", backend=automation.ProjectBackend(url=f"file://{state}")
        )
        options = automation.LocalWorkspaceOptions(
            work_dir=str(folder), env_vars=self.environ, project_settings=settings
        )
        self.stack = automation.create_or_select_stack(stack, project_name=project, program=program, opts=options)
        self.configure(config)

    def configure(self, config):
        self.stack.set_all_config({key: automation.ConfigValue(value) for key, value in config.items()})

    def restore(self, resources):
        """Goes on from an earlier state's resources, which the stand-in then knows as existing."""
        salt = self.stack.workspace.stack_settings(
            self.stack.name
        ).encryption_salt  # the engine encrypts what it imports
        secrets = {"type": "passphrase", "state": {"salt": salt}}
        deployment = {"manifest": {"time": EPOCH}, "secrets_providers": secrets, "resources": resources}
        self.stack.import_stack(automation.Deployment(self.stack.export_stack().version, deployment))
        self.standin.adopt(resources)

    def preview(self):
        return dict(self.stack.preview().change_summary)

    def steps(self, command, **options):
        """What a command (`preview`, `up`, `refresh`) plans or does: {URN: the operations on it}."""
        found = collections.defaultdict(set)

        def note(event):
            if event.resource_pre_event:
                step = event.resource_pre_event.metadata
                found[step.urn].add(step.op.value)

        getattr(self.stack, command)(on_event=note, **options)
        return dict(found)

    def up(self):
        result = self.stack.up()
        self.outputs = {name: output.value for name, output in result.outputs.items()}
        return result.summary.resource_changes

    def destroy(self):
        return self.stack.destroy().summary.resource_changes

    def state(self):
        return self.stack.export_stack().deployment

    def close(self):
        self.standin.close()
