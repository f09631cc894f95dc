"""Static files behind the edge: a blob container that this Front Door's identity alone reads, and its route."""

import pulumi
from pulumi_azure_native import authorization, cdn, managedidentity, storage

from twofold.deploy.azure.account import Login
from twofold.deploy.azure.blobs import Blobs
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.secrets import role
from twofold.deploy.azure.writer import Writer
from twofold.deploy.config import StackConfig
from twofold.deploy.static import COMPRESSED, PREFIX, SECURITY_HEADERS, Content

READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
"""Storage Blob Data Reader."""
STORAGE_VERSION = "2021-12-02"
"""Of the protocol. A request that names none is taken for one from before there were tokens."""
ACTIONS = 5
"""As many may a rule have."""


class Static(pulumi.ComponentResource):
    """A storage account with one container, `static`. Without keys or anonymous reading, it lets in two: who deploys, to write,
    and `identity`, with which Front Door reads.
    """

    def __init__(
        self, name: str, *, config: StackConfig, content: Content, group: pulumi.Input[str], subscription: str, login: Login,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Static", name, None, opts)
        self._name, self._group = f"{name}-static", group
        self._child = pulumi.ResourceOptions(parent=self)
        self.identity = managedidentity.UserAssignedIdentity(
            self._name, resource_name_=self._name, resource_group_name=group, location=config.region, opts=self._child
        )
        self._account = storage.StorageAccount(
            self._name, account_name=unique(self._name, subscription, limit=24, hyphens=False), resource_group_name=group,
            location=config.region, kind="StorageV2", sku=storage.SkuArgs(name="Standard_LRS"), allow_shared_key_access=False,
            allow_blob_public_access=False, minimum_tls_version="TLS1_2", enable_https_traffic_only=True, opts=self._child,
        )  # fmt: skip
        container = storage.BlobContainer(
            self._name,
            container_name=PREFIX,
            account_name=self._account.name,
            resource_group_name=group,
            opts=self._child,
        )
        self._reads = authorization.RoleAssignment(
            f"{self._name}-reader", principal_id=self.identity.principal_id, principal_type="ServicePrincipal",
            scope=container.id, role_definition_id=role(subscription, READER), opts=self._child,
        )  # fmt: skip
        writer = Writer(f"{self._name}-deployer", container=container.id, config=config, login=login, parent=self)
        self._files = Blobs(
            self._name, account=self._account.name, container=container.name, content=content,
            writer=writer.principal, opts=pulumi.ResourceOptions(parent=self, depends_on=[writer.assignment]),
        )  # fmt: skip
        self.register_outputs({})

    def route(
        self, profile: "cdn.Profile", endpoint: "cdn.AFDEndpoint", domains: "list[cdn.ActivatedResourceReferenceArgs]"
    ) -> "cdn.Route":
        """Front Door's way to the files. A request's path is the blob's, since the container has the path's first part as name."""
        origins = cdn.AFDOriginGroup(
            self._name, origin_group_name="static", profile_name=profile.name, resource_group_name=self._group,
            authentication=cdn.OriginAuthenticationPropertiesArgs(
                type=cdn.OriginAuthenticationType.USER_ASSIGNED_IDENTITY, scope="https://storage.azure.com/.default",
                user_assigned_identity=cdn.ResourceReferenceArgs(id=self.identity.id),
            ),
            # Authentication wants a probe by HTTPS. Of one origin its answer changes nothing.
            health_probe_settings=cdn.HealthProbeParametersArgs(
                probe_protocol=cdn.ProbeProtocol.HTTPS, probe_request_type=cdn.HealthProbeRequestType.HEAD,
                probe_path=f"/{PREFIX}/", probe_interval_in_seconds=255,
            ),
            load_balancing_settings=cdn.LoadBalancingSettingsParametersArgs(
                sample_size=4, successful_samples_required=3, additional_latency_in_milliseconds=50
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[profile, self._reads]),
        )  # fmt: skip
        host = pulumi.Output.concat(self._account.name, ".blob.core.windows.net")
        origin = cdn.AFDOrigin(
            self._name, origin_name="static", origin_group_name=origins.name, profile_name=profile.name,
            resource_group_name=self._group, host_name=host, origin_host_header=host, http_port=80, https_port=443,
            priority=1, weight=1000, enforce_certificate_name_check=True, enabled_state="Enabled", opts=self._child,
        )  # fmt: skip
        rules = self._rules(profile)
        return cdn.Route(
            self._name, route_name="static", endpoint_name=endpoint.name, profile_name=profile.name,
            resource_group_name=self._group, origin_group=cdn.ResourceReferenceArgs(id=origins.id),
            patterns_to_match=[f"/{PREFIX}/*"], supported_protocols=["Https"], forwarding_protocol="HttpsOnly",
            https_redirect="Disabled", link_to_default_domain="Enabled", enabled_state="Enabled", custom_domains=domains,
            rule_sets=[cdn.ResourceReferenceArgs(id=rules.id)],
            # By the whole URL: the query goes to Storage too, where some words in it ask for something else than the file.
            cache_configuration=cdn.AfdRouteCacheConfigurationArgs(
                query_string_caching_behavior="UseQueryString",
                compression_settings=cdn.CompressionSettingsArgs(
                    is_compression_enabled=True, content_types_to_compress=list(COMPRESSED)
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[origin, self._files]),
        )  # fmt: skip

    def _rules(self, profile: "cdn.Profile") -> "cdn.RuleSet":
        rules = cdn.RuleSet(
            self._name,
            rule_set_name="static",
            profile_name=profile.name,
            resource_group_name=self._group,
            opts=self._child,
        )
        actions: list[cdn.DeliveryRuleRequestHeaderActionArgs | cdn.DeliveryRuleResponseHeaderActionArgs] = [
            cdn.DeliveryRuleRequestHeaderActionArgs(
                name="ModifyRequestHeader", parameters=_overwrite("x-ms-version", STORAGE_VERSION)
            ),
            *(
                cdn.DeliveryRuleResponseHeaderActionArgs(
                    name="ModifyResponseHeader", parameters=_overwrite(header, value)
                )
                for header, value in SECURITY_HEADERS.items()
            ),
        ]
        for order, start in enumerate(range(0, len(actions), ACTIONS)):
            cdn.Rule(
                f"{self._name}-{order}", rule_name=f"headers{order}", rule_set_name=rules.name, profile_name=profile.name,
                resource_group_name=self._group, order=order, conditions=[], actions=actions[start : start + ACTIONS],
                match_processing_behavior="Continue", opts=self._child,
            )  # fmt: skip
        return rules


def _overwrite(header: str, value: str) -> "cdn.HeaderActionParametersArgs":
    return cdn.HeaderActionParametersArgs(
        header_action="Overwrite", header_name=header, value=value, type_name="DeliveryRuleHeaderActionParameters"
    )
