"""Units: one Flex Consumption app each, with its own plan and identity, all from one artifact."""

import pulumi
from pulumi_azure_native import authorization, managedidentity, storage, web

from twofold.deploy.azure.access import Access
from twofold.deploy.azure.cache import Cache
from twofold.deploy.azure.code import Code
from twofold.deploy.azure.data import Data
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.secrets import Secrets, role
from twofold.deploy.azure.traces import Traces
from twofold.deploy.config import StackConfig
from twofold.deploy.contract import environment
from twofold.deploy.package import Artifact
from twofold.manifest import ServiceManifest, Unit

BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
"""Storage Blob Data Owner: what the host needs for its leases and its deployment container."""
FLEX_MEMORY = {512: 512, 1024: 2048, 2048: 2048, 4096: 4096}
"""Flex Consumption has instances of 512, 2,048 and 4,096 MB."""


class Compute(pulumi.ComponentResource):
    """The service's units. `apps` has each unit's app by role.

    Identities are user-assigned: they have their roles before the app starts, so that its first start already works.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, artifact: Artifact, data: Data,
        secrets: Secrets, messaging: Messaging, cache: Cache, traces: Traces, access: Access,
        group: pulumi.Input[str], subscription: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Compute", name, None, opts)
        self._name, self._manifest, self._config, self._artifact = name, manifest, config, artifact
        self._data, self._secrets, self._messaging = data, secrets, messaging
        self._cache, self._traces, self._access = cache, traces, access
        self._group, self._subscription = group, subscription
        self._child = pulumi.ResourceOptions(parent=self)
        self._account = storage.StorageAccount(
            name, account_name=unique(name, subscription, limit=24, hyphens=False), resource_group_name=group,
            location=config.region, kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"),
            allow_shared_key_access=False, allow_blob_public_access=False, minimum_tls_version="TLS1_2",
            enable_https_traffic_only=True, opts=self._child,
        )  # fmt: skip
        self.apps = {unit.role: self._unit(unit) for unit in manifest.units}
        self.register_outputs({})

    def _unit(self, unit: Unit) -> web.WebApp:
        name = f"{self._name}-{unit.role}"
        app_name = unique(name, self._subscription, limit=60)
        container = storage.BlobContainer(
            name,
            container_name=unit.role,
            account_name=self._account.name,
            resource_group_name=self._group,
            opts=self._child,
        )
        identity = managedidentity.UserAssignedIdentity(
            name, resource_name_=name, resource_group_name=self._group, location=self._config.region, opts=self._child
        )
        allowed = [
            authorization.RoleAssignment(
                f"{name}-storage", principal_id=identity.principal_id, principal_type="ServicePrincipal",
                scope=self._account.id, role_definition_id=role(self._subscription, BLOB_OWNER), opts=self._child,
            ),
            *self._data.allow(name, identity.principal_id),
            *self._secrets.allow(name, identity.principal_id),
            *self._messaging.allow(name, unit, identity.principal_id),
            *self._cache.allow(name, unit, identity.principal_id),
            *self._traces.allow(name, identity.principal_id),
        ]  # fmt: skip
        plan = web.AppServicePlan(
            name, name=name, resource_group_name=self._group, location=self._config.region, reserved=True,
            kind="functionapp", sku=web.SkuDescriptionArgs(name="FC1", tier="FlexConsumption"), opts=self._child,
        )  # fmt: skip
        variables = {**self._host_variables(identity), **self._traces.variables, **environment(
            self._manifest, self._config, unit.role, store_url=self._data.url, queue_url=self._messaging.url,
            events_url=self._messaging.events_url, secrets_url=self._secrets.url, cache_url=self._cache.url,
            telemetry_url=self._traces.url,
            gateway_id=self._access.principal, forwarded_hops=1 if self._config.gateway == "none" else 2,
        )}  # fmt: skip
        app = web.WebApp(
            name, name=app_name, resource_group_name=self._group, location=self._config.region,
            kind="functionapp,linux", server_farm_id=plan.id, https_only=True,
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            function_app_config=web.FunctionAppConfigArgs(
                deployment=web.FunctionsDeploymentArgs(
                    storage=web.FunctionsDeploymentStorageArgs(
                        type="blobContainer",
                        value=pulumi.Output.concat("https://", self._account.name, ".blob.core.windows.net/", container.name),
                        authentication=web.FunctionsDeploymentStorageAuthenticationArgs(
                            type="UserAssignedIdentity", user_assigned_identity_resource_id=identity.id
                        ),
                    )
                ),
                runtime=web.FunctionsRuntimeArgs(name="python", version="3.13"),
                scale_and_concurrency=web.FunctionsScaleAndConcurrencyArgs(
                    maximum_instance_count=100, instance_memory_mb=FLEX_MEMORY[self._config.memory_mb]
                ),
            ),
            site_config=web.SiteConfigArgs(
                min_tls_version="1.2", scm_min_tls_version="1.2", ftps_state="Disabled", http20_enabled=True,
                # A unit that answers no requests is called by its triggers alone, which come from inside.
                ip_security_restrictions_default_action="Allow" if unit.role == "http" else "Deny",
                scm_ip_security_restrictions_default_action="Allow",
                app_settings=[web.NameValuePairArgs(name=key, value=variables[key]) for key in sorted(variables)],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=allowed),
        )  # fmt: skip
        # Closed before it has code.
        closed = self._access.close(name, app) if unit.role == "http" else []
        Code(
            f"{name}-code", app=app.name, path=str(self._artifact.path), digest=self._artifact.digest,
            opts=pulumi.ResourceOptions(parent=self, depends_on=closed, ignore_changes=["path"]),
        )  # fmt: skip
        return app

    def _host_variables(self, identity: managedidentity.UserAssignedIdentity) -> dict[str, pulumi.Input[str]]:
        """What the Functions host itself reads: its storage and its triggers' connections, all by identity."""
        variables: dict[str, pulumi.Input[str]] = {
            "AZURE_CLIENT_ID": identity.client_id,
            "AzureWebJobsStorage__accountName": self._account.name,
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": identity.client_id,
        }
        if self._data.account is not None and self._manifest.reads_feed:
            variables |= {
                "COSMOS__accountEndpoint": self._data.account.document_endpoint,
                "COSMOS__credential": "managedidentity",
                "COSMOS__clientId": identity.client_id,
            }
        if self._messaging.account is not None:
            variables |= {
                "QUEUES__queueServiceUri": pulumi.Output.format(
                    "https://{0}.queue.core.windows.net", self._messaging.account.name
                ),
                "QUEUES__credential": "managedidentity",
                "QUEUES__clientId": identity.client_id,
            }
        return variables
