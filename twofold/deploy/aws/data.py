"""Tables: one per collection that the service uses."""

import pulumi
from pulumi_aws import dynamodb

from twofold.manifest import ServiceManifest


class Data(pulumi.ComponentResource):
    """DynamoDB tables `<prefix>-<collection>`, on demand, with point-in-time recovery; `events` has a stream.

    `url` is the store's URL, None when the service uses no store. Tables are named, so that no update renames them;
    with `protect` neither Pulumi nor AWS deletes them. `key` is a KMS key's ARN, else DynamoDB's own key encrypts them.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, region: str, protect: bool,
        key: str | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Data", name, None, opts)
        self.key = key
        self.tables: dict[str, dynamodb.Table] = {}
        for collection in manifest.store_collections:
            self.tables[collection] = dynamodb.Table(
                f"{name}-{collection}",
                name=f"{name}-{collection}",
                billing_mode="PAY_PER_REQUEST",
                hash_key="p",
                range_key="i",
                attributes=[
                    dynamodb.TableAttributeArgs(name="p", type="S"),
                    dynamodb.TableAttributeArgs(name="i", type="S"),
                ],
                ttl=dynamodb.TableTtlArgs(attribute_name="e", enabled=True),
                point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
                # False is DynamoDB's own key, which costs nothing; true without a key is the account's, whose uses KMS counts.
                server_side_encryption=dynamodb.TableServerSideEncryptionArgs(enabled=key is not None, kms_key_arn=key),
                deletion_protection_enabled=protect,
                stream_enabled=collection == "events",
                stream_view_type="NEW_IMAGE" if collection == "events" else None,
                opts=pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=protect),
            )
        self.url = f"dynamodb://{region}/{name}" if manifest.store_collections else None
        self.register_outputs({"url": self.url})
