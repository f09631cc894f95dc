"""The process's one credential: managed identity on Azure, the developer's login elsewhere. No stored key."""

from typing import Any


def default_credential() -> Any:
    """An async credential of azure-identity; `AZURE_CLIENT_ID` names a user-assigned identity."""
    from azure.identity.aio import DefaultAzureCredential  # 1,600 million instructions: only where Azure is used

    return DefaultAzureCredential(exclude_interactive_browser_credential=True)
