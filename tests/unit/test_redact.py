"""Redaction: planted secrets, ids and people in whatever form they come in a log or a config."""

import pytest

from twofold.cli import redact

GUID = "0a1b2c3d-0000-4111-8222-333344445555"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjLTEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("given", "planted"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"got {JWT} from the issuer", "eyJzdWIi"),
        ("AccountName=x;AccountKey=cGxhbnRlZA==;EndpointSuffix=core.windows.net", "cGxhbnRlZA"),
        ("Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=planted+/=", "planted"),
        (f"InstrumentationKey={GUID};IngestionEndpoint=https://x/", "0000-4111"),
        ("https://x.blob.core.windows.net/c?sv=2024&sig=pl%2Fanted&se=1", "pl%2Fanted"),
        ("redis://user:planted@host:6380", "planted"),
        ("postgres://planted@db/x", "planted"),
        ("client_secret=planted&grant_type=x", "planted"),
        ('{"password": "planted secret", "x": 1}', "planted secret"),
        ("{'apiKey': 'planted'}", "planted"),
        ("PAYMENT_API_KEY=planted", "planted"),
        ("aws_secret_access_key = planted/Secret0123456789", "planted/"),
        ("key AKIAIOSFODNN7EXAMPLE is not valid", "IOSFODNN7"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "K7MDENG"),
        ("-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\nrest", "planted"),
        ("-----BEGIN RSA PRIVATE KEY-----\nplanted, cut off", "planted"),
        ("Set-Cookie: session=planted", "planted"),
        ("Basic cGxhbnRlZA==", "cGxhbnRlZA"),
        (f"/subscriptions/{GUID}/resourceGroups/orders-dev", "333344445555"),
        (f"/SUBSCRIPTIONS/{GUID.upper()}/", "333344445555"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:x", "123456789012"),
        ("mail to jane.doe@shop.example failed", "jane"),
        ("client 203.0.113.77 was refused", "203.0"),
        ("File /home/jane/service/api/app.py", "jane"),
        ("C:\\Users\\jane\\service", "jane"),
    ],
)
def test_it_is_taken_out(given, planted):
    assert planted in given and planted not in redact.text(given)


def test_ids_can_still_be_told_apart():
    other = GUID.replace("0a1b", "ffff")
    assert redact.text(f"{GUID} {other} {GUID}") == "0a1b… ffff… 0a1b…"
    assert redact.text("arn:aws:iam::123456789012:role/x") == "arn:aws:iam::…9012:role/x"


@pytest.mark.parametrize(
    "given",
    [
        "aws:lambda/function:Function orders-dev-http",
        "error: 1 error occurred: creating Lambda Function (orders-dev-http): AccessDeniedException: not authorized",
        "urn:pulumi:dev-aws::orders::twofold:aws:Compute$aws:lambda/function:Function::orders-dev-http",
        "https://orders-dev.execute-api.eu-central-1.amazonaws.com/health/ready answered 503",
        "azure-native:authorization:RoleAssignment orders-dev-http-secrets",
        "aws:secretsmanager/secret:Secret orders-dev-payment-api-key",
        "/subscriptions/x/resourceGroups/orders-dev/providers/Microsoft.Web/sites/orders-dev-http-1a2b3c4d",
        "2026-11-28T12:00:00Z twofold 0.1.0, python 3.13.5",
    ],
)
def test_what_helps_stays(given):
    assert redact.text(given) == given


def test_a_secrets_name_takes_its_value_out_whole():
    found = redact.value({"twofold:externalId": "x1", "a": [{"clientSecret": {"k": 1}, "n": 2}], "token": ""})
    assert found == {"twofold:externalId": redact.SECRET, "a": [{"clientSecret": redact.SECRET, "n": 2}], "token": ""}


def test_the_environments_own_secrets_are_known_wherever_they_stand():
    known = redact.secrets_of({"PULUMI_CONFIG_PASSPHRASE": "open sesame", "PATH": "/usr/bin", "X_TOKEN": "ab"})
    assert redact.text("it said open sesame in /usr/bin about ab", known) == "it said <secret> in /usr/bin about ab"
