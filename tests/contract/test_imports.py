"""Imports are a budget: what a door loads before its first event, and what the embedded default never does."""

import subprocess
import sys

import pytest

from tests.copies.copy import ROOT

CASES = {
    "the manifest": ("import api.manifest", {"fastapi", "pydantic", "boto3", "azure", "pulumi", "httpx"}),
    "the command line": (
        "from typer.testing import CliRunner; from twofold.cli.main import app; "
        "assert 'rollback' in CliRunner().invoke(app, ['--help']).output",
        {
            "fastapi",
            "starlette",
            "uvicorn",
            "boto3",
            "azure",
            "pulumi",
            "httpx",
            "twofold.bootstrap",
            "twofold.settings",
        },
    ),
    "the Lambda door": (
        "import lambda_function",
        {"fastapi", "boto3", "azure", "mangum", "httpx", "joserfc", "pulumi", "redis", "limits"},
    ),
    "the Functions door": (
        "import function_app",
        {"fastapi", "boto3", "azure.cosmos", "azure.identity", "httpx", "joserfc", "pulumi", "redis", "limits"},
    ),
    "the portable blocks": (
        "from twofold.portable import access_token, document_store, event_store, feed, issuer_keys, oidc",
        {"fastapi", "boto3", "azure", "httpx", "joserfc", "redis", "limits"},
    ),
    "the embedded default without telemetry": (
        "from pathlib import Path; from api.manifest import SERVICE; from twofold.runtime import Runtime; "
        "import asyncio; asyncio.run(Runtime(SERVICE, root=Path('/nowhere'), environ={}).stop())",
        {"fastapi", "opentelemetry"},
    ),
    "the embedded default": (
        "from pathlib import Path; from api.manifest import SERVICE; from twofold.runtime import Runtime; "
        "Runtime(SERVICE, root=Path('/nowhere'), environ={}).build_app()",
        {"boto3", "azure", "joserfc", "mangum", "opentelemetry.sdk", "pulumi", "redis", "limits"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_loaded(case):
    code, unwanted = CASES[case]
    report = f"{code}\nimport sys\nprint(*({{*{sorted(unwanted)}}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
