"""Stacks as the engine's stand-in providers caught them: what a cloud would be asked for, by type."""

from functools import cached_property
from pathlib import Path

from tests.stacks.stack import program, started


class Captured:
    """The `resources` of one `up`; `outputs` and `state` are the stack's."""

    def __init__(self, folder: Path, cloud: str, program=program, **changed):
        self.cloud, self._folder = cloud, folder
        self._engine = started(folder, cloud, program, **changed)
        try:
            self._engine.up()
            self.resources = self._engine.resources()
        finally:
            self._engine.close()
        self.of, self.one, self.named = self.resources.of, self.resources.one, self.resources.named

    @cached_property
    def state(self):
        return self._engine.state()

    @cached_property
    def outputs(self):
        return self._engine.outputs

    @property
    def on_disk(self):
        return next((self._folder / "state").rglob(f"stacks/**/dev-{self.cloud}.json")).read_text()
