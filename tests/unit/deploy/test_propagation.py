"""What Azure takes a while to know is waited for: an identity in the directory, a role until it works."""

from datetime import UTC, datetime, timedelta

import pytest

from twofold.deploy.azure.propagation import EFFECTIVE_SECONDS, known, left
from twofold.deploy.config import ConfigError
from twofold.deploy.retry import Retry
from twofold.emulators.server import Answer, FakeServer

PRINCIPAL = "11111111-0000-0000-0000-000000000001"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Graph(FakeServer):
    """Microsoft Graph with one service principal, read by logins that may."""

    def __init__(self):
        super().__init__(tls=False)

    def serve(self, method, path, query, headers, body):
        if headers.get("Authorization") != "Bearer for https://graph.microsoft.com/.default":
            raise Answer(401, {"error": {"code": "InvalidAuthenticationToken"}})
        if (method, path) == ("GET", f"/v1.0/servicePrincipals/{PRINCIPAL}"):
            return Answer(200, {"id": PRINCIPAL})
        raise Answer(404, {"error": {"code": "Request_ResourceNotFound"}})


@pytest.fixture
def graph():
    server = Graph()
    yield server
    server.close()


def seen(graph, principal=PRINCIPAL, seconds=30.0, bearer=lambda scope: f"for {scope}"):
    return known(principal, bearer, Retry(seconds, 0.01), graph=f"http://{graph.host}")


@pytest.mark.parametrize("answer", [Answer(404), Answer(429), Answer(503)])
def test_an_identity_is_asked_for_until_the_directory_has_it(graph, answer):
    graph.inject(3, answer)
    assert seen(graph) == "" and len(graph.requests) == 4


def test_one_that_never_comes_is_told_and_fails_nothing(graph):
    assert seen(graph, principal="another", seconds=0.05) == "the directory answered 404"


def test_a_login_that_may_not_look_is_told_at_once(graph):
    graph.inject(1, Answer(403, {"error": {"code": "Authorization_RequestDenied"}}))
    assert seen(graph) == "the directory answered 403 to this login" and len(graph.requests) == 1


def test_no_login_is_told(graph):
    def none(scope):
        raise ConfigError("no Azure login on this machine gives a token; run: az login")

    assert "az login" in seen(graph, bearer=none) and graph.requests == []


@pytest.mark.parametrize(
    ("since", "seconds"),
    [
        ("2026-11-28T12:00:00.1234567Z", EFFECTIVE_SECONDS),
        ("2026-11-28T11:58:00Z", EFFECTIVE_SECONDS - 120),
        ("2025-01-01T00:00:00Z", 0),
        ((NOW + timedelta(hours=1)).isoformat(), EFFECTIVE_SECONDS),  # two machines' clocks
        ("", EFFECTIVE_SECONDS),
        (None, EFFECTIVE_SECONDS),
    ],
)
def test_a_role_is_given_its_time_once(since, seconds):
    assert left(since, NOW) == pytest.approx(seconds, abs=1)
