"""A Key Vault key of the customer's (`twofold:encryptionKey`), used by a managed identity of theirs (`twofold:encryptionIdentity`).

Cosmos DB and the storage accounts are encrypted with it; a new version of the key is taken up by itself. Azure decides on it when
an account is made: Cosmos DB never gives it up again, and an account's queues take it from the start or not at all. So a living
stack can't switch it on or off (`twofold.deploy.protection`).
"""

from dataclasses import dataclass
from typing import Any

from pulumi_azure_native import storage

from twofold.deploy.config import StackConfig


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """The key's URL without its version, and the identity's resource id."""

    url: str
    identity: str


def customer_key(config: StackConfig) -> CustomerKey | None:
    """The stack's key, None without one."""
    return CustomerKey(config.encryption_key, config.encryption_identity) if config.encryption_key else None


def account(key: CustomerKey | None) -> dict[str, Any]:
    """What a storage account says about its key, as arguments; nothing without one."""
    if key is None:
        return {}
    vault, _, name = key.url.partition("/keys/")
    scope = storage.EncryptionServiceArgs(key_type="Account")  # a key of the service's own can't be the customer's
    return {
        "identity": storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[key.identity]),
        "encryption": storage.EncryptionArgs(
            key_source="Microsoft.Keyvault",
            encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=key.identity),
            key_vault_properties=storage.KeyVaultPropertiesArgs(key_name=name, key_vault_uri=vault),
            services=storage.EncryptionServicesArgs(queue=scope, table=scope),
        ),
    }
