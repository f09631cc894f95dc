"""IssuerFake with a login page and a token endpoint: OAuth's code flow with PKCE, as strict as the RFCs let it be.

RFC 6749 (4.1), 7636, 9207 and 8252: exact redirect URIs, S256 alone, a code once and for a minute, a form as the token request and
no client secret. Known divergence from real ones: nobody types a password; whoever opens the page is logged in as `person`.
"""

import base64
import hashlib
import secrets
import time
from urllib.parse import parse_qs, urlencode

from tests.fakes.issuer import IssuerFake
from twofold.emulators.server import Answer

REDIRECT = "http://localhost:{port}/callback"
QUESTION = {
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "audience",
}  # fmt: skip


class LoginFake(IssuerFake):
    """`scopes` are what the client `shop-cli` may ask for; `denies` makes the person say no; `gives` changes the token's claims,
    `answers` the token endpoint's answer, `returns` what the browser is sent back with."""

    def __init__(self, port):
        super().__init__()
        self.redirect, self.person, self.denies, self.gives, self.answers, self.returns = (
            REDIRECT.format(port=port), "c-1", False, {}, {}, {},
        )  # fmt: skip
        self.scopes = {"orders.read", "orders.write", "orders.admin", "openid"}
        self.codes, self.asked = {}, []

    def serve(self, method, path, query, headers, body):
        if path == "/realms/shop/authorize":
            return self.authorize(method, once(query))
        if path == "/realms/shop/token":
            return self.exchange(method, headers, once(body.decode()))
        return super().serve(method, path, query, headers, body)

    def authorize(self, method, question):
        self.asked.append(question)
        if method != "GET" or question.get("client_id") != "shop-cli" or question.get("redirect_uri") != self.redirect:
            raise Answer(400, b"unknown client, or a redirect URI that it has not: nobody is sent anywhere")
        if question.keys() - QUESTION:
            raise Answer(400, b"what is that?")
        back = {"state": question["state"], "iss": self.url}
        challenge = question.get("code_challenge", "")
        if (
            question.get("response_type") != "code"
            or question.get("code_challenge_method") != "S256"
            or len(challenge) != 43
        ):
            back |= {"error": "invalid_request"}
        elif set(question["scope"].split()) - self.scopes:
            back |= {"error": "invalid_scope"}
        elif self.denies:
            back |= {"error": "access_denied", "error_description": "she said no"}
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = question | {"until": time.time() + 60}
        raise Answer(302, b"", {"Location": f"{self.redirect}?{urlencode(back | self.returns)}"})

    def exchange(self, method, headers, form):
        if (
            method != "POST"
            or headers.get_content_type() != "application/x-www-form-urlencoded"
            or "Authorization" in headers
        ):
            raise Answer(400, {"error": "invalid_request"})
        asked = self.codes.pop(form.get("code"), None)
        verified = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(
            b"="
        )
        if (
            form.keys() != {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}
            or asked is None
            or asked["until"] < time.time()
            or form["grant_type"] != "authorization_code"
            or (form["redirect_uri"], form["client_id"]) != (asked["redirect_uri"], asked["client_id"])
            or not 43 <= len(form["code_verifier"]) <= 128
            or verified.decode() != asked["code_challenge"]
        ):
            raise Answer(400, {"error": "invalid_grant", "error_description": "not this code"})
        token = self.token(sub=self.person, client_id="shop-cli", scope=asked["scope"], **self.gives)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "refresh_token": "planted-refresh"}
        return Answer(200, {**answer, **self.answers})


def once(text):
    """A form's fields, each of which stands once."""
    fields = parse_qs(text, keep_blank_values=True, strict_parsing=bool(text))
    if any(len(values) > 1 for values in fields.values()):
        raise Answer(400, {"error": "invalid_request"})
    return {name: values[0] for name, values in fields.items()}
