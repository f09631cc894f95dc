"""The deployer's login on Azure: its token, and whose it is."""

import base64
import json
import logging
import time
from typing import TYPE_CHECKING, Any

from twofold.deploy.config import RESOURCE_MANAGER, ConfigError
from twofold.deploy.user_errors import UserError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

SCOPE = f"{RESOURCE_MANAGER}.default"
STORAGE = "https://storage.azure.com/.default"
GRAPH = "https://graph.microsoft.com"
MARGIN_SECONDS = 300
"""So long before its end a token is no longer given out."""
_TOKENS: "dict[str, AccessToken]" = {}
"""By scope, in this process alone. A pipeline's own login is good for five minutes, and its tokens for an hour."""


class NoLogin(UserError, ConfigError):
    """This machine has no Azure login, or one that is over."""


def token(scope: str = SCOPE) -> str:
    """The deployer's token, by default for Resource Manager. Raises NoLogin."""
    return _login(scope).token


def credential(scope: str) -> "TokenCredential":
    """The deployer's login, which has given a token for this scope: Storage's SDK would ask one that has none for a minute
    and a half. Raises NoLogin."""
    _login(scope)
    return _Kept()


class _Kept:
    """A credential that gives this process' tokens."""

    def get_token(self, *scopes: str, **_: Any) -> "AccessToken":
        return _login(scopes[0])


def _login(scope: str) -> "AccessToken":
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DefaultAzureCredential

    cached = _TOKENS.get(scope)
    if cached is not None and cached.expires_on - time.time() > MARGIN_SECONDS:
        return cached
    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it tells at length what the error says in a line
    try:
        _TOKENS[scope] = DefaultAzureCredential().get_token(scope)
    except ClientAuthenticationError as exc:
        if cached is not None and cached.expires_on > time.time():
            return cached
        raise NoLogin("no Azure login on this machine gives a token; run: az login") from exc
    return _TOKENS[scope]


def claims(token: str) -> dict[str, Any]:
    """What a token says of itself, unverified: only whoever it is for can do that."""
    body = token.split(".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return value


def who() -> str:
    """The name in the login's token, else its object id. Raises NoLogin."""
    claim = claims(token())
    return str(claim.get("upn") or claim.get("appid") or claim["oid"])


def object_id() -> str:
    """The login's principal in Entra, as assignments name it. Raises NoLogin."""
    return str(claims(token())["oid"])
