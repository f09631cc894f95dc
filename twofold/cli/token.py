"""`twofold token`: an access token of the checkout's development issuer."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joserfc import jws

from twofold.cli.output import acts
from twofold.errors import TwofoldError
from twofold.local.issuer import DevelopmentIssuer
from twofold.manifest import ServiceManifest
from twofold.settings import Settings


class NoDevelopmentToken(TwofoldError):
    """Such a token would be of no use here."""


def make(manifest: ServiceManifest, root: Path, scopes: Sequence[str] | None, subject: str) -> dict[str, Any]:
    """The token and what it says. Raises NoDevelopmentToken where nobody would accept it."""
    settings = Settings.load(os.environ, manifest, root)
    if not manifest.scopes:
        raise NoDevelopmentToken("the manifest declares no scopes: its service takes no tokens and needs none")
    if settings.oidc_issuer or settings.deployed:
        raise NoDevelopmentToken(f"this service takes tokens of {settings.oidc_issuer}: get one there")
    wanted = [one for scope in scopes or () for one in scope.split()]
    if unknown := sorted(set(wanted) - set(manifest.scopes)):
        raise NoDevelopmentToken(f"the manifest has no scope {', '.join(unknown)}; it has {', '.join(manifest.scopes)}")
    issuer = DevelopmentIssuer()
    acts(None, str(issuer.file))
    token = issuer.token(manifest, subject=subject, scopes=wanted or None)
    claims = json.loads(jws.extract_compact(token.encode()).payload)
    return {"token": token, "subject": claims["sub"], "scopes": claims["scope"].split(), "expires_at": claims["exp"]}
