"""SecretStore on Azure Key Vault: the secret `<name>`, its latest version."""

from typing import Any
from urllib.parse import urlsplit

from twofold.azure.credential import default_credential
from twofold.errors import SecretError, SecretRefused, SecretsUnavailable
from twofold.portable.failure import reason

LOOPBACK = ("127.0.0.1", "localhost")


def from_url(url: str, credential: Any = None) -> "KeyVaultDriver":
    """The driver of `keyvault://<vault host[:port]>`; connects, and asks for a login, at the first use."""
    return KeyVaultDriver(f"https://{urlsplit(url).netloc}", credential)


class KeyVaultDriver:
    """GetSecret and SetSecret. A disabled secret and one that is not this identity's are `SecretRefused`, a login that the vault
    does not know and a throttled vault `SecretsUnavailable`."""

    def __init__(self, vault_url: str, credential: Any) -> None:
        self._vault_url, self._credential = vault_url, credential
        self._client: Any = None

    async def get(self, name: str) -> str | None:
        """See `SecretDriver`."""
        from azure.core.exceptions import AzureError, ResourceNotFoundError

        try:
            value: str | None = (await self._connected().get_secret(name)).value
            return value
        except ResourceNotFoundError:
            return None
        except (AzureError, OSError) as exc:
            raise _error(exc) from exc

    async def set(self, name: str, value: str) -> None:
        """See `SecretDriver`."""
        from azure.core.exceptions import AzureError

        try:
            await self._connected().set_secret(name, value)
        except (AzureError, OSError) as exc:
            raise _error(exc) from exc

    async def close(self) -> None:
        """See `SecretDriver`."""
        if self._client is not None:
            await self._client.close()
            await self._credential.close()

    def _connected(self) -> Any:
        if self._client is None:
            from azure.keyvault.secrets.aio import SecretClient  # only where Key Vault is used

            self._credential = self._credential or default_credential()
            # An emulator's certificate and token audience can't be a vault's (the Cosmos SDK does the same on loopback).
            remote = urlsplit(self._vault_url).hostname not in LOOPBACK
            self._client = SecretClient(
                self._vault_url,
                self._credential,
                verify_challenge_resource=remote,
                connection_verify=remote,
                retry_total=1,
                connection_timeout=2,
                read_timeout=5,
            )
        return self._client


def _error(exc: BaseException) -> SecretError:
    message = f"Key Vault: {reason(exc).splitlines()[0][:300]}"
    return SecretRefused(message) if getattr(exc, "status_code", None) == 403 else SecretsUnavailable(message)
