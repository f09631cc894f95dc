"""`twofold token --login` through the real command line: an issuer with a login page, and a browser that is a program."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.fakes.issuer import AUDIENCE
from tests.fakes.login import LoginFake
from tests.integration.local.service import Service
from twofold.emulators.process import free_port

TWOFOLD = Path(sys.executable).with_name("twofold")
BROWSER = """#!{python}
import ssl, sys, urllib.request
for stray in {stray}:
    try:
        urllib.request.urlopen("http://127.0.0.1:{port}" + stray)
    except urllib.error.HTTPError as exc:
        assert exc.code == 404
page = urllib.request.urlopen(sys.argv[1], context=ssl.create_default_context(cafile={pem!r}))
print("what a browser of the terminal writes", page.status)
"""


class Person:
    """Types `twofold token --login …` in a checkout, and has a browser. `told` is what stood on both outputs."""

    def __init__(self, folder, issuer, port):
        self.folder, self.issuer, self.port, self.stray = folder, issuer, port, []
        (folder / "api").symlink_to(ROOT / "api")

    def types(self, *arguments, status=0, issuer=None, **environ):
        script = self.folder / "browser"
        script.write_text(
            BROWSER.format(python=sys.executable, stray=self.stray, port=self.port, pem=str(self.issuer.pem))
        )
        script.chmod(stat.S_IRWXU)
        plain = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
        plain |= {"BROWSER": f"{script} %s", "SSL_CERT_FILE": str(self.issuer.pem)}
        plain |= {"TWOFOLD_OIDC_ISSUER": issuer or self.issuer.url, "TWOFOLD_OIDC_AUDIENCE": AUDIENCE}
        done = subprocess.run(
            [TWOFOLD, "token", "--login", "--port", str(self.port), *arguments],
            cwd=self.folder, env=plain | environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
        self.told = done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr.splitlines()[-1]

    def logs_in(self, *arguments, **options):
        return self.types("--client-id", "shop-cli", *arguments, **options)


def called(service, token):
    """The status of a call with a token, once the service has the issuer's keys: on a busy machine not at the first try."""
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        while (status := client.get(f"{service.url}/customers/c-1/orders").status_code) == 503:
            continue
    return status


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def issuer(port):
    with LoginFake(port) as fake:
        yield fake


@pytest.fixture
def person(tmp_path, issuer, port):
    return Person(tmp_path, issuer, port)


def test_the_token_is_alone_on_standard_output_works_and_is_kept_nowhere(person, issuer):
    before = set(person.folder.iterdir())
    output = person.logs_in()
    assert output.count("\n") == 1 and output.count(".") == 2
    assert set(person.folder.iterdir()) == before | {person.folder / "browser"}
    assert "planted-refresh" not in person.told and not issuer.codes
    trusted = {"SSL_CERT_FILE": str(issuer.pem), "TWOFOLD_OIDC_ISSUER": issuer.url, "TWOFOLD_OIDC_AUDIENCE": AUDIENCE}
    service = Service(person.folder, **trusted)
    try:
        assert called(service, output.strip()) == 200
        assert called(service, output.strip()[:-8] + "AAAAAAAA") == 401
    finally:
        service.kill()


def test_each_login_asks_with_a_state_and_a_challenge_of_its_own(person, issuer):
    answer = json.loads(person.logs_in("--scope", "orders.read", "--scope", "openid", "--json"))
    assert (answer["subject"], answer["scopes"]) == ("c-1", ["orders.read", "openid"]) and answer["expires_at"] > 0
    person.logs_in()
    first, second = issuer.asked
    assert first["scope"] == "orders.read openid" and second["scope"] == "orders.read orders.write orders.admin"
    assert first["audience"] == AUDIENCE and first["code_challenge_method"] == "S256"
    assert first["state"] != second["state"] and first["code_challenge"] != second["code_challenge"]


