"""The edge: CloudFront with a firewall before the gateway, on `twofold:edge waf`.

An HTTP API keeps an address of its own, so CloudFront adds a header with a random value, and the service refuses what lacks it
(`twofold.http.edge`). The value is in CloudFront's config and, encrypted, in the state; the service has its SHA-256 alone.
"""

import hashlib

import pulumi
import pulumi_random
from pulumi_aws import cloudfront, cloudwatch, wafv2

from twofold.deploy.aws.domain import GLOBAL, Domain
from twofold.deploy.aws.static import Static
from twofold.deploy.config import StackConfig
from twofold.deploy.static import Content
from twofold.settings import EDGE_HEADER

RULE_GROUPS = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
)
COUNTED = {
    "AWSManagedRulesCommonRuleSet": (
        "NoUserAgent_HEADER", "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "SizeRestrictions_URIPATH",
    ),
}  # fmt: skip
"""Rules of a group that count instead of blocking, since they refuse what the service takes: callers that don't name themselves,
bodies of more than 8,192 bytes, queries of 2,048, paths of 1,024. The service has limits of its own for these."""
REQUESTS_PER_ADDRESS = 2_000
"""In five minutes; more are blocked until it is fewer."""
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""CloudFront's own policies: nothing is cached; every header, cookie and query goes on, `Host` excepted."""


class Edge(pulumi.ComponentResource):
    """Nothing with `twofold:edge none`. `digest` is the SHA-256 of the header's value, None without an edge.

    With `twofold:domain` it answers to that name, with `twofold:static` it serves those files under `/static/`.
    """

    def __init__(
        self, name: str, *, config: StackConfig, domain: Domain, content: Content | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:aws:Edge", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self._config, self._domain, self._content = config, domain, content
        self._secret: pulumi.Output[str] | None = None
        self.digest: pulumi.Output[str] | None = None
        if config.edge == "waf":
            random = pulumi_random.RandomPassword(f"{name}-edge", length=48, special=False, opts=self._child)
            self._secret = pulumi.Output.secret(random.result)
            # Of 48 random characters nothing can be told from it.
            self.digest = pulumi.Output.unsecret(
                random.result.apply(lambda value: hashlib.sha256(value.encode()).hexdigest())
            )
        self.register_outputs({})

    def front(self, url: pulumi.Output[str]) -> pulumi.Output[str]:
        """The service's address: the edge's before `url`, or `url` itself without an edge."""
        if self._secret is None:
            return url
        firewall = self._firewall()
        static = Static(self._name, content=self._content, opts=self._child) if self._content else None
        certificate = self._domain.certificate
        distribution = cloudfront.Distribution(
            f"{self._name}-edge", comment=self._name, enabled=True, is_ipv6_enabled=True, http_version="http2and3",
            web_acl_id=firewall.arn, aliases=None if certificate is None else [self._config.domain],
            origins=[
                cloudfront.DistributionOriginArgs(
                    origin_id="gateway", domain_name=url.apply(lambda url: url.split("/")[2]),
                    custom_origin_config=cloudfront.DistributionOriginCustomOriginConfigArgs(
                        http_port=80, https_port=443, origin_protocol_policy="https-only", origin_ssl_protocols=["TLSv1.2"],
                        origin_read_timeout=30,
                    ),
                    custom_headers=[
                        cloudfront.DistributionOriginCustomHeaderArgs(name=EDGE_HEADER, value=self._secret)
                    ],
                ),
                *([static.origin] if static else []),
            ],
            ordered_cache_behaviors=[static.behavior] if static else None,
            default_cache_behavior=cloudfront.DistributionDefaultCacheBehaviorArgs(
                target_origin_id="gateway", viewer_protocol_policy="https-only", compress=True,
                allowed_methods=["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"], cached_methods=["GET", "HEAD"],
                cache_policy_id=CACHING_DISABLED, origin_request_policy_id=ALL_BUT_HOST,
            ),
            restrictions=cloudfront.DistributionRestrictionsArgs(
                geo_restriction=cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none")
            ),
            viewer_certificate=_certificate(certificate),
            opts=self._child,
        )  # fmt: skip
        if static:
            static.read_by(distribution)
        if certificate is not None:
            return self._domain.distribution(distribution)
        return pulumi.Output.concat("https://", distribution.domain_name)

    def _firewall(self) -> "wafv2.WebAcl":
        name = f"{self._name}-edge"
        rules = [
            wafv2.WebAclRuleArgs(
                name=group, priority=priority, visibility_config=_visible(group),
                override_action=wafv2.WebAclRuleOverrideActionArgs(
                    none=wafv2.WebAclRuleOverrideActionNoneArgs()  # type: ignore[no-untyped-call]
                ),
                statement=wafv2.WebAclRuleStatementArgs(
                    managed_rule_group_statement=wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                        vendor_name="AWS", name=group,
                        rule_action_overrides=[_counts(rule) for rule in COUNTED.get(group, ())] or None,
                    )
                ),
            )
            for priority, group in enumerate(RULE_GROUPS, 1)
        ]  # fmt: skip
        rules.append(
            wafv2.WebAclRuleArgs(
                name="rate", priority=0, visibility_config=_visible("rate"),
                action=wafv2.WebAclRuleActionArgs(block=wafv2.WebAclRuleActionBlockArgs()),
                statement=wafv2.WebAclRuleStatementArgs(
                    rate_based_statement=wafv2.WebAclRuleStatementRateBasedStatementArgs(
                        limit=REQUESTS_PER_ADDRESS, evaluation_window_sec=300, aggregate_key_type="IP"
                    )
                ),
            )
        )  # fmt: skip
        firewall = wafv2.WebAcl(
            name, name=name, region=GLOBAL, scope="CLOUDFRONT", rules=rules,
            visibility_config=wafv2.WebAclVisibilityConfigArgs(
                metric_name=name, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
            ),
            default_action=wafv2.WebAclDefaultActionArgs(allow=wafv2.WebAclDefaultActionAllowArgs()), opts=self._child,
        )  # fmt: skip
        # The service asks for names that begin so.
        logs = cloudwatch.LogGroup(
            name, name=f"aws-waf-logs-{name}", region=GLOBAL, retention_in_days=30, opts=self._child
        )
        wafv2.WebAclLoggingConfiguration(
            name, region=GLOBAL, resource_arn=firewall.arn, log_destination_configs=[logs.arn],
            redacted_fields=[
                wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                    single_header=wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name="authorization")
                )
            ],
            opts=self._child,
        )  # fmt: skip
        return firewall


def _certificate(issued: pulumi.Output[str] | None) -> "cloudfront.DistributionViewerCertificateArgs":
    if issued is None:  # on CloudFront's own name a minimum of TLS 1.2 can't be had
        return cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
    return cloudfront.DistributionViewerCertificateArgs(
        acm_certificate_arn=issued, ssl_support_method="sni-only", minimum_protocol_version="TLSv1.2_2021"
    )


def _counts(rule: str) -> "wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs":
    return wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
        name=rule,
        action_to_use=wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
            count=wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
        ),
    )


def _visible(metric: str) -> "wafv2.WebAclRuleVisibilityConfigArgs":
    return wafv2.WebAclRuleVisibilityConfigArgs(
        metric_name=metric, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
    )
