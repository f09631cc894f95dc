"""The deployer's login on Azure: whose it is, and tokens that are fetched while it is young."""

import base64
import json
import time
from typing import ClassVar

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from twofold.deploy.azure import login, tokens
from twofold.deploy.azure.account import principal_type
from twofold.deploy.program import PIPELINE


def of(**claims):
    return f"h.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.s"


CLI, CLOUD_SHELL = "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "b677c290-cf4b-4a8e-a60e-91ba650a4abe"
POWERSHELL, VS_CODE = "1950a258-227b-4e31-a9cf-717495945fc2", "aebc6443-996d-45c2-90f0-388ff96faa56"


@pytest.mark.parametrize("client", [CLI, CLOUD_SHELL, POWERSHELL, VS_CODE])
def test_a_person_is_a_user_whatever_they_came_with(client):
    assert principal_type(of(idtyp="user", appid=client, scp="user_impersonation")) == "User"
    assert principal_type(of(appid=client, scp="user_impersonation", upn="a@b.example")) == "User"


def test_a_pipeline_and_an_identity_are_service_principals():
    assert principal_type(of(idtyp="app", appid="mine")) == principal_type(PIPELINE) == "ServicePrincipal"
    assert principal_type(of(appid="mine", sub="o", oid="o")) == "ServicePrincipal"


@pytest.mark.parametrize("token", [None, "", "opaque", "a.b.c", "a.!!!.c"])
def test_a_token_that_tells_nothing_leaves_the_kind_to_azure(token):
    assert principal_type(token) is None


class Pipeline:
    """A login whose assertion is over after its first tokens: then it gives no other scope one."""

    over, lasting = False, 3600.0
    asked: ClassVar[list[str]] = []

    def get_token(self, *scopes, **_):
        if self.over:
            raise ClientAuthenticationError("AADSTS700024: Client assertion is not within its valid time range")
        self.asked.append(scopes[0])
        return AccessToken(f"for {scopes[0]}", int(time.time() + self.lasting))


@pytest.fixture
def pipeline(monkeypatch):
    class Fresh(Pipeline):
        asked: ClassVar[list[str]] = []

    monkeypatch.setattr("azure.identity.DefaultAzureCredential", Fresh)
    monkeypatch.setattr(login, "_TOKENS", {})
    return Fresh


def test_what_was_fetched_at_the_beginning_is_there_when_the_assertion_is_over(pipeline):
    tokens.fetch(tokens.SCOPES)
    pipeline.over = True
    assert [login.token(scope) for scope in tokens.SCOPES] == [f"for {scope}" for scope in tokens.SCOPES]
    token = login.credential(login.STORAGE).get_token(login.STORAGE)
    assert token.token == f"for {login.STORAGE}" and token.expires_on > time.time()
    assert pipeline.asked == list(tokens.SCOPES)


def test_the_engines_first_question_of_every_run_fetches_them(pipeline):
    """Also where nothing is to be made, and none of them in what it answers."""
    asked = {"scopes": list(tokens.SCOPES)}
    answer = tokens._Provider().check(asked, asked)
    assert pipeline.asked == list(tokens.SCOPES) and (answer.inputs, answer.failures) == (asked, [])
    assert not tokens._Provider().diff("tokens", asked, asked).changes
    assert tokens._Provider().create(asked).outs == asked


def test_without_it_a_late_scope_has_no_token(pipeline):
    pipeline.over = True
    with pytest.raises(login.NoLogin, match="az login"):
        login.token(login.STORAGE)


def test_a_token_near_its_end_is_fetched_again_and_used_where_there_is_no_other(pipeline):
    pipeline.lasting = login.MARGIN_SECONDS - 10
    assert login.token() == login.token() == f"for {login.SCOPE}" and len(pipeline.asked) == 2
    pipeline.over = True
    assert login.token() == f"for {login.SCOPE}"


def test_a_machine_without_a_login_may_preview(pipeline):
    pipeline.over = True
    tokens.fetch(tokens.SCOPES)
    assert pipeline.asked == []
