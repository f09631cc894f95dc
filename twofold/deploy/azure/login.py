"""The deployer's login on Azure: whether there is one, and whose."""

import base64
import json

from twofold.deploy.azure.preflight import own_token


def who() -> str:
    """The name in the login's token for Resource Manager, else its object id. ConfigError without a login."""
    body = own_token().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return str(claims.get("upn") or claims.get("appid") or claims["oid"])
