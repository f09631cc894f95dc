"""`twofold token`: an access token of the checkout's development issuer, or of the issuer of a stack, for who logs in."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from twofold.cli.login import Client, LoginFailed, login
from twofold.cli.output import acts
from twofold.cli.stack import outputs
from twofold.errors import TwofoldError
from twofold.local.issuer import SUBJECT, DevelopmentIssuer
from twofold.manifest import ServiceManifest
from twofold.portable import issuers
from twofold.settings import Settings


class NoToken(TwofoldError):
    """Such a token would be of no use here, or can't be asked for."""


def make(manifest: ServiceManifest, root: Path, scopes: Sequence[str], subject: str | None) -> dict[str, Any]:
    """The development issuer's token and what it says. Raises NoToken where nobody would accept it."""
    settings = Settings.load(os.environ, manifest, root)
    if not manifest.scopes:
        raise NoToken("the manifest declares no scopes: its service takes no tokens and needs none")
    if settings.oidc_issuer or settings.deployed:
        raise NoToken(f"this service takes tokens of {settings.oidc_issuer}: get one there, by twofold token --login")
    if unknown := sorted(set(scopes) - set(manifest.scopes)):
        raise NoToken(f"the manifest has no scope {', '.join(unknown)}; it has {', '.join(manifest.scopes)}")
    issuer = DevelopmentIssuer()
    acts(None, str(issuer.file))
    token = issuer.token(manifest, subject=subject or SUBJECT, scopes=scopes or None)
    return _told(token, _claims(token))


def ask(
    manifest: ServiceManifest, root: Path, scopes: Sequence[str], stack: str | None, client_id: str | None, port: int
) -> dict[str, Any]:
    """The token of who logs in at the issuer of a stack, or without one of the settings here. Raises NoToken, LoginFailed.

    Without scopes those of the manifest are asked for; one that it has not is asked for as it stands. A client of Cognito's is
    the service's first audience, if no other is named.
    """
    issuer, audience = _issuer(manifest, root, stack)
    acts(stack, issuer)
    if not client_id and issuers.is_cognito(issuer):
        client_id = issuers.audiences(audience)[0]
    if not client_id:
        raise NoToken(f"say as which client of {issuer}: --client-id, a public one with a redirect URI on loopback")
    first = issuers.audiences(audience)[0]
    names = [
        issuers.scope_to_ask(issuer, manifest.name, first, scope) if scope in manifest.scopes else scope
        for scope in scopes or manifest.scopes
    ]
    token = login(Client(client_id, issuer, first, " ".join(names) or "openid"), port)
    claims = _claims(token)
    if claims.get("iss") != issuer:
        raise LoginFailed(
            f"the token's iss is {claims.get('iss')!r}, and the service takes those of {issuer!r}: Entra's API registration "
            "says which version of tokens it gets (requestedAccessTokenVersion)"
        )
    mine = claims.get("aud", claims.get("client_id") if issuers.is_cognito(issuer) else None)
    if not set(mine if isinstance(mine, list) else [mine]) & set(issuers.audiences(audience)):
        raise LoginFailed(f"the token is for {mine!r}, and the service takes those for {audience!r}")
    return _told(token, claims)


def _issuer(manifest: ServiceManifest, root: Path, stack: str | None) -> tuple[str, str]:
    if stack is None:
        settings = Settings.load(os.environ, manifest, root)
        values: Mapping[str, object] = {"oidc_issuer": settings.oidc_issuer, "oidc_audience": settings.oidc_audience}
    else:
        values = outputs(stack)
    issuer, audience = (str(values.get(name) or "") for name in ("oidc_issuer", "oidc_audience"))
    if not issuer or not issuers.audiences(audience):
        where = (
            f"the stack {stack} exports no" if stack else "name the stack (--cloud, --env), or set TWOFOLD_OIDC_… : no"
        )
        raise NoToken(f"{where} oidc_issuer and oidc_audience")
    return issuer, audience


def _claims(token: str) -> Mapping[str, Any]:
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise LoginFailed(
            "the issuer gave a token that is no JWT, which no service can verify: is it asked for the right API?"
        )
    return claims


def _told(token: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    held = claims.get("scope") or claims.get("scp") or ""
    scopes = held.split() if isinstance(held, str) else list(held)
    return {"token": token, "subject": claims.get("sub"), "scopes": scopes, "expires_at": claims.get("exp")}
