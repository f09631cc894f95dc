"""Redaction: planted secrets, ids and people in whatever form they come in a log or a config."""

from datetime import date

import pytest

from twofold.cli import redact

GUID = "0a1b2c3d-0000-4111-8222-333344445555"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjLTEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "planted"),
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
        (r'said: "{\"password\": \"planted it\", \"n\": 1}"', "planted it"),
        (r'said: "{\\\"password\\\": \\\"planted it\\\"}"', "planted it"),
        (r'{"password": "a\"planted", "x": 1}', "planted"),
        (r"{\"password\": \"a\\\"planted it\"}", "planted it"),
        ('{"password": "cut off, planted', "planted"),
        ("run --client-secret planted --env dev", "planted"),
        ("run --password 'planted it' --env dev", "planted it"),
        ("posts to https://hooks.slack.com/services/T024/B024/pLaNtEd0 failed", "pLaNtEd0"),
        ("posts to https://shop.webhook.office.com/webhookb2/planted failed", "planted"),
        ("posts to https://discord.com/api/webhooks/1/planted failed", "planted"),
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
        ("client [2001:db8:0:1::77]:443 was refused", "2001:db8"),
        ("client 2001:db8:85a3:0:0:8a2e:370:7334 was refused", "8a2e"),
        ("from fe80::1ff:fe23:4567:890a%eth0", "fe23"),
        ("File /home/jane/service/api/app.py", "jane"),
        ("C:\\Users\\jane\\service", "jane"),
    ],
)
def test_it_is_taken_out(text, planted):
    assert planted in text and planted not in redact.text(text)


def test_ids_can_still_be_told_apart():
    other = GUID.replace("0a1b", "ffff")
    assert redact.text(f"{GUID} {other} {GUID}") == "0a1b… ffff… 0a1b…"
    assert redact.text("arn:aws:iam::123456789012:role/x") == "arn:aws:iam::…9012:role/x"
    assert redact.value({"twofold:account": 123456789012, "n": 1234, "on": True}) == {
        "twofold:account": "…9012", "n": 1234, "on": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "aws:lambda/function:Function orders-dev-http",
        "error: 1 error occurred: creating Lambda Function (orders-dev-http): AccessDeniedException: not authorized",
        "urn:pulumi:dev-aws::orders::twofold:aws:Compute$aws:lambda/function:Function::orders-dev-http",
        "https://orders-dev.execute-api.eu-central-1.amazonaws.com/health/ready answered 503",
        "azure-native:authorization:RoleAssignment orders-dev-http-secrets",
        "aws:secretsmanager/secret:Secret orders-dev-payment-api-key",
        "/subscriptions/x/resourceGroups/orders-dev/providers/Microsoft.Web/sites/orders-dev-http-1a2b3c4d",
        "2026-11-28T12:00:00Z twofold 0.1.0, python 3.13.5",
        "std::vector, dead::beef and 12:00:00",
        "twofold secret set payment-api-key",
    ],
)
def test_what_helps_stays(text):
    assert redact.text(text) == text


def test_what_follows_a_secret_stays():
    assert redact.text(r"{\"password\": \"x\", \"n\": \"1\"}") == r"{\"password\": <secret>, \"n\": \"1\"}"
    assert redact.text('{"password": "x", "n": "1"}') == '{"password": <secret>, "n": "1"}'
    assert redact.text("run --client-secret x --env dev") == "run --client-secret <secret> --env dev"


def test_a_value_that_is_no_json_is_a_text():
    assert redact.value([date(2026, 11, 28), None, 1.5]) == ["2026-11-28", None, 1.5]


def test_a_secrets_name_takes_its_value_out_whole():
    value = redact.value({"twofold:externalId": "x1", "a": [{"clientSecret": {"k": 1}, "n": 2}], "token": ""})
    assert value == {"twofold:externalId": redact.SECRET, "a": [{"clientSecret": redact.SECRET, "n": 2}], "token": ""}


def test_the_environments_own_secrets_are_known_wherever_they_stand():
    known = redact.secrets_of({"PULUMI_CONFIG_PASSPHRASE": "open sesame", "PATH": "/usr/bin", "X_TOKEN": "ab"})
    assert redact.text("it said open sesame in /usr/bin about ab", known) == "it said <secret> in /usr/bin about ab"


def test_so_are_those_of_a_stacks_file():
    config = {"twofold:externalId": 12345678, "twofold:region": "eu-central-1", "own:apiKey": {"secure": "v1:x"}}
    assert redact.secrets_of(config) == {"12345678"}