def test_what_any_page_can_send_to_the_listener_is_not_looked_at(person, issuer):
    person.stray = [
        "/", "/callback", "/callback?code=forged", "/callback?code=forged&state=guessed", "/callback?error=forged&state=",
        "/callback?state=a&state=b&code=c",
    ]  # fmt: skip
    assert person.logs_in().count(".") == 2
    assert person.told.count("another state") == 5 and "forged" not in person.told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"denies": True}, "the issuer refuses: access_denied: she said no"),
        ({"scopes": {"orders.read"}}, "the issuer refuses: invalid_scope"),
        ({"returns": {"iss": "https://other.example"}}, "the answer is of another issuer: https://other.example"),
        ({"returns": {"code": ""}}, "the issuer's answer has no code"),
        ({"returns": {"code": "stolen"}}, "the issuer refuses: invalid_grant: not this code"),
        ({"answers": {"access_token": "opaque"}}, "no JWT, which no service can verify"),
        ({"answers": {"access_token": None}}, "no bearer token"),
        ({"answers": {"token_type": "DPoP"}}, "no bearer token"),
        ({"gives": {"iss": "https://sts.windows.net/t/"}}, "says which version of tokens it gets"),
        ({"gives": {"aud": "billing"}}, "the token is for 'billing', and the service takes those for 'orders'"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_line(person, issuer, changes, message):
    for name, value in changes.items():
        setattr(issuer, name, value)
    assert message in person.logs_in(status=2)


def test_an_issuer_that_is_another_or_insecure_or_away_is_not_gone_to(person, issuer):
    good = dict(issuer.configuration)
    for changed, message in (
        ({"issuer": f"{issuer.url}/"}, "calls itself"),
        ({"authorization_endpoint": "http://login.example/"}, "a login page is an https URL"),
        ({"token_endpoint": "http://login.example/"}, "token_endpoint is 'http://login.example/'"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not know PKCE by S256"),
    ):
        issuer.configuration = good | changed
        assert message in person.logs_in(status=2)
    issuer.configuration = good
    assert "answered 404" in person.logs_in(status=2, issuer=issuer.url.replace("shop", "s"))
    assert "can't be asked" in person.logs_in(status=2, issuer=f"https://localhost:{free_port()}")
    assert issuer.asked == []


def test_who_listens_on_the_port_already_is_told(person, port):
    with socket.create_server(("127.0.0.1", port)):
        assert f"port {port} of 127.0.0.1 can't be listened on" in person.logs_in(status=2)


def test_what_can_not_be_asked_for_is_said(person, issuer):
    assert "as which client of https://localhost" in person.types(status=2)
    assert "--subject is for the checkout's own issuer" in person.logs_in("--subject", "c-2", status=2)
    bare = {"TWOFOLD_OIDC_ISSUER": "", "TWOFOLD_OIDC_AUDIENCE": ""}
    assert "name the stack (--cloud, --env), or set TWOFOLD_OIDC_" in person.logs_in(status=2, **bare)
    assert issuer.asked == []


def test_a_stack_says_whose_tokens_it_takes(person, issuer):
    """Its outputs, as the Pulumi CLI prints them."""
    pulumi = person.folder / "bin/pulumi"
    pulumi.parent.mkdir()
    outputs = json.dumps({"oidc_issuer": issuer.url, "oidc_audience": f"{AUDIENCE},other"})
    pulumi.write_text(f'#!/bin/sh\n[ "$*" = "stack output --json --stack prod-aws" ] && echo \'{outputs}\'\n')
    pulumi.chmod(stat.S_IRWXU)
    bare = {"TWOFOLD_OIDC_ISSUER": "", "PATH": f"{pulumi.parent}:{os.environ['PATH']}"}
    assert person.logs_in("--cloud", "aws", "--env", "prod", **bare).count(".") == 2
    assert issuer.asked[-1]["audience"] == AUDIENCE
    pulumi.write_text(pulumi.read_text().replace(f"{AUDIENCE},other", ","))
    assert "exports no oidc_issuer" in person.logs_in("--cloud", "aws", "--env", "prod", status=2, **bare)
