"""Queues with their twins, in a storage account of their own; the event topic, where the service publishes."""

import pulumi
from pulumi_azure_native import authorization, eventgrid, storage

from twofold.deploy.azure.encryption import CustomerKey, account
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network, public_access
from twofold.deploy.azure.secrets import role
from twofold.manifest import ServiceManifest, Unit
from twofold.portable.message_queue import dead_letter_name

SENDER = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
"""Storage Queue Data Message Sender."""
EVENT_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
"""EventGrid Data Sender."""
CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
"""Storage Queue Data Contributor."""


class Messaging(pulumi.ComponentResource):
    """Storage queues `<service>-<queue>`, and an Event Grid topic. `url` and `events_url` are theirs, None without any.

    Each has a dead-letter twin, which is also where the Functions host puts a message whose worker dies again and again.
    In a network both have private addresses alone.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, group: pulumi.Input[str], location: str, subscription: str,
        protect: bool, network: Network | None = None, key: CustomerKey | None = None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Messaging", name, None, opts)
        self._subscription = subscription
        self.account: storage.StorageAccount | None = None
        self.url: pulumi.Output[str] | None = None
        self._queues: dict[str, storage.Queue] = {}
        self._dead: dict[str, storage.Queue] = {}
        if manifest.queues:
            protected = pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=protect)
            self.account = storage.StorageAccount(
                f"{name}-queues", account_name=unique(f"{name}-queues", subscription, limit=24, hyphens=False),
                resource_group_name=group, location=location, kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"),
                allow_shared_key_access=False, allow_blob_public_access=False, minimum_tls_version="TLS1_2",
                enable_https_traffic_only=True, public_network_access=public_access(network),
                network_rule_set=storage.NetworkRuleSetArgs(
                    default_action=storage.DefaultAction.ALLOW if public_access(network) == "Enabled"
                    else storage.DefaultAction.DENY,
                    bypass="AzureServices",
                ),
                opts=protected, **account(key),
            )  # fmt: skip
            if network is not None:
                network.endpoint(f"{name}-queues", self.account.id, "queue")
            for spec in manifest.queues:
                for queue, queues in ((spec.name, self._queues), (dead_letter_name(spec.name), self._dead)):
                    queues[spec.name] = storage.Queue(
                        f"{name}-{queue}", account_name=self.account.name, resource_group_name=group,
                        queue_name=f"{manifest.name}-{queue}", opts=protected,
                    )  # fmt: skip
            self.url = pulumi.Output.format(
                "storagequeue://{0}.queue.core.windows.net/{1}", self.account.name, manifest.name
            )
        self.topic: eventgrid.Topic | None = None
        self.events_url: pulumi.Output[str] | None = None
        if manifest.publishes:
            self.topic = eventgrid.Topic(
                name, topic_name=unique(name, subscription, limit=50), resource_group_name=group, location=location,
                input_schema="CloudEventSchemaV1_0", disable_local_auth=True, minimum_tls_version_allowed="1.2",
                public_network_access=public_access(network), opts=pulumi.ResourceOptions(parent=self),
            )  # fmt: skip
            if network is not None:
                network.endpoint(name, self.topic.id, "topic")
            self.events_url = self.topic.endpoint.apply(lambda endpoint: f"eventgrid://{endpoint.split('/')[2]}")
        self.register_outputs({"url": self.url})

    def allow(self, name: str, unit: Unit, principal: pulumi.Input[str]) -> list[pulumi.Resource]:
        """What a unit may do: any may send and publish; its own queues alone it may work off, and bury what it can't."""
        own = {spec.name for spec in unit.queues}
        assignments: list[pulumi.Resource] = []
        if self.topic is not None:
            assignments.append(
                authorization.RoleAssignment(
                    f"{name}-events", principal_id=principal, principal_type="ServicePrincipal", scope=self.topic.id,
                    role_definition_id=role(self._subscription, EVENT_SENDER), opts=pulumi.ResourceOptions(parent=self),
                )
            )  # fmt: skip
        granted = [(spec, twin, CONTRIBUTOR if spec in own else SENDER) for spec, twin in self._queues.items()]
        granted += [(dead_letter_name(spec), twin, SENDER) for spec, twin in self._dead.items() if spec in own]
        for queue, twin, definition in granted:
            assignments.append(
                authorization.RoleAssignment(
                    f"{name}-{queue}", principal_id=principal, principal_type="ServicePrincipal", scope=twin.id,
                    role_definition_id=role(self._subscription, definition), opts=pulumi.ResourceOptions(parent=self),
                )
            )  # fmt: skip
        return assignments
