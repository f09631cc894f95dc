"""Every config key, switched on: what both clouds have, and what one has."""

import json

from tests.engine.answers import SUBSCRIPTION

SHARED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shared/providers"
NETWORK = f"{SHARED}/Microsoft.Network"
ENCRYPTION = {
    "aws": {"encryptionKey": "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d"},
    "azure": {
        "encryptionKey": "https://company.vault.azure.net/keys/data",
        "encryptionIdentity": f"{SHARED}/Microsoft.ManagedIdentity/userAssignedIdentities/company",
    },
}
"""Azure's can't be had in a living stack: tests/stacks/test_encryption.py."""
BOTH = {
    "memoryMb": "2048",
    "corsOrigins": "https://shop.example, https://other.example:8443",
    "logLevel": "debug",
    "publisherEmail": "ops@shop.example",
    "cache": "redis",
    "limits": json.dumps({"reads": "60/minute", "anonymous": ""}),
    "oidcIssuer": "https://other.example",
    "oidcAudience": "other",
    "settings": json.dumps({"payment_url": "https://other.example"}),
    "tags": json.dumps({"team": "shop"}),
    "protect": "true",
    "gateway": "managed",
    "gatewayRate": "100",
    "edge": "waf",
    "network": "private",
    "static": "docs",
    "domain": "orders.example.com",
    "budget": "100",
    "alertEmail": "ops@shop.example",
    "alertWebhook": "https://chat.example/hook",
    "maxInstances": json.dumps({"http": 20, "worker": 5}),
    "warmInstances": json.dumps({"http": 1}),
    "releases": "3",
    "telemetry": "managed",
    "traceRatio": "0.1",
}
ON = {
    "azure": {
        "apimSku": "BasicV2",
        "gatewayAudience": "api://orders-gateway",
        "rollingUpdates": "true",
        "subnets": ",".join(f"{NETWORK}/virtualNetworks/company/subnets/{one}" for one in ("apps", "endpoints")),
        "dnsZone": f"{NETWORK}/dnsZones/example.com",
        "logWorkspace": f"{SHARED}/Microsoft.OperationalInsights/workspaces/company",
    },
    "aws": ENCRYPTION["aws"]
    | {
        "dnsZone": "Z0123456789ABC",
        "subnets": "subnet-0aaaaaaa0,subnet-0aaaaaaa1",
        "maxInstances": json.dumps({"http": 50, "worker": 4}),
        "warmInstances": json.dumps({"http": 2}),
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
        "snapStart": "false",
        "image": f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:{'5' * 64}",
    },
}


def everything(cloud):
    """All that a living stack of the cloud can be given."""
    return BOTH | ON[cloud]
