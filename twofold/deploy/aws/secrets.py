"""Secrets: named here, given their values outside the program, so that none is in code, config or state."""

import pulumi
from pulumi_aws import secretsmanager

from twofold.manifest import ServiceManifest


class Secrets(pulumi.ComponentResource):
    """Secrets Manager secrets `<prefix>/<name>` without a value. `url` is the vault's URL, None without secrets.

    With `protect` a deleted secret can be restored for 30 days, and its name is taken as long; without, it is gone at once.
    `key` is a KMS key's ARN, else the account's own key for secrets encrypts them.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, region: str, protect: bool,
        key: str | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Secrets", name, None, opts)
        self.secrets = [
            secretsmanager.Secret(
                f"{name}-{spec.name}",
                name=f"{name}/{spec.name}",
                description=spec.description,
                kms_key_id=key,
                recovery_window_in_days=30 if protect else 0,
                opts=pulumi.ResourceOptions(parent=self, protect=protect),
            )
            for spec in manifest.secrets
        ]
        self.url = f"secretsmanager://{region}/{name}" if self.secrets else None
        self.register_outputs({"url": self.url})
