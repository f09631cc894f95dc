"""The edge: Front Door with a firewall before the gateway, on `twofold:edge waf`.

API Management keeps an address of its own and lets in only what has this Front Door's id (`X-Azure-FDID`), which Front Door
writes itself and a caller can't guess. Managed rules need the Premium tier.
"""

import pulumi
from pulumi_azure_native import cdn, frontdoor

from twofold.deploy.azure.account import Login
from twofold.deploy.azure.domain import Domain
from twofold.deploy.azure.names import unique
from twofold.deploy.azure.static import Static
from twofold.deploy.config import StackConfig
from twofold.deploy.static import PREFIX, Content

REQUESTS_PER_ADDRESS = 2_000
"""In five minutes; more are blocked until it is fewer."""
STORAGE_QUERY = rf"/{PREFIX}(/[^?]*)?\?(.*&)?(comp|restype|snapshot|versionid)="


class Edge(pulumi.ComponentResource):
    """Nothing with `twofold:edge none`. `id` is what Front Door shows its origin, a secret; None without an edge.

    With `twofold:domain` it answers to that name too, with `twofold:static` it serves those files under `/static/`.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], subscription: str, login: Login,
        content: Content | None, opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Edge", name, None, opts)
        self._name, self._group, self._subscription = f"{name}-edge", group, subscription
        self._child, self._config = pulumi.ResourceOptions(parent=self), config
        self._static: Static | None = None
        self._profile: cdn.Profile | None = None
        self.id: pulumi.Output[str] | None = None
        if config.edge == "waf":
            if content:
                self._static = Static(
                    name, config=config, content=content, group=group, subscription=subscription, login=login,
                    opts=self._child,
                )  # fmt: skip
            self._profile = cdn.Profile(
                self._name, profile_name=self._name, resource_group_name=group, location="Global",
                sku=cdn.SkuArgs(name=cdn.SkuName.PREMIUM_AZURE_FRONT_DOOR), origin_response_timeout_seconds=30,
                identity=_entering(self._static),
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["frontDoorId"]),
            )  # fmt: skip
            self.id = pulumi.Output.secret(self._profile.front_door_id)
        self.register_outputs({})

    def front(self, url: pulumi.Output[str]) -> pulumi.Output[str]:
        """The service's address: the edge's before `url`, or `url` itself without an edge."""
        if self._profile is None:
            return url
        name, group, profile, child = self._name, self._group, self._profile.name, self._child
        endpoint = cdn.AFDEndpoint(
            name, endpoint_name=unique(name, self._subscription, limit=46), profile_name=profile, resource_group_name=group,
            location="Global", enabled_state="Enabled", opts=child,
        )  # fmt: skip
        domain = None
        if self._config.domain:
            domain = Domain(
                f"{name}-domain", config=self._config, group=group, subscription=self._subscription, profile=self._profile,
                endpoint=endpoint, opts=child,
            ).domain  # fmt: skip
        names = [] if domain is None else [cdn.ActivatedResourceReferenceArgs(id=domain.id)]
        origins = cdn.AFDOriginGroup(
            name, origin_group_name="gateway", profile_name=profile, resource_group_name=group,
            load_balancing_settings=cdn.LoadBalancingSettingsParametersArgs(
                sample_size=4, successful_samples_required=3, additional_latency_in_milliseconds=50
            ),
            opts=child,
        )  # fmt: skip
        host = url.apply(lambda url: url.split("/")[2])
        origin = cdn.AFDOrigin(
            name, origin_name="gateway", origin_group_name=origins.name, profile_name=profile, resource_group_name=group,
            host_name=host, origin_host_header=host, http_port=80, https_port=443, priority=1, weight=1000,
            enforce_certificate_name_check=True, enabled_state="Enabled", opts=child,
        )  # fmt: skip
        route = cdn.Route(
            name, route_name="all", endpoint_name=endpoint.name, profile_name=profile, resource_group_name=group,
            origin_group=cdn.ResourceReferenceArgs(id=origins.id), patterns_to_match=["/*"], supported_protocols=["Https"],
            forwarding_protocol="HttpsOnly", https_redirect="Disabled", link_to_default_domain="Enabled",
            enabled_state="Enabled", custom_domains=names or None, opts=pulumi.ResourceOptions(parent=self, depends_on=[origin]),
        )  # fmt: skip
        if self._static:
            self._static.route(self._profile, endpoint, names)
        self._firewall([cdn.ActivatedResourceReferenceArgs(id=endpoint.id), *names])
        return pulumi.Output.all(self._config.domain or endpoint.host_name, route.id).apply(
            lambda ends: f"https://{ends[0]}"
        )

    def _firewall(self, domains: "list[cdn.ActivatedResourceReferenceArgs]") -> None:
        assert self._profile is not None
        rules = [("Microsoft_DefaultRuleSet", "2.1", "Block"), ("Microsoft_BotManagerRuleSet", "1.1", None)]
        firewall = frontdoor.Policy(
            self._name, policy_name=unique(self._name, self._subscription, limit=40, hyphens=False),
            resource_group_name=self._group, location="Global", sku=frontdoor.SkuArgs(name="Premium_AzureFrontDoor"),
            policy_settings=frontdoor.PolicySettingsArgs(
                enabled_state="Enabled", mode="Prevention", request_body_check="Enabled"
            ),
            managed_rules=frontdoor.ManagedRuleSetListArgs(
                managed_rule_sets=[
                    frontdoor.ManagedRuleSetArgs(rule_set_type=kind, rule_set_version=version, rule_set_action=action)
                    for kind, version, action in rules
                ]
            ),
            custom_rules=frontdoor.CustomRuleListArgs(
                rules=[
                    frontdoor.CustomRuleArgs(
                        name="rate", priority=1, rule_type="RateLimitRule", action="Block", enabled_state="Enabled",
                        rate_limit_threshold=REQUESTS_PER_ADDRESS, rate_limit_duration_in_minutes=5,
                        # It counts by address; this matches each.
                        match_conditions=[
                            frontdoor.MatchConditionArgs(
                                match_variable="RequestUri", operator="Contains", match_value=["/"]
                            )
                        ],
                    ),
                    *([_files_only()] if self._static else []),
                ]
            ),
            opts=self._child,
        )  # fmt: skip
        cdn.SecurityPolicy(
            self._name, security_policy_name="firewall", profile_name=self._profile.name,
            resource_group_name=self._group,
            parameters=cdn.SecurityPolicyWebApplicationFirewallParametersArgs(
                type="WebApplicationFirewall", waf_policy=cdn.ResourceReferenceArgs(id=firewall.id),
                associations=[
                    cdn.SecurityPolicyWebApplicationFirewallAssociationArgs(
                        domains=domains, patterns_to_match=["/*"]
                    )
                ],
            ),
            opts=self._child,
        )  # fmt: skip


def _entering(static: Static | None) -> "cdn.ManagedServiceIdentityArgs | None":
    if static is None:
        return None
    return cdn.ManagedServiceIdentityArgs(type="UserAssigned", user_assigned_identities=[static.identity.id])


def _files_only() -> "frontdoor.CustomRuleArgs":
    """Refuses what Storage would not take for a file: it gets the query too, and some words in it ask for a list, say."""
    return frontdoor.CustomRuleArgs(
        name="files", priority=2, rule_type="MatchRule", action="Block", enabled_state="Enabled",
        match_conditions=[
            frontdoor.MatchConditionArgs(
                match_variable="RequestUri", operator="RegEx", match_value=[STORAGE_QUERY], transforms=["Lowercase", "UrlDecode"]
            )
        ],
    )  # fmt: skip
