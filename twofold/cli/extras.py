"""What commands import and a service's first installation lacks: the extra that has it, and the command that brings it here."""

import re
from pathlib import Path

EXTRAS = {
    "local": ("opentelemetry", "prometheus_client", "redis", "uvicorn"),
    "aws": ("boto3", "botocore", "mangum"),
    "azure": ("aiohttp", "azure"),
    "emulators": ("awslambdaric", "azure_functions_runtime", "cryptography", "ministack", "watchfiles"),
    "deploy": (
        "azure.identity", "azure.storage.blob", "cyclonedx", "pulumi", "pulumi_aws", "pulumi_azure_native",
        "pulumi_random", "tenacity", "yaml",
    ),
}  # fmt: skip
TARGETS = {"local": "install", "aws": "deployable", "azure": "deployable", "deploy": "deployable", "emulators": "dev"}
"""Of a new service's Makefile. The kit's own `install` brings everything."""


def missing(exc: ImportError, root: Path) -> str | None:
    """What to do about a module that can't be imported, in a line; None for one that no extra has."""
    names = (exc.name or "").split(".")
    for length in range(len(names), 0, -1):
        module = ".".join(names[:length])
        for extra, modules in EXTRAS.items():
            if module in modules:
                return f"{exc.name} can't be imported: it comes with twofold[{extra}]; run: {command(extra, root)}"
    return None


def command(extra: str, root: Path) -> str:
    """What brings an extra into the folder's environment."""
    makefile = root / "Makefile"
    text = makefile.read_text() if makefile.is_file() else ""
    targets = [target for target in (TARGETS[extra], "install") if re.search(rf"(?m)^{target}:", text)]
    return f"make {targets[0]}" if targets else f"pip install 'twofold[{extra}]'"
