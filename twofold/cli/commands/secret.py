"""`twofold secret …`: values of the manifest's secrets, here or on a stack."""

from typing import Annotated

import typer

from twofold.cli import completion
from twofold.cli.options import MANIFEST, Cloud, Env, Target, manifest_of, with_services
from twofold.cli.output import AsJson, tell

USES = ("secrets_url",)

app = typer.Typer(help="Values of the manifest's secrets, here or on a stack.", no_args_is_help=True)


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="a secret of the manifest", autocompletion=completion.secret)],
    cloud: Cloud = None, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST,
) -> None:  # fmt: skip
    """Sets a value, typed without echo or read from standard input: never an argument, which others can see.

    With --json: {name, state}; `state` is then `set`.
    """
    from twofold.cli import secrets

    service = manifest_of(manifest)
    secrets.check(service, name)
    with_services(service, cloud, env, USES, lambda services: secrets.set_value(services, name))
    tell({"name": name, "state": "set"}, lambda _: typer.echo(f"{name} is set"), as_json=as_json)


@app.command("list")
def list_(cloud: Cloud = None, env: Env = "dev", as_json: AsJson = False, manifest: Target = MANIFEST) -> None:
    """Tells which secrets have a value, and shows none.

    With --json: an array of {name, state, reason, description}; `state` is `set`, `missing`, or `unknown` for a `reason`.
    """
    from twofold.cli import secrets

    states = with_services(manifest_of(manifest), cloud, env, USES, secrets.read)
    tell(states, secrets.show, as_json=as_json)
