"""Traces to X-Ray: its OTLP endpoint takes them as a collector does, each request signed (SigV4) with the unit's role.

No layer and no agent beside the function. The endpoint wants CloudWatch Transaction Search, switched on once for an account.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twofold.portable.otlp import OtlpExporter


def from_url(url: str) -> OtlpExporter:
    """The exporter of `xray://<region>[?endpoint=http://…]`; looks for credentials at the first use."""
    parts = urlsplit(url)
    region = parts.hostname or ""
    endpoint = parse_qs(parts.query).get("endpoint", [f"https://xray.{region}.amazonaws.com"])[0]
    return OtlpExporter(f"{endpoint}/v1/traces", _Signature(region).headers)


class _Signature:
    def __init__(self, region: str) -> None:
        self._region = region
        self._credentials: Any = None

    def headers(self, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        from botocore.auth import SigV4Auth  # in the exporting thread, and only where X-Ray is used
        from botocore.awsrequest import AWSRequest
        from botocore.session import Session

        self._credentials = self._credentials or Session().get_credentials()
        request = AWSRequest("POST", url, data=body, headers=dict(headers))
        SigV4Auth(self._credentials, "xray", self._region).add_auth(request)
        return dict(request.headers.items())
