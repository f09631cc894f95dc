"""The deployer's login on Azure: its token, and whose it is."""

import base64
import json
import logging
from typing import TYPE_CHECKING

from twofold.deploy.config import RESOURCE_MANAGER, ConfigError
from twofold.deploy.told import Told

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential

SCOPE = f"{RESOURCE_MANAGER}.default"
STORAGE = "https://storage.azure.com/.default"


class NoLogin(Told, ConfigError):
    """This machine has no Azure login, or one that is over."""


def token(scope: str = SCOPE) -> str:
    """The deployer's token, by default for Resource Manager. Raises NoLogin."""
    return _login(scope)[1]


def credential(scope: str) -> "DefaultAzureCredential":
    """The deployer's login, which has given a token for this scope: Storage's SDK would ask one that has none for a minute
    and a half. Raises NoLogin."""
    return _login(scope)[0]


def _login(scope: str) -> "tuple[DefaultAzureCredential, str]":
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DefaultAzureCredential

    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it tells at length what the error says in a line
    found = DefaultAzureCredential()
    try:
        return found, found.get_token(scope).token
    except ClientAuthenticationError as exc:
        raise NoLogin("no Azure login on this machine gives a token; run: az login") from exc


def who() -> str:
    """The name in the login's token, else its object id. Raises NoLogin."""
    claims = _claims()
    return str(claims.get("upn") or claims.get("appid") or claims["oid"])


def object_id() -> str:
    """The login's principal in Entra, as assignments name it. Raises NoLogin."""
    return str(_claims()["oid"])


def _claims() -> dict[str, object]:
    body = token().split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found
