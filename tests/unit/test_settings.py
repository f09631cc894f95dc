"""Settings: every problem at once, and what a deployed service insists on."""

import pytest

from twofold.bootstrap import bootstrap
from twofold.errors import SettingsError
from twofold.manifest import QueueSpec, SecretSpec, ServiceManifest, SettingSpec
from twofold.settings import MARKER, Settings, marker, variable_names

SERVICE = ServiceManifest(
    "notes",
    app="x:y",
    blocks=frozenset({"documents"}),
    queues=(QueueSpec("mails", "x:y"),),
    secrets=(SecretSpec("api-key"),),
    settings=(SettingSpec("mail_url", "where mails go"),),
    publishes=("notes.made",),
)
DEPLOYED = {
    "TWOFOLD_ENVIRONMENT": "dev",
    "TWOFOLD_ROLE": "http",
    "TWOFOLD_STORE_URL": "dynamodb://eu-central-1/notes-dev",
    "TWOFOLD_QUEUE_URL": "sqs://eu-central-1/notes-dev",
    "TWOFOLD_EVENTS_URL": "eventbridge://eu-central-1/notes-dev",
    "TWOFOLD_SECRETS_URL": "secretsmanager://eu-central-1/notes-dev",
    "TWOFOLD_OIDC_ISSUER": "https://issuer.example",
    "TWOFOLD_OIDC_AUDIENCE": "notes",
    "TWOFOLD_APP_MAIL_URL": "https://mail.example",
}


def deployed(tmp_path):
    (tmp_path / MARKER).write_text(marker("notes", "0.1.0", "aws"))
    return tmp_path


def problems(environ, root):
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ, SERVICE, root)
    return caught.value.problems


def test_a_checkout_needs_no_settings(tmp_path):
    settings = Settings.load({"PATH": "/bin"}, SERVICE, tmp_path)
    assert (settings.environment, settings.deployed) == ("local", False)
    assert settings.store_url.startswith("sqlite:") and settings.app == {"mail_url": ""}


def test_every_problem_is_told_at_once(tmp_path):
    messages = problems(
        {
            "TWOFOLD_STORE": "x",
            "TWOFOLD_ROLE": "boss",
            "TWOFOLD_STORE_URL": "mysql://host/db",
            "TWOFOLD_SECRETS_URL": "keyvault://user:word@vault",
            "TWOFOLD_APP_OTHER": "1",
        },
        tmp_path,
    )
    assert len(messages) == 5
    text = "\n".join(messages)
    for variable in ("STORE is unknown", "TWOFOLD_ROLE", "mysql", "credential", "TWOFOLD_APP_OTHER is unknown"):
        assert variable in text
    assert "word" not in text


def test_test_endpoints_are_no_settings(tmp_path):
    assert Settings.load({"TWOFOLD_TEST_COSMOS": "https://x"}, SERVICE, tmp_path).environment == "local"


def test_a_deployed_service_takes_what_its_stack_gives(tmp_path):
    settings = Settings.load(DEPLOYED, SERVICE, deployed(tmp_path))
    assert settings.deployed and settings.app == {"mail_url": "https://mail.example"}
    optional = {"LOG_LEVEL", "CACHE_URL", "LIMIT_READS", "LIMIT_WRITES", "LIMIT_ANONYMOUS"}
    optional |= {
        "GATEWAY_ID",
        "EDGE_DIGEST",
        "FORWARDED_HOPS",
        "CORS_ORIGINS",
        "TELEMETRY_URL",
        "METRICS_URL",
        "TRACE_RATIO",
    }
    assert set(DEPLOYED) | {f"TWOFOLD_{name}" for name in optional} == set(variable_names(SERVICE))


@pytest.mark.parametrize("missing", sorted(DEPLOYED))
def test_a_deployed_service_refuses_to_start_without(missing, tmp_path):
    environ = {key: value for key, value in DEPLOYED.items() if key != missing}
    assert any(missing in problem for problem in problems(environ, deployed(tmp_path)))


def test_a_deployed_service_refuses_an_emulator_and_a_plain_issuer(tmp_path):
    environ = DEPLOYED | {
        "TWOFOLD_STORE_URL": "dynamodb://eu-central-1/notes?endpoint=http://127.0.0.1:1",
        "TWOFOLD_OIDC_ISSUER": "http://issuer.example",
    }
    messages = problems(environ, deployed(tmp_path))
    assert len(messages) == 2 and "options" in messages[0] and "https" in messages[1]


@pytest.mark.parametrize("audience", ["", ",", " , "])
def test_who_names_an_issuer_says_for_whom_its_tokens_are(audience, tmp_path):
    environ = {"TWOFOLD_OIDC_ISSUER": "https://issuer.example", "TWOFOLD_OIDC_AUDIENCE": audience}
    [problem] = problems(environ, tmp_path)
    assert "TWOFOLD_OIDC_AUDIENCE is missing" in problem
    assert any("TWOFOLD_OIDC_AUDIENCE is missing" in one for one in problems(DEPLOYED | environ, deployed(tmp_path)))


def test_a_deployed_service_never_takes_a_checkouts_tokens(tmp_path):
    manifest = ServiceManifest("open", app="x:y", scopes=("x",))
    assert bootstrap(Settings(), manifest).tokens is not None
    with pytest.raises(SettingsError, match="TWOFOLD_OIDC_ISSUER"):
        bootstrap(Settings(deployed=True), manifest)
    with pytest.raises(SettingsError, match="TWOFOLD_DEPLOYED is unknown"):
        Settings.load({"TWOFOLD_DEPLOYED": "false"}, manifest, deployed(tmp_path))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://cache.internal:6379", "without login and TLS"),
        ("memcached://cache", "its scheme must be one of azureredis, elasticache, memory, redis"),
        ("azureredis://user:word@cache", "credential"),
    ],
)
def test_a_deployed_service_refuses_an_open_or_unknown_cache(url, message, tmp_path):
    messages = problems(DEPLOYED | {"TWOFOLD_CACHE_URL": url}, deployed(tmp_path))
    assert (
        len(messages) == 1
        and "TWOFOLD_CACHE_URL" in messages[0]
        and message in messages[0]
        and "word" not in messages[0]
    )


@pytest.mark.parametrize(
    "url",
    [
        "memory:",
        "azureredis://c.westeurope.redis.azure.net:10000",
        "elasticache://c.cache.amazonaws.com/eu-central-1/c/u",
    ],
)
def test_a_deployed_service_takes_a_cache(url, tmp_path):
    assert Settings.load(DEPLOYED | {"TWOFOLD_CACHE_URL": url}, SERVICE, deployed(tmp_path)).cache_url == url
