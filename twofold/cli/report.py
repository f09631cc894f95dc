"""`twofold doctor --report`: one file for whoever helps: what was deployed where, what failed, what the cloud says. Redacted.

Each part is had by itself, and what can't be had says why: a report of a broken deployment is of use half full.
"""

import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import yaml

from twofold import __version__
from twofold.cli import redact, tools
from twofold.cli.console import aside, console
from twofold.deploy import program
from twofold.errors import TwofoldError
from twofold.manifest import ServiceManifest

PACKAGES = ("pulumi", "azure-", "boto3", "botocore", "fastapi", "pydantic", "mangum", "joserfc", "httpx")
LINES = 200
"""Of the output of `pulumi up`, its last."""
SECONDS = 120
UPDATE = ("kind", "result", "startTime", "endTime", "resourceChanges", "version")


class NotHad(TwofoldError):
    """A part of the report can't be had."""


def write(manifest: ServiceManifest, cloud: str, env: str, root: Path, log: Path | None) -> dict[str, Any]:
    """Writes `twofold-report.json`; returns its path and what it lacks. Reads the stack's state and the cloud, changes nothing."""
    stack = f"{env}-{cloud}"
    state: dict[str, Any] = {}
    parts: dict[str, Callable[[], Any]] = {
        "versions": _versions,
        "config": lambda: _config(root, stack),
        "last update": lambda: [
            {key: one.get(key) for key in UPDATE} for one in _pulumi("history", stack, "--page-size", "3")
        ],
        "state": lambda: _state(state),
        "not there": lambda: _missing(manifest, root, stack, state),
        "output of pulumi up": lambda: _output(log),
        "hosts": lambda: _hosts(manifest, cloud, root, stack, state),
    }
    known = redact.secrets_of(os.environ)
    with suppress(Exception):  # the part "config" says why
        known |= redact.secrets_of(_given(root, stack))
    try:
        state |= _pulumi("export", stack)["deployment"] or {}
    except Exception as exc:
        failed = exc
        parts |= dict.fromkeys(("state", "not there", "hosts"), lambda: _lacking(failed))
    report: dict[str, Any] = {"service": manifest.name, "stack": stack}
    lacking: dict[str, str] = {}
    for name, part in parts.items():
        try:
            report[name] = part()
        except Exception as exc:  # whatever it is: the others are still of use
            lacking[name] = report[name] = f"not had: {type(exc).__name__}: {exc}"
    path = root / "twofold-report.json"
    text = json.dumps(redact.value(report, known), indent=1, ensure_ascii=False) + "\n"
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(text)
    return {"path": str(path), "lacking": redact.value(lacking, known)}


def show(written: Mapping[str, Any]) -> None:
    """Prints what was written, and what it lacks."""
    for part, why in written["lacking"].items():
        aside.print(f"{part}: {why}", markup=False)
    console.print(f"{written['path']}: read it before you send it", markup=False, soft_wrap=True)


def _lacking(failed: Exception) -> Any:
    raise failed


def _versions() -> dict[str, Any]:
    packages = {one.name: one.version for one in distributions() if one.name.startswith(PACKAGES)}
    try:
        version = _run([tools.pulumi(), "version"]).stdout
    except tools.MissingProgram as exc:
        version = exc.problem
    return {
        "twofold": __version__, "python": sys.version.split()[0], "platform": platform.platform(),
        "pulumi": version.strip(), "packages": dict(sorted(packages.items())),
    }  # fmt: skip


def _config(root: Path, stack: str) -> dict[str, Any]:
    """Of the stack's file: what is encrypted there goes, and the service's own settings are only named."""
    return {key: _shown(key, value) for key, value in _given(root, stack).items()}


def _given(root: Path, stack: str) -> Mapping[str, Any]:
    project = yaml.safe_load((root / "Pulumi.yaml").read_text())
    path = root / project.get("stackConfigDir", "") / f"Pulumi.{stack}.yaml"
    config: Mapping[str, Any] = (yaml.safe_load(path.read_text()) or {}).get("config") or {}
    return config


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and "secure" in value:
        return redact.SECRET
    if key == "twofold:settings":
        settings = json.loads(value) if isinstance(value, str) else value
        return {name: f"{len(str(text))} characters" for name, text in settings.items()}
    return value


def _state(state: Mapping[str, Any]) -> dict[str, Any]:
    """How many resources there are, which of them began ill, and what was under way when the last update ended."""
    resources = state.get("resources") or ()
    return {
        "resources": len(resources),
        "ill": {one["urn"]: one["initErrors"] for one in resources if one.get("initErrors")},
        "under way": [
            f"{one.get('type')} {one['resource'].get('urn')}" for one in state.get("pending_operations") or ()
        ],
    }


def _missing(manifest: ServiceManifest, root: Path, stack: str, state: Mapping[str, Any]) -> list[str]:
    """What the program asks for and the state lacks: of an update that failed, what failed and all behind it."""
    planned = program.planned(manifest, program.stack_config(root, stack, manifest), root, stack)
    there = {(one["type"], one["urn"].rpartition("::")[2]) for one in state.get("resources") or ()}
    return [f"{one.type} {one.name}" for one in planned if (one.type, one.name) not in there]


def _output(log: Path | None) -> list[str]:
    if log is None:
        return ["not given: pulumi up 2>&1 | tee up.log, then twofold doctor --report --log up.log"]
    return log.read_text(errors="replace").splitlines()[-LINES:]


def _hosts(manifest: ServiceManifest, cloud: str, root: Path, stack: str, state: Mapping[str, Any]) -> Any:
    module = importlib.import_module(f"twofold.deploy.{cloud}.hosts")
    units = {
        str(one["outputs"].get("name") or one["id"]): str(one["id"])
        for one in state.get("resources") or ()
        if one["type"] == module.TYPE and one.get("id")
    }
    return module.hosts(program.stack_config(root, stack, manifest), units)


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Nobody can answer what it asks, a passphrase for one: it sees that and ends."""
    return subprocess.run(  # noqa: S603 - our own arguments
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
    )


def _pulumi(command: str, stack: str, *options: str) -> Any:
    """What `pulumi stack history` or `export` tells, without any secret: those stay encrypted."""
    as_json = ["--json"] if command == "history" else []  # an export is JSON as it is
    result = _run([tools.pulumi(), "stack", command, "--stack", stack, *options, *as_json])
    if result.returncode:
        raise NotHad(f"pulumi stack {command}: {result.stderr.strip()[-500:]}")
    return json.loads(result.stdout)
