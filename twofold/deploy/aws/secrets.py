"""Secrets: named here, given their values outside the program, so that none is in code, config or state."""

import pulumi
from pulumi_aws import secretsmanager

from twofold.manifest import ServiceManifest


class Secrets(pulumi.ComponentResource):
    """Secrets Manager secrets `<prefix>/<name>` without a value. `url` is the vault's URL, None without secrets."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, region: str, protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Secrets", name, None, opts)
        self.secrets = [
            secretsmanager.Secret(
                f"{name}-{spec.name}",
                name=f"{name}/{spec.name}",
                description=spec.description,
                recovery_window_in_days=30 if protect else 7,
                opts=pulumi.ResourceOptions(parent=self, protect=protect),
            )
            for spec in manifest.secrets
        ]
        self.url = f"secretsmanager://{region}/{name}" if self.secrets else None
        self.register_outputs({"url": self.url})
