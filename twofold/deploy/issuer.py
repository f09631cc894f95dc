"""The tokens' issuer is asked before anything is made: API Gateway fetches its discovery document when it makes an authorizer
(haandol/cognito-kakao-example#1), API Management and the service with the first token.
"""

from urllib.parse import urlsplit

import pulumi

from twofold.deploy.checks import Check
from twofold.deploy.config import ConfigError, StackConfig
from twofold.portable.oidc import discovery_url

SECONDS = 5
EXAMPLES = ("example.com", "example.net", "example.org")
"""Names for documents, our own files among them: nobody's issuer (RFC 2606)."""
UNASKED = ("example", "invalid", "localhost", "test")
"""Top-level names that the Internet does not have (RFC 6761): only somebody's own network knows who is there."""
NOT_NOW = (401, 403, 407, 408, 429)
"""Answers to this caller, or at this moment; the clouds may get another one. So may they where this caller is sent elsewhere (a
network's login page), is answered what is no JSON (a proxy's page), and for 500 and above."""
SET = "set yours: pulumi config set twofold:oidcIssuer https://…"
LATER = "see that the Internet reaches it before the first update"


def verify(config: StackConfig) -> None:
    """Before an update's first resource: ConfigError when the issuer is none. A preview warns, as does what can't be found out.

    A user pool of the stack's own is not asked: its authorizer is made after it.
    """
    if config.issuer == "managed":
        return
    check = look(config.oidc_issuer)
    if check.fine:
        return
    problem = f"twofold:oidcIssuer {config.oidc_issuer}: {check.found}; {check.command}"
    if check.needed and not pulumi.runtime.is_dry_run():
        raise ConfigError(problem)
    pulumi.log.warn(problem)


def look(issuer: str) -> Check:
    """Whether it has a discovery document of its own name and keys; not `needed` when only the clouds can find out."""
    host = urlsplit(issuer).hostname or ""
    if host.endswith(tuple(f".{name}" for name in EXAMPLES)) or host in EXAMPLES:
        return Check("issuer", False, f"{host} is a placeholder", SET)
    if host.rpartition(".")[2] in UNASKED:
        return Check("issuer", False, f"{host} is no name of the Internet, so it was not asked", LATER, needed=False)
    return _asked(issuer)


def _asked(issuer: str) -> Check:
    import httpx  # only in a process that deploys

    url = discovery_url(issuer)
    try:
        answer = httpx.get(url, timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return Check("issuer", False, f"{url} could not be asked: {exc or type(exc).__name__}", LATER, needed=False)
    if answer.status_code != 200:
        passing = answer.is_redirect or answer.status_code in NOT_NOW or answer.status_code >= 500
        answered = f"{url} answered {answer.status_code}"
        return Check("issuer", False, answered, LATER if passing else SET, needed=not passing)
    try:
        document = answer.json()
    except ValueError:
        return Check("issuer", False, f"{url} is no discovery document", LATER, needed=False)
    if not isinstance(document, dict):
        return Check("issuer", False, f"{url} is no discovery document", SET)
    name, keys = document.get("issuer"), document.get("jwks_uri")
    if name != issuer:
        return Check("issuer", False, f"it calls itself {name!r}", "set it to the letter, a slash at the end included")
    if not isinstance(keys, str):
        return Check("issuer", False, f"{url} names no jwks_uri", SET)
    return Check("issuer", True, keys)
