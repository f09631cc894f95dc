"""API Management's policy document, generated from the service's routes: who is let in, how often, and what travels on.

Elements stand in the order that each policy's reference gives. Expressions are C#; the text is XML-encoded (format `xml`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from twofold.deploy.routes import Operation
from twofold.portable import issuers
from twofold.portable.oidc import discovery_url
from twofold.portable.profile import MAX_HTTP_BYTES
from twofold.settings import CALLER_HEADER

SCOPE_CLAIMS = ("scope", "scp", "roles")
UNTRUSTED = (
    "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Original-URL", "X-Rewrite-URL",
    "X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP",
)  # fmt: skip
"""Request headers that only a proxy may write."""
TELLTALE = ("X-Powered-By", "X-AspNet-Version", "Request-Context")
"""Response headers that tell what runs here; `Server` can't be removed by a policy."""
PERIOD_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """As whom the gateway calls the app: a token of its managed identity for `resource`; `client_id` if user-assigned."""

    resource: str
    client_id: str | None


def document(
    operations: Sequence[Operation], *, service: str, issuer: str, audience: str, caller: Caller, rate: int | None,
    front_door: str | None = None,
) -> str:  # fmt: skip
    """The API's policy. `rate` is per second, None where the tier can't count; `front_door` is the id of the only way in."""
    edge = front_door is not None
    inbound = [
        "<base />",
        *([_check_front_door(front_door)] if front_door is not None else []),
        _size_limit(),
        _token(operations, service, issuer, audience),
        *([_rates(rate)] if rate is not None else []),
        *(f'<set-header name="{name}" exists-action="delete" />' for name in UNTRUSTED),
        _set("X-Forwarded-For", _header("X-Azure-SocketIP") if edge else "context.Request.IpAddress"),
        *_identify(caller),
    ]
    outbound = ["<base />", *(f'<set-header name="{name}" exists-action="delete" />' for name in TELLTALE)]
    sections = {
        "inbound": inbound,
        "backend": ['<forward-request timeout="29" />'],
        "outbound": outbound,
        "on-error": ["<base />", _unauthorized()],
    }
    body = "\n".join(f"<{name}>\n" + "\n".join(parts) + f"\n</{name}>" for name, parts in sections.items())
    return f"<policies>\n{body}\n</policies>"


def _token(operations: Sequence[Operation], service: str, issuer: str, audience: str) -> str:
    open_ids = [operation.id for operation in operations if operation.open]
    configuration = quoteattr(discovery_url(issuer))
    groups: dict[tuple[str, ...], list[str]] = {}
    for operation in operations:
        if operation.scopes:
            groups.setdefault(operation.scopes, []).append(operation.id)
    scopes = "".join(
        _scope_check(
            ids,
            needed,
            [issuers.scope_in_token(scope, service, cognito=issuers.is_cognito(issuer)) for scope in needed],
        )
        for needed, ids in groups.items()
    )
    return f"""<choose><when condition={_attribute(f"!{_among('context.Operation.Id', open_ids)}")}>
<validate-jwt header-name="Authorization" failed-validation-httpcode="401" require-scheme="Bearer"
 output-token-variable-name="token">
<openid-config url={configuration} />
{_audience(issuer, issuers.audiences(audience))}
</validate-jwt>
{f"<choose>{scopes}</choose>" if scopes else ""}
</when></choose>"""


def _audience(issuer: str, audiences: Sequence[str]) -> str:
    if issuers.is_cognito(issuer):
        values = "".join(f"<value>{escape(one)}</value>" for one in audiences)
        return f'<required-claims><claim name="client_id" match="any">{values}</claim></required-claims>'
    return f"<audiences>{''.join(f'<audience>{escape(one)}</audience>' for one in audiences)}</audiences>"


