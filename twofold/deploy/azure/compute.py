"""Units: one Flex Consumption app each, with its own plan and identity, all from one artifact; or containers of one image."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_azure_native import authorization, managedidentity, storage, web

from twofold.deploy.azure.access import Access, without_passwords
from twofold.deploy.azure.account import Login
from twofold.deploy.azure.cache import Cache
from twofold.deploy.azure.code import Code
from twofold.deploy.azure.data import Data
from twofold.deploy.azure.encryption import account, customer_key
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.network import Network
from twofold.deploy.azure.packages import Packages
from twofold.deploy.azure.propagation import Known
from twofold.deploy.azure.release import Release
from twofold.deploy.azure.secrets import Secrets, role
from twofold.deploy.azure.traces import Traces
from twofold.deploy.azure.writer import Writer
from twofold.deploy.config import OUTDATED, ConfigError, StackConfig
from twofold.deploy.contract import environment
from twofold.deploy.package import Artifact
from twofold.manifest import ServiceManifest, Unit
from twofold.settings import release

if TYPE_CHECKING:
    from pulumi_azure_native import app as apps

BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
"""Storage Blob Data Owner: the least that Microsoft names for the host, for leases, timers and its keys."""
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
"""Storage Table Data Contributor: where the host writes why it does not start."""
MAX_INSTANCES = 100
"""Unless `twofold:maxInstances` says otherwise; Flex Consumption's own default."""
CONCURRENCY = {512: 4, 2048: 16, 4096: 32}
"""Requests at a time on an instance. Python's default is 1, for functions that block; this service awaits."""
FLEX_MEMORY = {512: 512, 1024: 2048, 2048: 2048, 4096: 4096}
"""Flex Consumption has instances of 512, 2,048 and 4,096 MB."""


