"""Providers as the engine starts them: processes that tell their port, found on PATH by their names.

`python -m tests.engine.emulated.plugin` is the emulated AWS provider as such a process.
"""

import os
import sys
import threading

EMULATED, DYNAMIC = "tests.engine.emulated.plugin", "pulumi.dynamic"
"""The AWS provider of this folder; the SDK's own for dynamic resources, which the CLI's distribution starts likewise."""


def on_path(folder, **modules):
    """A PATH with a plugin for each provider, `pulumi_python=DYNAMIC`, in `folder`."""
    for name, module in modules.items():
        script = folder / f"pulumi-resource-{name.replace('_', '-')}"
        script.write_text(f"#!/bin/sh\nexec {sys.executable} -u -m {module}\n")
        script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


if __name__ == "__main__":
    from tests.engine.emulated.provider import Emulated

    print(Emulated().port, flush=True)
    threading.Event().wait()
