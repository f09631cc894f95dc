"""Cache on ElastiCache Serverless, over TLS, entered with the unit's role: a presigned request is the password."""

import asyncio
import time
from typing import Any

from twofold.errors import CacheUnavailable
from twofold.redis import PORT, Login, Logins, RedisDriver, location

TOKEN_SECONDS = 900


def from_url(url: str) -> RedisDriver:
    """The driver of `elasticache://<endpoint host>[:<port>]/<region>/<cache>/<user>`; connects at the first use."""
    form = "elasticache://<endpoint host>[:<port>]/<region>/<cache>/<user>"
    host, port, (region, cache, user) = location(url, form, r"/([\w-]+)/([\w-]+)/([\w-]+)")
    return RedisDriver(host, port or PORT, logins=Logins(IamLogin(region, cache, user).renew))


class IamLogin:
    """`Action=connect` for a user, signed with the role's credentials (SigV4): no call leaves for it."""

    def __init__(self, region: str, cache: str, user: str) -> None:
        self._region, self._cache, self._user = region, cache, user
        self._session: Any = None

    async def renew(self) -> Login:
        """A login for 15 minutes; ElastiCache ends a connection 12 hours after its last one."""
        return await asyncio.to_thread(self._sign)  # credentials may have to be fetched

    def _sign(self) -> Login:
        import botocore.session  # only where ElastiCache is used
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        self._session = self._session or botocore.session.get_session()
        parameters = {"Action": "connect", "User": self._user, "ResourceType": "ServerlessCache"}
        request = AWSRequest("GET", f"https://{self._cache}/", params=parameters)
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise CacheUnavailable("there are no AWS credentials to sign a login for ElastiCache with")
            SigV4QueryAuth(
                credentials.get_frozen_credentials(), "elasticache", self._region, expires=TOKEN_SECONDS
            ).add_auth(request)
        except BotoCoreError as exc:
            raise CacheUnavailable(f"no login for ElastiCache: {exc}") from exc
        return Login(self._user, str(request.url).removeprefix("https://"), time.time() + TOKEN_SECONDS)
