"""The service's own name on Front Door: a managed certificate, and the records in the zone that prove and lead."""

import pulumi
from pulumi_azure_native import Provider, cdn, dns

from twofold.deploy.config import StackConfig


class Domain(pulumi.ComponentResource):
    """The name `twofold:domain` on a Front Door endpoint. `domain` is what routes and the firewall are told.

    Front Door issues the certificate when it sees the record `_dnsauth`, and renews it by itself as long as the name is a CNAME of
    its endpoint: so a zone's own name, which can't be one, is refused (config_rules). The first certificate takes minutes to an
    hour, and `pulumi up` does not wait for it.
    """

    def __init__(
        self, name: str, *, config: StackConfig, group: pulumi.Input[str], subscription: str,
        profile: "cdn.Profile", endpoint: "cdn.AFDEndpoint", opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Domain", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self._zone = config.dns_zone.split("/")
        self._records = self._child
        if self._zone[2] != subscription:
            provider = Provider(f"{name}-zone", subscription_id=self._zone[2], opts=self._child)
            self._records = pulumi.ResourceOptions(parent=self, provider=provider)
        below = config.domain.removesuffix(f".{self._zone[8]}")
        self.domain = cdn.AFDCustomDomain(
            name, custom_domain_name=config.domain.replace(".", "-"), host_name=config.domain, profile_name=profile.name,
            resource_group_name=group, azure_dns_zone=cdn.ResourceReferenceArgs(id=config.dns_zone),
            tls_settings=cdn.AFDDomainHttpsParametersArgs(
                certificate_type=cdn.AfdCertificateType.MANAGED_CERTIFICATE,
                cipher_suite_set_type=cdn.AfdCipherSuiteSetType.TLS12_2023, minimum_tls_version=cdn.AfdMinimumTlsVersion.TLS12,
            ),
            opts=self._child,
        )  # fmt: skip
        token = self.domain.validation_properties.apply(lambda properties: properties.validation_token)
        self._record("TXT", f"_dnsauth.{below}", txt_records=[dns.TxtRecordArgs(value=[token])])
        self._record("CNAME", below, cname_record=dns.CnameRecordArgs(cname=endpoint.host_name))
        self.register_outputs({})

    def _record(
        self, kind: str, record: str, *, txt_records: "list[dns.TxtRecordArgs] | None" = None,
        cname_record: "dns.CnameRecordArgs | None" = None,
    ) -> None:  # fmt: skip
        dns.RecordSet(
            f"{self._name}-{kind.lower()}", relative_record_set_name=record, record_type=kind, zone_name=self._zone[8],
            resource_group_name=self._zone[4], ttl=3600, txt_records=txt_records, cname_record=cname_record,
            opts=self._records,
        )  # fmt: skip
