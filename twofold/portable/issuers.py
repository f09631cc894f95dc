"""What issuers of access tokens do differently, for whoever reads a token, lets one in or asks for one.

Entra ID   v1 has its own issuer (https://sts.windows.net/<tenant>/) and the audience api://…: set both as the tokens have them.
           Delegated scopes are in `scp`, application permissions in `roles`. "common" (many tenants) is not supported. Who asks
           for a scope names the API before it (`api://<audience>/<scope>`), and finds the endpoints at the issuer of version 2.
Cognito    an access token has no `aud`: its `client_id` stands for it, as for API Gateway's authorizer, and for no other issuer.
           Its scopes are `<resource server>/<scope>`: make the resource server with the service's name.
Auth0      the issuer ends in a slash. Without the parameter `audience` it gives tokens that nobody else can read.
Keycloak   an audience mapper must put the service into `aud`; the payload's own `typ` must be Bearer.
"""

import re

_COGNITO = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[a-z0-9-]+_[A-Za-z0-9]+")
_ENTRA = re.compile(r"https://(?:login\.microsoftonline\.com/([\w.-]+)/v2\.0|sts\.windows\.net/([\w.-]+)/)")


def is_cognito(issuer: str) -> bool:
    """Whether it is a user pool of Amazon Cognito's."""
    return _COGNITO.fullmatch(issuer) is not None


def audiences(text: str) -> tuple[str, ...]:
    """The audiences that a setting names, by commas: a token for any of them is a token for the service."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def scope_in_token(scope: str, service: str, *, cognito: bool) -> str:
    """How a token spells a scope of the service."""
    return f"{service}/{scope}" if cognito else scope


def scope_to_ask(issuer: str, service: str, audience: str, scope: str) -> str:
    """How the issuer is asked for a scope of the service, whose tokens are for `audience`."""
    if _ENTRA.fullmatch(issuer):
        return f"{audience if '://' in audience else f'api://{audience}'}/{scope}"
    return scope_in_token(scope, service, cognito=is_cognito(issuer))


def where_to_ask(issuer: str) -> str:
    """The issuer whose discovery document says where to log in: Entra's tokens of version 1 are asked for as those of version 2."""
    match = _ENTRA.fullmatch(issuer)
    return f"https://login.microsoftonline.com/{match[2]}/v2.0" if match and match[2] else issuer


def names_audience(issuer: str) -> bool:
    """Whether who asks names the audience in a parameter of its own: not where the scopes or the client say it."""
    return not is_cognito(issuer) and _ENTRA.fullmatch(issuer) is None
