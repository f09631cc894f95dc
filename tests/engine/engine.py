"""The Pulumi engine on an inline program, with a file backend of its own and stand-in providers."""

import os
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pulumi
from pulumi import automation

from tests.emulators.tool import needing
from tests.engine.provider import Resources, StandIn
from tools import pulumi_cli

RUNTIME = automation.ProjectRuntimeInfo("python", {"toolchain": "pip", "virtualenv": sys.prefix})
EPOCH = "2026-01-01T00:00:00Z"
FORMAT = 3
"""Of the states that are kept here, as the engine counts them."""
pulumi.log.debug = lambda *_, **__: None  # hundreds of calls an update, of which the engine shows nothing
command = cache(automation.PulumiCommand)  # which asks the CLI for its version


class Engine:
    """One stack. `up` and its like return the summary's counts: {"create": n, "same": n …}.

    Only an update's last state is saved, not the one after each step: an update that is broken off would lose them.
    """

    def __init__(
        self, folder: Path, stack: str, config: dict[str, str], program, project: str = "orders", *, standin=None
    ):
        self.standin = standin or StandIn()
        path = os.environ["PATH"]
        if (binaries := str(needing(pulumi_cli.find).parent)) not in path.split(os.pathsep):
            os.environ["PATH"] = f"{binaries}{os.pathsep}{path}"
        state = folder / "state"
        state.mkdir(parents=True)
        self.environ = {
            "PULUMI_DEBUG_PROVIDERS": self.standin.debug_providers(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_CHECKPOINTS": "true",
            "PULUMI_EXPERIMENTAL": "true",  # else the line above is not heard
        }
        settings = automation.ProjectSettings(
            project, RUNTIME, backend=automation.ProjectBackend(url=f"file://{state}")
        )
        workspace = automation.LocalWorkspace(
            str(folder), program=program, env_vars=self.environ, project_settings=settings, pulumi_command=command()
        )
        self.stack = automation.Stack.create(stack, workspace)
        # For these the SDK starts the CLI three times after each update: the counts are in its events, outputs in the state.
        self.stack.outputs = self.stack.info = lambda *_: {}
        self.configure(config)

    def configure(self, config):
        """This config and no other."""
        settings = self.stack.workspace.stack_settings(self.stack.name)
        settings.config = config
        self.stack.workspace.save_stack_settings(self.stack.name, settings)

    def restore(self, resources):
        """Goes on from an earlier state's resources, which the stand-in then knows as existing."""
        salt = self.stack.workspace.stack_settings(self.stack.name).encryption_salt
        secrets = {"type": "passphrase", "state": {"salt": salt}}  # the engine encrypts what it imports
        deployment = {"manifest": {"time": EPOCH}, "secrets_providers": secrets, "resources": resources}
        self.stack.import_stack(automation.Deployment(FORMAT, deployment))
        self.standin.adopt(resources)

    def preview(self):
        return self._told("preview")[1]

    def up(self, **options):
        return self._told("up", **options)[1]

    def refresh(self):
        return self._told("refresh")[1]

    def destroy(self):
        return self._told("destroy")[1]

    def steps(self, command):
        """What a command (`preview`, `up`) plans or does: {URN: the operations on it}."""
        return self._told(command)[0]

    def _told(self, command, **options):
        """A command's events: the operations by URN, and the summary's counts."""
        steps, counts = defaultdict(set), {}

        def note(event):
            if event.resource_pre_event:
                step = event.resource_pre_event.metadata
                steps[step.urn].add(step.op.value)
            if event.summary_event:
                counts.update(event.summary_event.resource_changes)

        getattr(self.stack, command)(on_event=note, **options)
        return dict(steps), counts

    def resources(self):
        """What there is now."""
        return Resources(self.standin.resources)

    def state(self):
        """Decrypted."""
        return self.stack.export_stack().deployment

    @property
    def outputs(self):
        [stack] = [one for one in self.state()["resources"] if one["type"] == "pulumi:pulumi:Stack"]
        return stack.get("outputs", {})

    def close(self):
        self.standin.close()
