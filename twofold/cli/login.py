"""A person's access token from the issuer: OAuth's code flow with PKCE, by a browser and a listener on loopback (RFC 8252).

The client is a public one, which needs no secret: what came back to the listener is of use only with the verifier, which never
leaves this process (RFC 7636). Nothing is kept: neither the token, nor a refresh token, nor who logged in.
"""

import base64
import hashlib
import hmac
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twofold.cli.console import aside
from twofold.errors import TwofoldError
from twofold.portable import issuers
from twofold.portable.oidc import discovery_url

PORT = 8400
SECONDS = 300.0
"""How long a person may take."""
CALLBACK = "/callback"
_DONE = "<!doctype html><title>twofold</title><p>{}</p>"

type Callback = Mapping[str, str]


class LoginFailed(TwofoldError):
    """The issuer gave no token of use; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks whom for what: the issuer as in the tokens' `iss`, the audience they are for, scopes as the issuer names them."""

    id: str
    issuer: str
    audience: str
    scope: str


def login(client: Client, port: int = PORT, seconds: float = SECONDS) -> str:
    """The access token that the issuer gives to whoever logs in within `seconds`. Raises LoginFailed.

    Listens on 127.0.0.1 alone, at `http://localhost:<port>/callback`, which the client must have as a redirect URI. What comes
    there without the state that this login made up is answered 400, and waited on.
    """
    import httpx

    try:
        with (
            httpx.Client(timeout=10, headers={"Accept": "application/json"}) as http,
            _listening(port) as (port, heard),
        ):
            metadata = _discover(http, issuers.where_to_ask(client.issuer))
            redirect = f"http://localhost:{port}{CALLBACK}"
            verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
            _show(metadata["authorization_endpoint"], _question(client, redirect, verifier, state))
            code = _code(heard, state, metadata, seconds)
            form = {
                "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": client.id,
                "code_verifier": verifier,
            }  # fmt: skip
            return _token(http.post(metadata["token_endpoint"], data=form))
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise LoginFailed(f"the issuer {client.issuer} can't be asked: {exc or type(exc).__name__}") from exc


def _discover(http: Any, issuer: str) -> Mapping[str, Any]:
    answer = http.get(discovery_url(issuer))
    if answer.status_code != 200:
        raise LoginFailed(f"{discovery_url(issuer)} answered {answer.status_code}: is this the issuer?")
    metadata = _object(answer)
    if metadata.get("issuer") != issuer:
        raise LoginFailed(f"{discovery_url(issuer)} calls itself {metadata.get('issuer')!r}, not {issuer!r}")
    for name in ("authorization_endpoint", "token_endpoint"):
        if urlsplit(str(metadata.get(name))).scheme != "https":
            raise LoginFailed(f"the issuer's {name} is {metadata.get(name)!r}: a login page is an https URL")
    if "S256" not in metadata.get("code_challenge_methods_supported", ["S256"]):  # neither Cognito nor Entra lists any
        raise LoginFailed(f"the issuer {issuer} does not know PKCE by S256")
    return metadata


def _question(client: Client, redirect: str, verifier: str, state: str) -> dict[str, str]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    question = {
        "response_type": "code", "client_id": client.id, "redirect_uri": redirect, "scope": client.scope, "state": state,
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    if issuers.names_audience(client.issuer):
        question["audience"] = client.audience
    return question


def _show(endpoint: str, question: Mapping[str, str]) -> None:
    url = f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(question)}"
    aside.print(f"log in at: {url}", soft_wrap=True, markup=False)
    # In a process of its own: a browser of the terminal would write to standard output, where the token alone is to be.
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([sys.executable, "-m", "webbrowser", url], **quiet)  # type: ignore[call-overload]  # noqa: S603


@contextmanager
def _listening(port: int) -> Iterator[tuple[int, "queue.Queue[Callback]"]]:
    """The port, and what is sent to it with the answer that it got; requests are answered while the caller works."""
    heard: queue.Queue[Callback] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path != CALLBACK:
                return self._answer(404, "There is nothing here.")
            callback = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
            heard.put(callback)
            outcome = "twofold refuses" if "error" in callback else "twofold has"
            return self._answer(200, f"{outcome} what the issuer said: see your terminal. You can close this page.")

        def _answer(self, status: int, text: str) -> None:
            body = _DONE.format(text).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), "Cache-Control": "no-store",
                "Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer", "Connection": "close",
            }.items():  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the request line has the code in it."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as exc:
        raise LoginFailed(
            f"port {port} of 127.0.0.1 can't be listened on ({exc.strerror}): end what does, or take --port, if the client "
            "has its redirect URI"
        ) from exc
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        server.server_close()


def _code(heard: "queue.Queue[Callback]", state: str, metadata: Mapping[str, Any], seconds: float) -> str:
    end = time.monotonic() + seconds
    while True:
        try:
            callback = heard.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise LoginFailed(f"nobody has logged in within {seconds:.0f} s") from None
        # Any page can send something here.
        if not hmac.compare_digest(callback.get("state", "").encode(), state.encode()):
            aside.print("something came with another state, and was not looked at")
            continue
        required = metadata.get("authorization_response_iss_parameter_supported") is True
        if callback.get("iss", None if required else metadata["issuer"]) != metadata["issuer"]:  # RFC 9207
            raise LoginFailed(f"the answer is of another issuer: {_plain(callback.get('iss', 'none'))}")
        if "error" in callback:
            raise LoginFailed(_refusal(callback))
        if not callback.get("code"):
            raise LoginFailed("the issuer's answer has no code")
        return callback["code"]


def _token(answer: Any) -> str:
    body = _object(answer)
    if answer.status_code != 200:
        raise LoginFailed(_refusal(body, f"{answer.status_code}"))
    token = body.get("access_token")
    if not isinstance(token, str) or str(body.get("token_type")).lower() != "bearer":
        raise LoginFailed("the issuer's answer has no bearer token")
    return token


def _object(answer: Any) -> Mapping[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise LoginFailed(f"{answer.url.copy_with(query=None)} answered {answer.status_code}, with no JSON object")
    return value


def _refusal(answer: Mapping[str, Any], default: str = "no reason") -> str:
    """What an issuer says in its own words (RFC 6749, sections 4.1.2.1 and 5.2)."""
    reasons = [_plain(str(answer[name])) for name in ("error", "error_description") if answer.get(name)]
    return f"the issuer refuses: {': '.join(reasons) or default}"


def _plain(text: str) -> str:
    return "".join(one for one in text.splitlines()[0] if one.isprintable())[:300] if text else ""
