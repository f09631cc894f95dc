"""The service's own name: its certificate, validated in the zone and renewed by ACM, and the records that lead to the service."""

import pulumi
from pulumi_aws import acm, apigatewayv2, cloudfront, route53

from twofold.deploy.config import StackConfig

# pulumi_aws loads a module at its first use: quoted where it would be used without a domain.
GLOBAL = "us-east-1"
"""Where CloudFront's certificates and firewalls live."""


class Domain(pulumi.ComponentResource):
    """Nothing without `twofold:domain`. `certificate` is the ARN of an issued certificate, None without a domain.

    It is known only once the certificate is issued: what waits for it keeps the service's former address until then.
    """

    def __init__(self, name: str, *, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twofold:aws:Domain", name, None, opts)
        self._name, self._config, self._child = f"{name}-domain", config, pulumi.ResourceOptions(parent=self)
        self.certificate: pulumi.Output[str] | None = None
        if config.domain:
            self.certificate = self._issued(GLOBAL if config.edge == "waf" else config.region)
        self.register_outputs({})

    @property
    def of_api(self) -> bool:
        """Whether the name leads to the API itself: there is one, and no edge before it."""
        return self.certificate is not None and self._config.edge == "none"

    @property
    def closes(self) -> pulumi.Output[bool] | None:
        """Whether the API's own address is closed: true as soon as the name has its certificate, None where it stays."""
        return self.certificate.apply(lambda _: True) if self.certificate is not None and self.of_api else None

    def api(self, stage: "apigatewayv2.Stage") -> pulumi.Output[str]:
        """Leads the name to an API's stage; returns the address."""
        assert self.certificate is not None
        domain = apigatewayv2.DomainName(
            self._name, domain_name=self._config.domain, opts=self._child,
            domain_name_configuration=apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=self.certificate, endpoint_type="REGIONAL", security_policy="TLS_1_2"
            ),
        )  # fmt: skip
        mapping = apigatewayv2.ApiMapping(
            self._name, api_id=stage.api_id, domain_name=domain.domain_name, stage=stage.name, opts=self._child
        )
        target = domain.domain_name_configuration
        record = self._record("A", target.target_domain_name, target.hosted_zone_id)  # it has no IPv6 address
        return pulumi.Output.all(mapping.id, record.id).apply(lambda _: f"https://{self._config.domain}")

    def distribution(self, distribution: "cloudfront.Distribution") -> pulumi.Output[str]:
        """Leads the name to a distribution that has the certificate; returns the address."""
        records = [
            self._record(kind, distribution.domain_name, distribution.hosted_zone_id).id for kind in ("A", "AAAA")
        ]
        return pulumi.Output.all(*records).apply(lambda _: f"https://{self._config.domain}")

    def _issued(self, region: str) -> pulumi.Output[str]:
        certificate = acm.Certificate(
            self._name, domain_name=self._config.domain, validation_method="DNS", region=region, opts=self._child
        )
        proof = certificate.domain_validation_options[0]
        # It stays: ACM looks for it at each renewal.
        record = route53.Record(
            f"{self._name}-proof", zone_id=self._config.dns_zone, name=proof.resource_record_name,
            type=proof.resource_record_type, records=[proof.resource_record_value], ttl=300, opts=self._child,
        )  # fmt: skip
        return acm.CertificateValidation(
            self._name, certificate_arn=certificate.arn, validation_record_fqdns=[record.fqdn], region=region,
            opts=self._child,
        ).certificate_arn  # fmt: skip

    def _record(self, kind: str, target: pulumi.Output[str], zone: pulumi.Output[str]) -> "route53.Record":
        alias = route53.RecordAliasArgs(name=target, zone_id=zone, evaluate_target_health=False)
        return route53.Record(
            f"{self._name}-{kind.lower()}", zone_id=self._config.dns_zone, name=self._config.domain, type=kind,
            aliases=[alias], opts=self._child,
        )  # fmt: skip