def _scope_check(ids: Sequence[str], needed: Sequence[str], spelled: Sequence[str]) -> str:
    held = (
        '((Jwt)context.Variables["token"]).Claims'
        f".Where(claim => {_among('claim.Key', SCOPE_CLAIMS)})"
        ".SelectMany(claim => claim.Value).SelectMany(value => value.Split(' '))"
    )
    lacks = f"{_among('context.Operation.Id', ids)} && !{held}.Intersect({_array(spelled)}).Any()"
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'
    answer = _problem(403, "forbidden", f"the token lacks a scope: {' or '.join(needed)}", escape(challenge))
    return f"<when condition={_attribute(lacks)}>{answer}</when>"


def _unauthorized() -> str:
    challenge = (
        '@(context.Request.Headers.ContainsKey("Authorization") ? "Bearer error=\\"invalid_token\\"" : "Bearer")'
    )
    answer = _problem(401, "unauthorized", "this needs a valid access token", escape(challenge))
    return f"""<choose><when condition={_attribute('context.LastError.Source == "validate-jwt"')}>{answer}</when></choose>"""


def _size_limit() -> str:
    condition = (
        '@{ long size; return long.TryParse(context.Request.Headers.GetValueOrDefault("Content-Length", "0"), out size)'
        f" && size > {MAX_HTTP_BYTES}; }}"
    )
    answer = _problem(413, "content-too-large", f"a request body may have {MAX_HTTP_BYTES} bytes")
    return f"<choose><when condition={quoteattr(condition)}>{answer}</when></choose>"


def _rates(rate: int) -> str:
    def limit(kind: str, per_second: int) -> str:
        key = _attribute(f'context.Api.Id + "-{kind}"')  # counters are the whole service's, which others may share
        calls = f'calls="{per_second * PERIOD_SECONDS}" renewal-period="{PERIOD_SECONDS}"'
        return f"<rate-limit-by-key {calls} counter-key={key} />"

    reads = _attribute(_among("context.Request.Method", ("GET", "HEAD", "OPTIONS")))
    return f"""<choose><when condition={reads}>{limit("reads", rate)}</when>
<otherwise>{limit("writes", max(1, rate // 4))}</otherwise></choose>"""


def _check_front_door(front_door_id: str) -> str:
    return (
        '<check-header name="X-Azure-FDID" failed-check-httpcode="403"'
        ' failed-check-error-message="reach this service through its front door" ignore-case="true">'
        f"<value>{escape(front_door_id)}</value></check-header>"
    )


def _identify(caller: Caller) -> list[str]:
    """The caller's token moves aside before the gateway's own takes `Authorization`, which the app's host verifies."""
    client = f" client-id={quoteattr(caller.client_id)}" if caller.client_id else ""
    return [
        _set(CALLER_HEADER, _header("Authorization")),
        f"<authentication-managed-identity resource={quoteattr(caller.resource)}{client}"
        ' output-token-variable-name="gateway" ignore-error="false" />',
        _set("Authorization", '"Bearer " + (string)context.Variables["gateway"]'),
    ]


def _problem(status: int, type: str, detail: str, challenge: str | None = None) -> str:
    body = json.dumps(
        {
            "type": f"urn:twofold:problem:{type}", "title": type.replace("-", " ").capitalize(), "status": status,
            "detail": detail,
        }
    )  # fmt: skip
    header = '<set-header name="{}" exists-action="override"><value>{}</value></set-header>'
    return (
        f'<return-response><set-status code="{status}" reason="{type.replace("-", " ").capitalize()}" />'
        + header.format("Content-Type", "application/problem+json")
        + (header.format("WWW-Authenticate", challenge) if challenge else "")
        + f"<set-body>{escape(body)}</set-body></return-response>"
    )


def _set(name: str, expression: str) -> str:
    return f'<set-header name="{name}" exists-action="override"><value>@({escape(expression)})</value></set-header>'


def _header(name: str) -> str:
    return f'context.Request.Headers.GetValueOrDefault("{name}", "")'


def _among(expression: str, values: Sequence[str]) -> str:
    return f"{_array(values)}.Contains({expression})"


def _array(values: Sequence[str]) -> str:
    return "new [] {" + ", ".join(json.dumps(value) for value in values) + "}"


def _attribute(expression: str) -> str:
    return quoteattr(f"@({expression})")
