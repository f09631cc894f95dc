"""The issuer before an update: what is no issuer is refused, what can't be found out is a warning, and so is all in a preview."""

import socket

import pytest
from pulumi import log, runtime

from api.manifest import SERVICE
from tests.stacks.stack import config
from twofold.deploy import issuer
from twofold.deploy.config import ConfigError, parse
from twofold.emulators.server import Answer, FakeServer


class Issuer(FakeServer):
    """Answers with `document`, whatever it is."""

    def __init__(self):
        super().__init__(tls=False)
        self.url = f"http://{self.host}".replace("localhost", "127.0.0.1")
        self.document = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def serve(self, method, path, query, headers, body):
        assert (method, path) == ("GET", "/.well-known/openid-configuration")
        return self.document if isinstance(self.document, Answer) else Answer(200, self.document)


@pytest.fixture
def server():
    served = Issuer()
    yield served
    served.close()


def test_an_issuer_that_describes_itself(server):
    check = issuer.look(server.url)
    assert check.fine and check.found == f"{server.url}/keys" and server.requests


@pytest.mark.parametrize(
    ("document", "needed", "message"),
    [
        (Answer(404), True, "answered 404"),
        (Answer(400, {"error": "invalid_tenant"}), True, "answered 400"),  # Entra, of a tenant that is none
        (Answer(410), True, "answered 410"),
        *(
            (Answer(status, None, {"Location": "https://elsewhere.example"}), False, f"answered {status}")
            for status in (301, 302, 307)
        ),
        (Answer(403), False, "answered 403"),
        (Answer(429), False, "answered 429"),
        (Answer(503), False, "answered 503"),
        (Answer(200, b"<html>"), False, "is no discovery document"),
        (Answer(200, []), True, "is no discovery document"),
        ({"issuer": "https://other", "jwks_uri": "https://other/keys"}, True, "it calls itself 'https://other'"),
        ({"jwks_uri": "https://other/keys"}, True, "it calls itself None"),
    ],
)
def test_only_an_explicit_answer_is_a_mistake(server, document, needed, message):
    server.document = document
    check = issuer.look(server.url)
    assert (check.fine, check.needed) == (False, needed) and message in check.found and check.command


def test_one_without_keys(server):
    del server.document["jwks_uri"]
    assert "names no jwks_uri" in issuer.look(server.url).found


def test_a_slash_at_the_end_is_another_name(server):
    check = issuer.look(f"{server.url}/")
    assert check.needed and "a slash at the end included" in check.command


def test_nobody_there():
    with socket.socket() as free:  # bound, and listens to nobody
        free.bind(("127.0.0.1", 0))
        check = issuer.look(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert (check.fine, check.needed) == (False, False) and "could not be asked" in check.found


@pytest.mark.parametrize("url", ["https://issuer.example.com", "https://example.org/realms/a"])
def test_a_placeholder_is_a_mistake_and_asked_nothing(url):
    check = issuer.look(url)
    assert (check.fine, check.needed) == (False, True) and "is a placeholder" in check.found
    assert "pulumi config set twofold:oidcIssuer" in check.command


def verified(monkeypatch, cloud, url, *, preview):
    warnings = []
    monkeypatch.setattr(log, "warn", warnings.append)
    monkeypatch.setattr(runtime, "is_dry_run", lambda: preview)
    issuer.verify(parse(config(cloud, oidcIssuer=url), f"dev-{cloud}", SERVICE))
    return warnings


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_a_preview_warns_and_an_update_refuses(monkeypatch, cloud):
    mistake, unknown = "https://issuer.example.com", "https://issuer.test"
    [warning] = verified(monkeypatch, cloud, mistake, preview=True)
    assert "is a placeholder" in warning
    with pytest.raises(ConfigError, match="is a placeholder") as refused:
        verified(monkeypatch, cloud, mistake, preview=False)
    assert "\n" not in str(refused.value) and str(refused.value) == warning
    for preview in (True, False):
        [warning] = verified(monkeypatch, cloud, unknown, preview=preview)
        assert "was not asked" in warning
