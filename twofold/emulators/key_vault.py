"""A strict Key Vault, secrets only, in process, written from the REST reference (api-version 7.4 and later).

Known divergences from the service: one vault; no lists, backups, purges or recoveries; tokens are compared, not verified;
a deleted name stays taken for ever; no throttles of its own (inject them).
"""

import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from twofold.emulators.managed_identity import TOKEN
from twofold.emulators.server import Answer, FakeServer, Headers

VERSIONS = ("7.4", "7.5", "7.6", "2025-07-01", "2026-04-01")
MAX_VALUE = 25 * 1024
_ROUTE = re.compile(r"/secrets/([^/]*)(?:/([^/]*))?/?")
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_MEMBERS = {"value", "attributes", "contentType", "tags"}
type _Secret = dict[str, Any]


def refuse(
    status: int, code: str, message: str, inner: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """A refusal in Key Vault's shape."""
    error = {"code": code, "message": message}
    return Answer(status, {"error": error | ({"innererror": {"code": inner}} if inner else {})}, headers)


class KeyVaultFake(FakeServer):
    """`keyvault://<host>`. Names are compared without case, as the service does."""

    def __init__(self) -> None:
        self._secrets: dict[str, list[_Secret]] = {}  # lower-case name -> versions, the latest last
        self._deleted: set[str] = set()
        super().__init__()

    @property
    def url(self) -> str:
        """What `TWOFOLD_SECRETS_URL` takes."""
        return f"keyvault://{self.host}"

    def set(self, name: str, value: str) -> None:
        """What the vault's operator does."""
        self._put(name, {"value": value})

    def serve(self, method: str, path: str, raw_query: str, headers: Headers, body: bytes) -> Answer:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            challenge = (
                'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'
            )
            message = "AKV10000: Request is missing a Bearer or PoP token."
            raise refuse(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})
        versions = [
            part.removeprefix("api-version=") for part in raw_query.split("&") if part.startswith("api-version=")
        ]
        if len(versions) != 1 or versions[0] not in VERSIONS:
            raise refuse(400, "BadParameter", f"The specified version ({versions}) is not recognized.")
        route = _ROUTE.fullmatch(path)
        if route is None:
            raise refuse(404, "NotFound", f"There is nothing at {path}.")
        name, version = route[1], route[2] or ""
        if not _NAME.fullmatch(name):
            raise refuse(400, "BadParameter", "The request URI contains an invalid name.")
        if method == "GET":
            return self._get(name, version)
        if method == "PUT" and not version:
            return self._put(name, self._json(headers, body))
        if method == "PATCH":
            return self._patch(name, version, self._json(headers, body))
        if method == "DELETE" and not version:
            return self._delete(name)
        raise refuse(405, "MethodNotAllowed", f"{method} {path} is not understood.")

    def _get(self, name: str, version: str) -> Answer:
        secret = self._version(name, version)
        if not secret["attributes"]["enabled"]:
            raise refuse(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return Answer(200, secret)

    def _put(self, name: str, content: dict[str, Any]) -> Answer:
        if unknown := set(content) - _MEMBERS:
            raise refuse(400, "BadParameter", f"Property {sorted(unknown)} is not recognized.")
        value = content.get("value")
        if not isinstance(value, str):
            raise refuse(400, "BadParameter", "The property 'value' is required and is a string.")
        if len(value.encode()) > MAX_VALUE:
            raise refuse(400, "BadParameter", "The value of the property 'value' is invalid: at most 25 KB.")
        if name.lower() in self._deleted:
            raise refuse(
                409,
                "Conflict",
                f"Secret {name} is currently in a deleted but recoverable state.",
                "ObjectIsDeletedButRecoverable",
            )
        now = int(time.time())
        secret = {
            "value": value,
            "id": f"https://{self.host}/secrets/{name}/{uuid.uuid4().hex}",
            "attributes": {
                "enabled": content.get("attributes", {}).get("enabled", True),
                "created": now,
                "updated": now,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
            **{key: content[key] for key in ("contentType", "tags") if content.get(key)},
        }
        self._secrets.setdefault(name.lower(), []).append(secret)
        return Answer(200, secret)

    def _patch(self, name: str, version: str, content: dict[str, Any]) -> Answer:
        if "value" in content:
            raise refuse(400, "BadParameter", "The value of a version can't change; set the secret.")
        secret = self._version(name, version)
        secret["attributes"] |= content.get("attributes", {})
        return Answer(200, {key: value for key, value in secret.items() if key != "value"})

    def _delete(self, name: str) -> Answer:
        secret = self._version(name, "")
        self._deleted.add(name.lower())
        del self._secrets[name.lower()]
        return Answer(200, {key: value for key, value in secret.items() if key != "value"})

    def _version(self, name: str, version: str) -> _Secret:
        versions = self._secrets.get(name.lower(), [])
        matches = [one for one in versions if not version or one["id"].endswith(f"/{version}")]
        if not matches:
            raise refuse(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
        return matches[-1]

    def _json(self, headers: Headers, body: bytes) -> dict[str, Any]:
        if not headers.get("Content-Type", "").startswith("application/json"):
            raise refuse(415, "UnsupportedMediaType", "The body is application/json.")
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise refuse(400, "BadParameter", "The body is no JSON object.")
        return content
