"""Static files behind the edge: a private bucket that this stack's distribution alone reads."""

import pulumi
from pulumi_aws import cloudfront, s3

from twofold.deploy.aws.policies import policy
from twofold.deploy.static import PREFIX, SECURITY_HEADERS, Content

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""CloudFront's own policy: as long as the file says, compressed, without headers, cookies or query."""


class Static(pulumi.ComponentResource):
    """The bucket with its files; `origin` and `behavior` are what the distribution has of it.

    The bucket's name is made by AWS. It answers signed requests of one distribution over TLS and nobody else's.
    """

    def __init__(self, name: str, *, content: Content, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twofold:aws:Static", name, None, opts)
        self._name, self._child = f"{name}-static", pulumi.ResourceOptions(parent=self)
        bucket = s3.Bucket(self._name, bucket_prefix=f"{name[:29]}-static-", opts=self._child)
        self._bucket = bucket
        self._closed = s3.BucketPublicAccessBlock(
            self._name, bucket=bucket.id, block_public_acls=True, block_public_policy=True, ignore_public_acls=True,
            restrict_public_buckets=True, opts=self._child,
        )  # fmt: skip
        for file in content.files:
            s3.BucketObjectv2(
                f"{self._name}/{file.name}", bucket=bucket.id, key=f"{PREFIX}/{file.name}",
                source=pulumi.FileAsset(str(content.folder / file.name)), source_hash=file.digest,
                content_type=file.content_type, cache_control=file.cache_control,
                # An object has ten tags at most, a stack as many as one likes.
                override_provider=s3.BucketObjectv2OverrideProviderArgs(
                    default_tags=s3.BucketObjectv2OverrideProviderDefaultTagsArgs(tags={})
                ),
                opts=self._child,
            )  # fmt: skip
        access = cloudfront.OriginAccessControl(
            self._name, name=self._name, origin_access_control_origin_type="s3", signing_behavior="always",
            signing_protocol="sigv4", opts=self._child,
        )  # fmt: skip
        self.origin = cloudfront.DistributionOriginArgs(
            origin_id="static", domain_name=bucket.bucket_regional_domain_name, origin_access_control_id=access.id
        )
        self.behavior = cloudfront.DistributionOrderedCacheBehaviorArgs(
            path_pattern=f"/{PREFIX}/*", target_origin_id="static", viewer_protocol_policy="https-only", compress=True,
            allowed_methods=["GET", "HEAD"], cached_methods=["GET", "HEAD"], cache_policy_id=CACHING_OPTIMIZED,
            response_headers_policy_id=self._headers().id,
        )  # fmt: skip
        self.register_outputs({})

    def read_by(self, distribution: "cloudfront.Distribution") -> None:
        """Lets the distribution read, and nobody else. It may list too: so a file that is missing is 404 and not 403."""
        resources = pulumi.Output.all(bucket=self._bucket.arn, distribution=distribution.arn)
        s3.BucketPolicy(
            self._name, bucket=self._bucket.id, policy=resources.apply(lambda arns: policy(*_statements(**arns))),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._closed]),
        )  # fmt: skip

    def _headers(self) -> "cloudfront.ResponseHeadersPolicy":
        headers = dict(SECURITY_HEADERS)
        assert headers.pop("x-content-type-options") == "nosniff"
        known = cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs(
            content_type_options=cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs(
                override=True
            ),
            frame_options=cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs(
                frame_option=headers.pop("x-frame-options"), override=True
            ),
            referrer_policy=cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs(
                referrer_policy=headers.pop("referrer-policy"), override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs(
                access_control_max_age_sec=int(headers.pop("strict-transport-security").removeprefix("max-age=")),
                override=True,
            ),
            content_security_policy=cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs(
                content_security_policy=headers.pop("content-security-policy"), override=True
            ),
        )
        # The rest has no place of its own there.
        others = [
            cloudfront.ResponseHeadersPolicyCustomHeadersConfigItemArgs(header=name, value=value, override=True)
            for name, value in headers.items()
        ]
        return cloudfront.ResponseHeadersPolicy(
            self._name, name=self._name, security_headers_config=known, opts=self._child,
            custom_headers_config=cloudfront.ResponseHeadersPolicyCustomHeadersConfigArgs(items=others),
        )  # fmt: skip


def _statements(bucket: str, distribution: str) -> list[dict[str, object]]:
    def allow(action: str, resource: str) -> dict[str, object]:
        return {
            "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": action, "Resource": resource,
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
        }  # fmt: skip

    tls: dict[str, object] = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    return [allow("s3:GetObject", f"{bucket}/{PREFIX}/*"), allow("s3:ListBucket", bucket), tls]
