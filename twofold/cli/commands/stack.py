"""`twofold deployer`, `preflight`, `describe`: what a stack takes and is, before there is one."""

import typer

from twofold.cli.options import MANIFEST, Deployed, Env, Target, manifest_of
from twofold.cli.output import AsJson, tell

app = typer.Typer()


@app.command()
def deployer(cloud: Deployed, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Prints the least privilege that deploying a stack takes, for review: IAM policies and a boundary, or Azure roles.

    With --json: {name: document}, as each cloud takes them, and `config`, or `scopes` and `condition`; for people the same, in
    colours.
    """
    from twofold.cli import account
    from twofold.cli.console import console

    documents = account.deployer(manifest_of(manifest), cloud, env)
    tell(documents, lambda documents: console.print_json(data=documents, indent=1), as_json=as_json)


@app.command()
def preflight(cloud: Deployed, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Asks the account what the first `pulumi up` needs, changes nothing, and names the command for what is missing.

    With --json: an array of {what, fine, found, command, needed}; exit code 1 when something that is needed is missing.
    """
    from twofold.cli import account, checks

    checks.report(account.preflight(manifest_of(manifest), cloud, env), as_json=as_json)


@app.command()
def describe(cloud: Deployed, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Tells all that a stack is, without login or engine: for who makes it with Terraform, or reviews it.

    With --json: {service, stack, region, artifact, units, routes, resources, notes}, every value of it.
    """
    from twofold.cli import account, describe

    tell(account.describe(manifest_of(manifest), cloud, env), describe.show, as_json=as_json)
