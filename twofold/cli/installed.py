"""`twofold doctor`: what is here, whether locks are fresh and logins work, and the one command for what is missing.

Needed is what serving, building and deploying take; what only tests or one way of working takes is told, and no failure.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twofold.cli import extras, tools
from twofold.cli.doctor import Machine
from twofold.deploy.checks import Check

LOGIN_SECONDS = 20
"""A cloud that does not answer by then counts as no login."""
LOGINS = {"azure": "az login", "aws": "aws sso login"}
TOOLS = (
    ("node", ("node",), "twofold dev: Azurite", "apt-get install nodejs npm"),
    ("go", ("go",), "tests: builds the Pulumi CLI", "apt-get install golang-go"),
    ("redis-server", ("redis-server", "valkey-server"), "tests: the cache", "apt-get install redis-server"),
    ("prometheus", ("prometheus",), "tries the metrics", "apt-get install prometheus"),
    ("func", ("func",), "the Functions host here", "npm install -g azure-functions-core-tools@4"),
    ("az", ("az",), "the Azure login", "pip install azure-cli"),
    ("aws", ("aws",), "the AWS login", "pip install awscli"),
)
"""Name, programs that will do, what for, and the command on Debian."""
ASK = {
    "azure": "from twofold.deploy.azure.login import who",
    "aws": "from twofold.deploy.aws.login import who",
}

type Login = Callable[[Machine, str], tuple[bool, str]]


def login(machine: Machine, cloud: str, seconds: float = LOGIN_SECONDS) -> tuple[bool, str]:
    """Whether a cloud's login works, and whose it is or what it said, in a process of its own that is ended at the deadline."""
    command = [sys.executable, "-c", f"{ASK[cloud]}; print(who())"]
    environ = {"HOME": str(machine.home), **machine.environ}
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environ, cwd=machine.home if machine.home.is_dir() else None, capture_output=True, text=True,
            timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"no answer within {seconds:.0f} s"
    if done.returncode == 0:
        return True, done.stdout.strip()
    lines = done.stderr.strip().splitlines() or ["no answer"]
    return False, lines[-1].partition(": ")[2][:120] or lines[-1][:120]


def installed(machine: Machine, login: Login = login) -> list[Check]:
    """All of it; logins are asked at the same time."""
    with ThreadPoolExecutor() as pool:
        asked = {cloud: pool.submit(login, machine, cloud) for cloud in LOGINS}
        checks = [_python(machine), _uv(machine), *_locks(machine), *_environment(machine), _pulumi(machine)]
        for name, programs, purpose, command in TOOLS:
            path = next(filter(None, map(machine.which, programs)), "")
            checks.append(
                Check(f"{name} ({purpose})", bool(path), path or "not on PATH", "" if path else command, False)
            )
        checks.append(_engine(machine))
        for cloud, answer in asked.items():
            fine, detail = answer.result()
            command = extras.command("deploy", machine.root) if detail.startswith("No module") else LOGINS[cloud]
            checks.append(Check(f"login to {cloud} (deploying)", fine, detail, "" if fine else command, False))
    return checks


def _python(machine: Machine) -> Check:
    path = machine.which("python3.13") or (machine.root / ".venv/bin/python")
    exists = Path(path).exists()
    return Check("Python 3.13", exists, str(path) if exists else "not here", "" if exists else "uv python install 3.13")


def _uv(machine: Machine) -> Check:
    own = machine.cache / "uv/bin/uv"
    path = machine.which("uv") or (str(own) if own.is_file() else "")
    return Check("uv", bool(path), path or "not here", "" if path else "python3 -m pip install uv")


def _pulumi(machine: Machine) -> Check:
    """On PATH with its language host, as its distribution has it, and as new as Pulumi.yaml asks: the tests' own has none."""
    try:
        path = tools.pulumi(machine.environ, machine.home)
    except tools.MissingProgram as exc:
        return Check("Pulumi CLI", False, exc.problem, exc.command)
    if not machine.which("pulumi-language-python"):
        return Check("Pulumi CLI", False, f"{path}, without pulumi-language-python", tools.GET_PULUMI)
    done = subprocess.run([path, "version"], env={**machine.environ}, capture_output=True, text=True)  # noqa: S603
    project = machine.root / "Pulumi.yaml"
    least = re.search(r"(?m)^requiredPulumiVersion: *\W*([\d.]+)", project.read_text()) if project.is_file() else None
    version = done.stdout.strip().removeprefix("v")
    fine = bool(version) and (least is None or _ordered(version) >= _ordered(least[1]))
    detail = (
        f"{path} {version}"
        if fine or least is None
        else f"{path} is {version or 'broken'}, and Pulumi.yaml wants {least[1]}"
    )
    return Check("Pulumi CLI", fine, detail, "" if fine else tools.GET_PULUMI)


def _engine(machine: Machine) -> Check:
    try:
        return Check("docker (container images)", True, tools.engine(machine.environ), needed=False)
    except tools.MissingProgram as exc:
        return Check("docker (container images)", False, exc.problem, exc.command, False)


def _ordered(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _environment(machine: Machine) -> list[Check]:
    """As `make` sees it: .venv is older than what it is made from."""
    if not (machine.root / "Makefile").is_file():
        return []
    stamp, lock = machine.root / ".venv/.installed", machine.root / "requirements/dev.txt"
    source = lock if lock.is_file() else machine.root / "pyproject.toml"
    if not stamp.is_file():
        return [Check("this project's .venv", False, "not made yet", "make install")]
    fine = not source.is_file() or stamp.stat().st_mtime >= source.stat().st_mtime
    detail = str(stamp.parent) if fine else f"{source.name} is newer"
    return [Check("this project's .venv", fine, detail, "" if fine else "make install")]


def _locks(machine: Machine) -> list[Check]:
    """Each lock has what pyproject.toml asks for, in a version that it allows."""
    from packaging.requirements import Requirement  # it comes with `limits`
    from packaging.utils import canonicalize_name

    path = machine.root / "pyproject.toml"
    if not path.is_file():
        return [
            Check("a service's pyproject.toml", False, "not in this folder", "twofold new <folder> --service <name>")
        ]
    document = tomllib.loads(path.read_text())
    project, groups = document.get("project", {}), document.get("dependency-groups", {})
    extras = project.get("optional-dependencies", {})
    checks = []
    for name in ("aws", "azure", "dev"):
        lock = machine.root / f"requirements/{name}.txt"
        if not lock.is_file():
            if name != "dev":
                checks.append(Check(f"lock requirements/{name}.txt", False, "not here", "make lock"))
            continue
        wanted = [*project.get("dependencies", ()), *extras.get(name, ())]
        if name == "dev":
            wanted = [*wanted, *(text for extra in extras.values() for text in extra), *groups.get("dev", ())]
        pins = {canonicalize_name(one): pin for one, pin in re.findall(r"(?m)^([\w.-]+)==(\S+)", lock.read_text())}
        asked = [one for one in map(Requirement, wanted) if one.name != "twofold"]  # the kit itself is never locked
        stale = [
            one.name for one in asked
            if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"), prereleases=True)
            or canonicalize_name(one.name) not in pins
        ]  # fmt: skip
        detail = f"older than pyproject.toml: {', '.join(stale)}" if stale else f"{len(pins)} packages"
        checks.append(Check(f"lock requirements/{name}.txt", not stale, detail, "make lock" if stale else ""))
    return checks
