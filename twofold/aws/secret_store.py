"""SecretStore on AWS Secrets Manager: the secret `<prefix>/<name>`, its current version."""

from typing import Any

from twofold.aws.client import Client, client_of, code_of
from twofold.errors import SecretRefused, SecretsUnavailable

REFUSED = frozenset({"AccessDeniedException", "DecryptionFailure", "InvalidRequestException"})
"""Of one secret: not this role's, its key not this role's, or about to be deleted."""


def from_url(url: str) -> "SecretsManagerDriver":
    """The driver of `secretsmanager://<region>/<prefix>[?endpoint=http://…]`; connects at the first use."""
    client, prefix = client_of("secretsmanager", url)
    return SecretsManagerDriver(client, prefix)


class SecretsManagerDriver:
    """GetSecretValue and PutSecretValue; a secret that the stack made and nobody has set yet counts as missing."""

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def get(self, name: str) -> str | None:
        """See `SecretDriver`."""
        answer = await self._call("get_secret_value", SecretId=f"{self._prefix}/{name}")
        return None if answer is None else answer.get("SecretString")

    async def set(self, name: str, value: str) -> None:
        """See `SecretDriver`."""
        secret_id = f"{self._prefix}/{name}"
        if await self._call("put_secret_value", SecretId=secret_id, SecretString=value) is None:
            await self._call("create_secret", Name=secret_id, SecretString=value)

    async def close(self) -> None:
        """See `SecretDriver`."""
        await self._client.close()

    async def _call(self, operation: str, **arguments: Any) -> Any:
        """The answer, or None where there is no such secret."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await self._client.call(operation, **arguments)
        except ClientError as exc:
            if code_of(exc) == "ResourceNotFoundException":
                return None
            error = SecretRefused if code_of(exc) in REFUSED else SecretsUnavailable
            raise error(f"Secrets Manager: {code_of(exc)}") from exc
        except BotoCoreError as exc:
            raise SecretsUnavailable(f"Secrets Manager does not answer: {exc}") from exc
