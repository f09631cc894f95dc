"""A language host for Python as the Pulumi CLI starts one: what the real one does, as its source says, for programs.

The real one comes with the CLI's distribution and from no package registry. This one is strict where that one is: the toolchain
is chosen, the virtual environment found, its packages listed and the program started as there. Known divergences: the toolchains
uv and poetry end a run; an environment that is missing is not made; plugins written in Python, and debuggers, are not served.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

PROGRAM = Path(__file__).with_name("program.py")
LOCKS = {"uv.lock": "uv", "poetry.lock": "poetry"}
SHOWN = 32
"""The exit code of a program that has told the user itself what went wrong."""


class Refused(Exception):
    """The host can't go on; the message is what the user reads."""


class Environment:
    """The virtual environment of a project, by its options in Pulumi.yaml."""

    def __init__(self, info):
        options = json_format.MessageToDict(info.options)
        self.root = Path(info.root_directory)
        chosen = options.get("toolchain") or self._detected(Path(info.program_directory))
        if chosen != "pip":
            raise Refused(f"toolchain {chosen} would sync the environment to its own lock: say toolchain: pip")
        # Against the project's root; the plugin of dynamic resources looks beside the program instead.
        self.folder = self.root / options.get("virtualenv", "")
        self.python = self.folder / "bin/python"
        if "virtualenv" not in options or not self.python.is_file():
            raise Refused(f"the virtualenv of Pulumi.yaml, {self.folder}, has no python")

    def _detected(self, folder):
        for place in (folder, *folder.parents):
            for lock, toolchain in LOCKS.items():
                if (place / lock).is_file():
                    return toolchain
        return "pip"

    @property
    def variables(self):
        """This process' own, as in the activated environment."""
        left = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
        path = f"{self.folder / 'bin'}{os.pathsep}{left.get('PATH', '')}"
        return left | {"VIRTUAL_ENV": str(self.folder), "PATH": path}

    def packages(self):
        """What the environment's own pip lists."""
        command = [str(self.python), "-m", "pip", "list", "--format", "json"]
        listed = subprocess.run(command, env=self.variables, cwd=self.root, capture_output=True, text=True)
        if listed.returncode:
            raise Refused(f"calling `{' '.join(command)}`: exit status {listed.returncode}\n{listed.stderr}")
        return json.loads(listed.stdout)

    def plugins(self):
        """The `pulumi-plugin.json` of each package that has one."""
        for package in self.packages():
            module = package["name"].lower().replace("-", "_")
            for file in self.folder.glob(f"lib/python*/site-packages/{module}/pulumi-plugin.json"):
                yield json.loads(file.read_text())


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """What previews, updates, refreshes and destroys ask of a host."""

    def __init__(self, engine):
        self.engine, self._running = engine, []

    def Handshake(self, request, context):
        self.engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="")

    def GetRequiredPackages(self, request, context):
        try:
            needed = [
                plugin_pb2.PackageDependency(
                    name=plugin["name"],
                    kind="resource",
                    version=f"v{plugin['version']}",
                    server=plugin.get("server", ""),
                )
                for plugin in Environment(request.info).plugins()
                if plugin.get("resource")
            ]
        except Refused as exc:
            context.abort(grpc.StatusCode.UNKNOWN, str(exc))
        return language_pb2.GetRequiredPackagesResponse(packages=needed)

    def About(self, request, context):
        python = Environment(request.info).python
        return language_pb2.AboutResponse(executable=str(python), version=sys.version.split()[0])

    def Run(self, request, context):
        try:
            environment = Environment(request.info)
        except Refused as exc:
            context.abort(grpc.StatusCode.UNKNOWN, str(exc))
        arguments = {
            "monitor": request.monitor_address,
            "engine": self.engine,
            "project": request.project,
            "root_directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": str(request.dryRun).lower(),
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        options = [text for key, value in arguments.items() if value for text in (f"--{key}", value)]
        config = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [str(environment.python), str(PROGRAM), *options, request.info.entry_point, *request.args]
        program = subprocess.Popen(command, env=environment.variables | config)
        self._running.append(program)
        code = program.wait()
        if code == SHOWN:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def Cancel(self, request, context):
        for program in self._running:
            program.terminate()
        return empty_pb2.Empty()


def main(engine=""):
    server = grpc.server(ThreadPoolExecutor(8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # so the CLI ends it
        threading.Event().wait()


if __name__ == "__main__":
    main(*[one for one in sys.argv[1:] if not one.startswith("-")])