class Compute(pulumi.ComponentResource):
    """The service's units. `apps` has each unit's app by role, `units` its resource id, `host` the http unit's address.

    `release` names what the http unit runs now, `releases_url` is the container of the last artifacts; `logs` has the sources
    of the units' logs, and the category of each; `log_source` is the http unit's.
    Identities are user-assigned: they have their roles before the app starts, so that its first start already works.
    """

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, artifact: Artifact, data: Data,
        secrets: Secrets, messaging: Messaging, cache: Cache, traces: Traces, access: Access,
        group: pulumi.Input[str], subscription: str, login: Login,
        network: Network | None = None,
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
            enable_https_traffic_only=True, opts=self._child, **account(customer_key(config)),
        )  # fmt: skip
        self._network = network
        if (config.network == "private" and network is None) or (config.encryption_key and data.key is None):
            raise ConfigError(OUTDATED.format("azure"))
        if network is not None:
            network.endpoint(name, self._account.id, "blob")
        self._codes: list[pulumi.Resource] = []
        self._packages: Packages | None = None
        self._containers = None
        if not config.image:
            self._packages = Packages(
                name, config=config, group=group, subscription=subscription, network=network, parent=self
            )
        else:
            from twofold.deploy.azure.containers import Containers  # their SDK only where they are used

            self._containers = Containers(
                name, manifest=manifest, config=config, access=access, messaging=messaging, group=group,
                subscription=subscription, parent=self,
            )  # fmt: skip
        self.release: pulumi.Output[str] = pulumi.Output.from_input("")
        self.host: pulumi.Output[str] = pulumi.Output.from_input("")
        self.apps = {unit.role: self._unit(unit) for unit in manifest.units}
        self.units = {role: app.id for role, app in self.apps.items()}
        self.releases_url = self._keep(self._packages, login) if self._packages else pulumi.Output.from_input("")
        self.logs: Mapping[str, tuple[pulumi.Input[str], str]] = {
            role: (app.id, "FunctionAppLogs") for role, app in self.apps.items()
        }
        if self._containers:
            self.logs = {"containers": (self._containers.environment.id, "ContainerAppConsoleLogs")}
        self.log_source = self.logs["containers" if self._containers else "http"][0]
        self.register_outputs({})

    def _keep(self, packages: Packages, login: Login) -> pulumi.Output[str]:
        """Keeps the artifact once every unit has it."""
        name = f"{self._name}-releases"
        url, container = packages.releases()
        writer = Writer(name, container=container, config=self._config, login=login, parent=self)
        Release(
            name, url=url, path=str(self._artifact.path), digest=self._artifact.digest, count=self._config.releases,
            writer=writer.principal, opts=pulumi.ResourceOptions(parent=self, depends_on=[writer.assignment, *self._codes]),
        )  # fmt: skip
        return url

    def _unit(self, unit: Unit) -> "web.WebApp | apps.ContainerApp":
        name = f"{self._name}-{unit.role}"
        identity = managedidentity.UserAssignedIdentity(
            name, resource_name_=name, resource_group_name=self._group, location=self._config.region, opts=self._child
        )
        known = self._known(name, identity)
        allowed = [
            *self._allow(name, identity.principal_id),
            *self._data.allow(name, identity.principal_id, known),
            *self._secrets.allow(name, identity.principal_id),
            *self._messaging.allow(name, unit, identity.principal_id),
            *self._cache.allow(name, unit, identity.principal_id, known),
            *self._traces.allow(name, identity.principal_id),
        ]  # fmt: skip
        own = environment(
            self._manifest, self._config, unit.role, store_url=self._data.url, queue_url=self._messaging.url,
            events_url=self._messaging.events_url, secrets_url=self._secrets.url, cache_url=self._cache.url,
            telemetry_url=self._traces.url, metrics_url=self._traces.metrics_url,
            gateway_id=self._access.principal, forwarded_hops=1 if self._config.gateway == "none" else 2,
        )  # fmt: skip
        if unit.role == "http":
            runs = self._config.image or self._artifact.marker()
            self.release = pulumi.Output.all(**own).apply(lambda known: release(runs, known))
        variables = {**self._host_variables(name, identity), **self._traces.variables, **own}
        if self._containers:
            short = unique(name, self._subscription, limit=32)
            container = self._containers.unit(
                name, short, unit, identity=identity, variables=variables, allowed=allowed
            )
            if unit.role == "http":
                self.host = container.configuration.apply(_address)
            return container
        assert self._packages is not None  # an image's units are containers, above
        package, writes = self._packages.unit(name, unit.role, identity.principal_id)
        return self._function_app(name, unit, identity, variables, package, [*allowed, writes])

    def _allow(self, name: str, principal: pulumi.Input[str]) -> list[pulumi.Resource]:
        """What the host needs of its account. Its queues are none: each trigger's are in the account of the stack's queues."""
        return [
            authorization.RoleAssignment(
                f"{name}-{kind}", principal_id=principal, principal_type="ServicePrincipal", scope=self._account.id,
                role_definition_id=role(self._subscription, definition), opts=self._child,
            )
            for kind, definition in (("storage", BLOB_OWNER), ("diagnostics", TABLE_CONTRIBUTOR))
        ]  # fmt: skip

    def _function_app(
        self, name: str, unit: Unit, identity: managedidentity.UserAssignedIdentity,
        variables: Mapping[str, pulumi.Input[str]], package: pulumi.Output[str], allowed: Sequence[pulumi.Resource],
    ) -> web.WebApp:  # fmt: skip
        plan = web.AppServicePlan(
            name, name=name, resource_group_name=self._group, location=self._config.region, reserved=True,
            kind="functionapp", sku=web.SkuDescriptionArgs(name="FC1", tier="FlexConsumption"), opts=self._child,
        )  # fmt: skip
        app = web.WebApp(
            name, name=unique(name, self._subscription, limit=60), resource_group_name=self._group, location=self._config.region,
            kind="functionapp,linux", server_farm_id=plan.id, https_only=True,
            virtual_network_subnet_id=self._network.apps_subnet if self._network else None,
            identity=web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            function_app_config=web.FunctionAppConfigArgs(
                deployment=web.FunctionsDeploymentArgs(
                    storage=web.FunctionsDeploymentStorageArgs(
                        type="blobContainer", value=package,
                        authentication=web.FunctionsDeploymentStorageAuthenticationArgs(
                            type="UserAssignedIdentity", user_assigned_identity_resource_id=identity.id
                        ),
                    )
                ),
                runtime=web.FunctionsRuntimeArgs(name="python", version="3.13"),
                scale_and_concurrency=self._scale(unit),
                site_update_strategy=web.FunctionsSiteUpdateStrategyArgs(
                    type="RollingUpdate" if self._config.rolling_updates else "Recreate"
                ),
            ),
            site_config=web.SiteConfigArgs(
                min_tls_version="1.2", scm_min_tls_version="1.2", ftps_state="Disabled", http20_enabled=True,
                # A unit that answers no requests is called by its triggers alone, which come from inside.
                ip_security_restrictions_default_action="Allow" if unit.role == "http" else "Deny",
                scm_ip_security_restrictions_default_action="Allow",
                app_settings=[web.NameValuePairArgs(name=key, value=variables[key]) for key in sorted(variables)],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*allowed, *(self._network.endpoints if self._network else [])]),
        )  # fmt: skip
        if unit.role == "http":
            self.host = app.default_host_name
        # Closed before it has code.
        closed = without_passwords(name, app, self._group, self)
        if unit.role == "http":
            closed += self._access.close(name, app, closed)
        code = Code(
            f"{name}-code", app=app.name, site=app.id, container=package, functions=functions(self._manifest, unit),
            path=str(self._artifact.path), digest=self._artifact.digest,
            opts=pulumi.ResourceOptions(parent=self, depends_on=closed),
        )  # fmt: skip
        self._codes.append(code)
        return app

    def _scale(self, unit: Unit) -> web.FunctionsScaleAndConcurrencyArgs:
        memory, warm = FLEX_MEMORY[self._config.memory_mb], self._config.warm_instances.get(unit.role)
        http = web.FunctionsScaleAndConcurrencyTriggersHttpArgs(per_instance_concurrency=CONCURRENCY[memory])
        return web.FunctionsScaleAndConcurrencyArgs(
            maximum_instance_count=self._config.max_instances.get(unit.role, MAX_INSTANCES), instance_memory_mb=memory,
            always_ready=[
                web.FunctionsAlwaysReadyConfigArgs(name=group, instance_count=warm)
                for group in scale_groups(self._manifest, unit) if warm
            ],
            triggers=web.FunctionsScaleAndConcurrencyTriggersArgs(http=http) if unit.role == "http" else None,
        )  # fmt: skip

    def _known(self, name: str, identity: managedidentity.UserAssignedIdentity) -> list[pulumi.Resource]:
        """What a service waits for that looks an identity up in the directory; nothing where there is none."""
        if self._data.account is None and self._cache.cluster is None:
            return []
        return [Known(f"{name}-known", principal=identity.principal_id, opts=self._child)]

    def _host_variables(
        self, name: str, identity: managedidentity.UserAssignedIdentity
    ) -> dict[str, pulumi.Input[str]]:
        """What the Functions host itself reads: its storage and its triggers' connections, all by identity."""
        variables: dict[str, pulumi.Input[str]] = {
            # Else the first 32 characters of the app's name, which all units of a long prefix share, and of a container its own:
            # hosts of one id in one storage account share locks and timers (azure-functions-host#2015).
            "AzureFunctionsWebHost__hostid": unique(name, self._subscription, limit=32),
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


def _address(configuration: Any) -> str:
    return str(configuration.ingress.fqdn)


def functions(manifest: ServiceManifest, unit: Unit) -> list[str]:
    """A unit's functions, by their names in the door."""
    if unit.role == "http":
        return ["http"]
    names: Mapping[str, list[str]] = {"feed": ["feed"], "schedule": [spec.name for spec in manifest.schedules]}
    own = names.get(unit.role) or [f"queue_{spec.name}" for spec in unit.queues]
    return [name.replace("-", "_") for name in own]


def scale_groups(manifest: ServiceManifest, unit: Unit) -> list[str]:
    """What of a unit scales by itself: its HTTP functions together, every other function alone."""
    return ["http"] if unit.role == "http" else [f"function:{name}" for name in functions(manifest, unit)]
