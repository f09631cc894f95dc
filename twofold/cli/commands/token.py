"""`twofold token`: an access token, of this checkout's issuer or of a stack's."""

from pathlib import Path
from typing import Annotated

import typer

from twofold.cli import completion
from twofold.cli.options import CLOUDS, MANIFEST, Env, Target, known_cloud, manifest_of
from twofold.cli.output import AsJson, tell
from twofold.errors import TwofoldError

app = typer.Typer()


@app.command()
def token(
    scope: Annotated[
        list[str] | None,
        typer.Option(help="may stand several times; without it, all of the manifest", autocompletion=completion.scope),
    ] = None,
    subject: Annotated[str | None, typer.Option(help="on whose behalf; c-1 unless said")] = None,
    login: Annotated[bool, typer.Option("--login", help="of a real issuer, for who logs in with a browser")] = False,
    cloud: Annotated[
        str | None,
        typer.Option(
            help=f"with --login, {CLOUDS}: the issuer of this stack; without it, of TWOFOLD_OIDC_ISSUER and _AUDIENCE",
            callback=known_cloud,
            autocompletion=completion.cloud,
        ),
    ] = None,
    env: Env = "dev",
    client_id: Annotated[
        str | None, typer.Option(help="with --login: a public client of the issuer; Cognito's is the audience")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="with --login: of http://localhost:<port>/callback, the redirect URI")
    ] = 8400,
    as_json: AsJson = False,
    manifest: Target = MANIFEST,
) -> None:
    """Prints an access token that this checkout's service accepts for 12 hours, whatever door serves it; or a real issuer's.

    With --login a browser opens; the token alone is on standard output and is kept nowhere. With --json: {token, subject, scopes,
    expires_at}.
    """
    from twofold.cli import token as tokens

    service, scopes = manifest_of(manifest), [one for each in scope or () for one in each.split()]
    if login and subject:
        raise TwofoldError("--subject is for the checkout's own issuer: with --login it is who logs in")
    if not login and (cloud or client_id):
        raise TwofoldError("a stack takes tokens of its own issuer: add --login")
    if login:
        stack = f"{env}-{cloud}" if cloud else None
        answer = tokens.ask(service, Path.cwd(), scopes, stack, client_id, port)
    else:
        answer = tokens.make(service, Path.cwd(), scopes, subject)
    tell(answer, lambda answer: typer.echo(answer["token"]), as_json=as_json)
