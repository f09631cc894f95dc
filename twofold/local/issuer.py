"""The development issuer: a checkout's own, with one key under `.data/`. It signs whatever its owner asks for.

A checkout that names no `oidc_issuer` takes its tokens, and reads its key in process: no network. Its code is left out of every
artifact, and a deployed service without an issuer of its own does not start.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twofold.manifest import ServiceManifest

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ISSUER = "https://development.invalid"
"""Nobody's address, now and for ever (RFC 2606)."""
SUBJECT = "c-1"
LIFETIME_SECONDS = 12 * 3600


class DevelopmentIssuer:
    """A `KeySource` and what signs: an ECDSA key in a file of mode 0600, made at the first use."""

    def __init__(self, folder: Path = Path(".data")) -> None:
        self.file = folder / "development-issuer.json"

    async def fetch(self) -> Iterable[Mapping[str, Any]]:
        """See `KeySource`."""
        return [dict(self._key().as_dict(private=False))]

    def token(self, manifest: ServiceManifest, *, subject: str = SUBJECT, scopes: Iterable[str] | None = None) -> str:
        """An access token (RFC 9068) for this service, for 12 hours; without `scopes` with every scope of the manifest."""
        from joserfc import jwt

        key, now = self._key(), int(time.time())
        claims = {
            "iss": ISSUER, "aud": manifest.name, "sub": subject, "client_id": "development", "iat": now,
            "exp": now + LIFETIME_SECONDS, "jti": os.urandom(8).hex(),
            "scope": " ".join(manifest.scopes if scopes is None else scopes),
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, claims, key)

    def _key(self) -> "ECKey":
        from joserfc.jwk import ECKey

        if not self.file.exists():
            key = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
            self._keep(json.dumps(key.as_dict(private=True)))
        return ECKey.import_key(json.loads(self.file.read_text()))

    def _keep(self, text: str) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.file.parent, prefix=".")  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
            os.link(temporary, self.file)  # whole or not at all; of two processes at once the first one's key stays
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
