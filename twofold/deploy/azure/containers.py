"""A unit as a container: what `twofold:image` runs in. Flex Consumption takes no containers, Container Apps do, and scale to zero.

An app of its own for each unit, with the same identity, roles and variables as the zip's; the image is the Functions host with
the service in it. The apps are plain ones with scale rules of ours, not of kind `functionapp`: the rules that the platform
derives from the triggers fail for user-assigned identities and leave timers out (docs/design/azure.md).
"""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import app, authorization, managedidentity

from twofold.deploy.azure.access import ISSUER, Access
from twofold.deploy.azure.messaging import Messaging
from twofold.deploy.azure.propagation import Effective
from twofold.deploy.azure.secrets import role
from twofold.deploy.config import StackConfig
from twofold.manifest import ServiceManifest, Unit

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
"""AcrPull."""
SIZES = {512: (0.25, "0.5Gi"), 1024: (0.5, "1Gi"), 2048: (1.0, "2Gi"), 4096: (2.0, "4Gi")}
"""What the Consumption profile makes of a size in MB: processors and memory go together."""
PORT = 80
"""Where the Functions host listens in Microsoft's base image."""
REQUESTS = 16
MESSAGES = 16
"""How many wait for one replica: as many as the host works on at a time (`host.json`)."""
CRON_MINUTES, COOLDOWN_MINUTES = 2, 5
"""How long a schedule asks for its replica, and how long Container Apps keeps it after that. What was due before it came up
runs then: the host's timers keep the time of their last run in its storage."""


