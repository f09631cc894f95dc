"""Stacks as the engine's stand-in providers caught them: what a cloud would be asked for, by type."""

from pathlib import Path

from tests.emulators.tool import needing
from tests.engine.engine import Engine
from tests.stacks.test_stacks import config, program
from tools import pulumi_cli


class Captured:
    """The resources of one `up`: `of(type)` are their inputs; `outputs` the stack's."""

    def __init__(self, folder: Path, cloud: str, program=program, **changed):
        needing(pulumi_cli.find)
        engine = Engine(folder, f"dev-{cloud}", config(cloud, **changed), program)
        try:
            engine.up()
            self.cloud, self.outputs, self.state = cloud, engine.outputs, engine.state()
            self.on_disk = next((folder / "state").rglob(f"stacks/**/dev-{cloud}.json")).read_text()
            self.resources = dict(engine.standin.resources)
        finally:
            engine.close()

    def of(self, token):
        return [inputs for kind, inputs in self.resources.values() if kind == token]

    def one(self, token):
        [inputs] = self.of(token)
        return inputs
