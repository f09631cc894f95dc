"""`twofold doctor`: what this machine has and lacks, as a list of checks. `--offline`: each download, or its mirror.

Every download that building, testing or deploying makes is a line of docs/offline.md and a function here.
"""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from twofold.cli import tools
from twofold.deploy.checks import Check

PLUGINS = {"aws": "pulumi-aws", "azure-native": "pulumi-azure-native", "random": "pulumi-random"}
"""Resource providers that the stacks use, and the package whose version is theirs."""

GO_TOOLS = (
    ("Pulumi CLI", "pulumi", "pulumi_cli.py"),
    ("actionlint", "actionlint", "actionlint.py"),
    ("otelcol", "otelcol", "otelcol.py"),
)
"""What is built from Go modules: its name, its program, and the file in `tools/` that wants it; the CLI every service does."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is looked at: the environment's variables, the home folder, the project."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=Path.home)
    root: Path = field(default_factory=Path.cwd)

    @property
    def cache(self) -> Path:
        """Where the kit and its tools keep what they fetched."""
        return Path(self.environ.get("XDG_CACHE_HOME") or self.home / ".cache") / "twofold"

    def which(self, program: str) -> str | None:
        """Where a program is on PATH."""
        return shutil.which(program, path=self.environ.get("PATH", ""))

    def has(self, path: Path, text: str) -> bool:
        """Whether a file says something (a regular expression)."""
        return path.is_file() and re.search(text, path.read_text(errors="replace")) is not None

    def variable(self, *names: str) -> str | None:
        """The first of these variables that is set."""
        return next((name for name in names if self.environ.get(name)), None)


type Look = Callable[[Machine], list[Check]]


def offline(machine: Machine) -> list[Check]:
    """Each download: whether it is there already, or a mirror is set."""
    return [check for look in OFFLINE for check in look(machine)]


def _checked(what: str, cached: str | None, mirror: str | None, command: str) -> Check:
    if cached:
        return Check(what, True, cached)
    return Check(what, bool(mirror), f"from a mirror: {mirror}" if mirror else "neither fetched nor mirrored",
                 "" if mirror else command)  # fmt: skip


def _index(machine: Machine) -> str | None:
    if url := machine.variable("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS"):
        return url
    for path in (machine.home / ".config/uv/uv.toml", machine.root / "uv.toml"):
        if machine.has(path, r"(?m)^\s*(\[\[index\]\]|index-url|find-links)"):
            return str(path)
    return None


def _uv(machine: Machine) -> list[Check]:
    beside = Path(sys.executable).with_name("uv")
    path = machine.which("uv") or (str(beside) if beside.is_file() and machine.home == Path.home() else None)
    command = "python3 -m pip install uv --index-url https://<your mirror>/simple"
    return [_checked("uv", path, machine.variable("PIP_INDEX_URL"), command)]


def _wheels(machine: Machine) -> list[Check]:
    import hashlib

    checks = []
    for lock in sorted((machine.root / "requirements").glob("*.txt")):
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:24]
        target = machine.cache / "wheels" / f"{digest}-{platform.python_version()}"
        if lock.name == "dev.txt":
            target = machine.root / ".venv/.installed"
        command = "export UV_DEFAULT_INDEX=https://<your mirror>/simple"
        cached = str(target) if target.exists() else None
        checks.append(_checked(f"wheels of requirements/{lock.name}", cached, _index(machine), command))
    return checks


def _checkov(machine: Machine) -> list[Check]:
    if not (machine.root / "tools/checkov.py").is_file():
        return []
    done = next((str(path.parent) for path in machine.cache.glob("checkov-*/done")), None)
    return [_checked("Checkov (tests)", done, _index(machine), "export UV_DEFAULT_INDEX=https://<your mirror>/simple")]


def _go(machine: Machine) -> list[Check]:
    goproxy = machine.variable("GOPROXY")
    if machine.has(machine.home / ".config/go/env", r"(?m)^GOPROXY="):
        goproxy = str(machine.home / ".config/go/env")
    checks = []
    for what, name, tool in GO_TOOLS:
        if name == "pulumi" or (machine.root / "tools" / tool).is_file():
            built = next((str(path) for path in machine.cache.glob(f"{name}-*/{name}")), None)
            program = machine.which(name) or (built if (machine.root / "tools" / tool).is_file() else None)
            checks.append(_checked(f"{what} (Go modules)", program, goproxy, "go env -w GOPROXY=https://<your mirror>"))
    return checks


def _plugins(machine: Machine) -> list[Check]:
    home = Path(machine.environ.get("PULUMI_HOME") or machine.home / ".pulumi")
    checks = []
    for name, package in PLUGINS.items():
        try:
            wanted = version(package)
        except PackageNotFoundError:
            continue
        folder = home / "plugins" / f"resource-{name}-v{wanted}"
        cached = str(folder) if folder.is_dir() else machine.which(f"pulumi-resource-{name}")
        command = f"pulumi plugin install resource {name} {wanted} --server https://<your mirror>"
        mirror = machine.variable("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES")
        checks.append(_checked(f"Pulumi plugin {name} {wanted}", cached, mirror, command))
    return checks


def _npm(machine: Machine) -> list[Check]:
    mirror = machine.variable("npm_config_registry", "NPM_CONFIG_REGISTRY")
    if machine.has(machine.home / ".npmrc", r"(?m)^registry\s*="):
        mirror = str(machine.home / ".npmrc")
    checks = []
    for name, what in (("azurite", "Azurite (npm, twofold dev)"), ("kusto", "Kusto's parser (npm, tests)")):
        if name == "azurite" or (machine.root / f"tools/{name}.py").is_file():
            cached = next((str(path) for path in machine.cache.glob(f"{name}-*/node_modules")), None)
            checks.append(_checked(what, cached, mirror, "npm config set registry https://<your mirror>"))
    return checks


def _packages(machine: Machine) -> list[Check]:
    checks = []
    for package, tool, programs in (
        ("redis-server", "redis_server.py", ("redis-server", "valkey-server")),
        ("prometheus", "prometheus.py", ("prometheus",)),
    ):
        if (machine.root / "tools" / tool).is_file():
            program = next((path for program in programs if (path := machine.which(program))), None)
            checks.append(_checked(f"{package} (Debian, tests)", program, None, f"apt-get install {package}"))
    return checks


def _images(machine: Machine) -> list[Check]:
    if not any(map(machine.which, tools.ENGINES)):
        return []  # nothing builds an image here
    files = (Path("/etc/docker/daemon.json"), machine.home / ".config/containers/registries.conf")
    mirror = next(
        (str(path) for path in files if machine.has(path, r"registry-mirrors|\[\[registry\.mirror\]\]")), None
    )
    command = "name a mirror: registry-mirrors in /etc/docker/daemon.json, or registries.conf (podman)"
    return [_checked("base images (container builds)", None, mirror, command)]


def _bundle(machine: Machine) -> list[Check]:
    if not machine.which("func"):
        return []  # the deployed app's host has its own
    cached = machine.home / ".azure-functions-core-tools/Functions/ExtensionBundles"
    path = str(cached) if cached.is_dir() else None
    name = "FUNCTIONS_EXTENSIONBUNDLE_SOURCE_URI"
    return [
        _checked("extension bundle (func start)", path, machine.variable(name), f"export {name}=https://<your mirror>")
    ]


OFFLINE: tuple[Look, ...] = (
    _uv, _wheels, _go, _plugins, _checkov, _npm, _packages, _images, _bundle,
)  # fmt: skip