class Containers:
    """The environment of a service's containers; `unit` adds one. `environment` has their logs."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, config: StackConfig, access: Access, messaging: Messaging,
        group: pulumi.Input[str], subscription: str, parent: pulumi.Resource,
    ) -> None:  # fmt: skip
        self._manifest, self._config, self._access, self._messaging = manifest, config, access, messaging
        self._group, self._subscription, self._child = group, subscription, pulumi.ResourceOptions(parent=parent)
        self.environment = app.ManagedEnvironment(
            name, environment_name=name, resource_group_name=group, location=config.region,
            # To where the stack's diagnostic setting says: Log Analytics directly would want its key.
            app_logs_configuration=app.AppLogsConfigurationArgs(destination="azure-monitor"),
            workload_profiles=[app.WorkloadProfileArgs(name="Consumption", workload_profile_type="Consumption")],
            opts=self._child,
        )  # fmt: skip

    def unit(
        self, name: str, app_name: str, unit: Unit, *, identity: managedidentity.UserAssignedIdentity,
        variables: Mapping[str, pulumi.Input[str]], allowed: Sequence[pulumi.Resource],
    ) -> app.ContainerApp:  # fmt: skip
        """The unit's app; the http unit's is closed to all but the gateway, the others have no address at all."""
        config, server = self._config, self._config.image.partition("/")[0]
        pull = authorization.RoleAssignment(
            f"{name}-image", principal_id=identity.principal_id, principal_type="ServicePrincipal", scope=config.registry,
            role_definition_id=role(self._subscription, ACR_PULL), opts=self._child,
        )  # fmt: skip
        # A revision that may not pull its image yet fails.
        pulls = Effective(f"{name}-image", assignment=pull.id, since=pull.created_on, opts=self._child)
        cpu, memory = SIZES[config.memory_mb]
        warm = config.warm_instances.get(unit.role, 0)
        ingress = app.IngressArgs(external=True, target_port=PORT, transport="auto", allow_insecure=False)
        container = app.ContainerApp(
            name, container_app_name=app_name, resource_group_name=self._group, location=config.region,
            environment_id=self.environment.id, workload_profile_name="Consumption",
            identity=app.ManagedServiceIdentityArgs(
                type=app.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            configuration=app.ConfigurationArgs(
                active_revisions_mode="Single", ingress=ingress if unit.role == "http" else None,
                registries=[app.RegistryCredentialsArgs(server=server, identity=identity.id)],
            ),
            template=app.TemplateArgs(
                containers=[
                    app.ContainerArgs(
                        name="unit", image=config.image, resources=app.ContainerResourcesArgs(cpu=cpu, memory=memory),
                        env=[app.EnvironmentVarArgs(name=key, value=variables[key]) for key in sorted(variables)],
                    )
                ],
                scale=app.ScaleArgs(
                    min_replicas=max(warm, 0 if self._sleeps(unit) else 1),
                    max_replicas=config.max_instances.get(unit.role, 100), rules=self._rules(unit, identity),
                ),
            ),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[*allowed, pulls])),
        )  # fmt: skip
        if unit.role == "http":
            self._close(name, container)
        return container

    def _sleeps(self, unit: Unit) -> bool:
        """Whether the unit can scale to zero: the change feed wakes nobody (KEDA has no scaler for it built in), and a schedule
        that comes as often as a replica is kept would never let it go."""
        often = any(spec.every_minutes <= CRON_MINUTES + COOLDOWN_MINUTES for spec in self._manifest.schedules)
        return unit.role != "feed" and not (unit.role == "schedule" and often)

    def _rules(self, unit: Unit, identity: managedidentity.UserAssignedIdentity) -> list[app.ScaleRuleArgs]:
        if unit.role == "http":
            metadata = {"concurrentRequests": str(REQUESTS)}
            return [app.ScaleRuleArgs(name="requests", http=app.HttpScaleRuleArgs(metadata=metadata))]
        if unit.role == "schedule":
            return [
                app.ScaleRuleArgs(
                    name=spec.name,
                    custom=app.CustomScaleRuleArgs(type="cron", metadata={
                        "timezone": "Etc/UTC", "desiredReplicas": "1", **window(spec.every_minutes)
                    }),
                )
                for spec in self._manifest.schedules if self._sleeps(unit)
            ]  # fmt: skip
        account = self._messaging.account
        return [
            app.ScaleRuleArgs(
                name=spec.name,
                azure_queue=app.QueueScaleRuleArgs(
                    account_name=account.name if account else None, queue_name=f"{self._manifest.name}-{spec.name}",
                    queue_length=MESSAGES, identity=identity.id,
                ),
            )
            for spec in unit.queues
        ]  # fmt: skip

    def _close(self, name: str, container: app.ContainerApp) -> None:
        """As `Access.close` closes an app of Functions: the same rules, spelled for Container Apps."""
        access = self._access
        if access.principal is None:
            return
        directory = app.AzureActiveDirectoryArgs(
            enabled=True,
            registration=app.AzureActiveDirectoryRegistrationArgs(
                client_id=access.identity.client_id if access.identity else access.principal,
                open_id_issuer=ISSUER.format(access.tenant),
            ),
            validation=app.AzureActiveDirectoryValidationArgs(
                allowed_audiences=[self._config.gateway_audience],
                default_authorization_policy=app.DefaultAuthorizationPolicyArgs(
                    allowed_principals=app.AllowedPrincipalsArgs(identities=[access.principal])
                ),
            ),
        )
        app.ContainerAppsAuthConfig(
            name, auth_config_name="current", container_app_name=container.name, resource_group_name=self._group,
            platform=app.AuthPlatformArgs(enabled=True),
            global_validation=app.GlobalValidationArgs(
                unauthenticated_client_action=app.UnauthenticatedClientActionV2.RETURN401
            ),
            identity_providers=app.IdentityProvidersArgs(azure_active_directory=directory),
            http_settings=app.HttpSettingsArgs(require_https=True),
            login=app.LoginArgs(token_store=app.TokenStoreArgs(enabled=False)), opts=self._child,
        )  # fmt: skip


def window(minutes: int) -> dict[str, str]:
    """Every so many minutes of the hour, for CRON_MINUTES: as KEDA's cron scaler is told."""
    if minutes == 60:
        return {"start": "0 * * * *", "end": f"{CRON_MINUTES} * * * *"}
    return {"start": f"*/{minutes} * * * *", "end": f"{CRON_MINUTES}-59/{minutes} * * * *"}
