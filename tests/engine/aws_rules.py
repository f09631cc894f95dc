"""What AWS refuses, or takes and then does otherwise, although its provider's schema allows it: each rule with its source."""

import re

from tests.engine import names
from twofold.portable import profile

CONTEXT = {
    "accountId", "apiId", "awsEndpointRequestId", "awsEndpointRequestId2", "customDomain.basePathMatched",
    "dataProcessed", "domainName", "domainPrefix", "error.message", "error.messageString", "error.responseType",
    "extendedRequestId", "httpMethod", "identity.accountId", "identity.caller", "identity.clientCert.clientCertPem",
    "identity.clientCert.issuerDN", "identity.clientCert.serialNumber", "identity.clientCert.subjectDN",
    "identity.clientCert.validity.notAfter", "identity.clientCert.validity.notBefore",
    "identity.cognitoAuthenticationProvider", "identity.cognitoAuthenticationType", "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId", "identity.principalOrgId", "identity.sourceIp", "identity.user",
    "identity.userAgent", "identity.userArn", "integration.error", "integration.integrationStatus",
    "integration.latency", "integration.requestId", "integration.status", "integrationErrorMessage",
    "integrationLatency", "integrationStatus", "path", "protocol", "requestId", "requestTime", "requestTimeEpoch",
    "responseLatency", "responseLength", "routeKey", "stage", "status",
}  # fmt: skip
"""What an HTTP API can log, without the authorizers' own: "Customize HTTP API access logs", API Gateway Developer Guide."""
BLOCKED = {
    "NoUserAgent_HEADER": None,
    "SizeRestrictions_BODY": (8_192, profile.MAX_HTTP_BYTES),
    "SizeRestrictions_QUERYSTRING": (2_048, profile.MAX_QUERY_BYTES),
    "SizeRestrictions_URIPATH": (1_024, profile.MAX_TARGET_BYTES),
    "SizeRestrictions_Cookie_HEADER": (10_240, profile.MAX_HEADER_BYTES),
}
"""What the Common Rule Set blocks ("Baseline rule groups", AWS WAF Developer Guide): a request without User-Agent, and what is
longer than so many bytes; how much the service itself takes."""

POOL, DOMAIN, SERVER, CLIENT = (
    "aws:cognito/userPool:UserPool",
    "aws:cognito/userPoolDomain:UserPoolDomain",
    "aws:cognito/resourceServer:ResourceServer",
    "aws:cognito/userPoolClient:UserPoolClient",
)
OIDC_SCOPES = {"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}


def refused(operation) -> str | None:
    """The cloud's own words when it would refuse this operation."""
    if why := names.wrong(operation.token, operation.inputs, names.AWS):
        return why
    rule = {
        "aws:apigatewayv2/authorizer:Authorizer": _authorizer,
        "aws:apigatewayv2/stage:Stage": _stage,
        "aws:secretsmanager/secret:Secret": _secret,
        "aws:wafv2/webAcl:WebAcl": _firewall,
        DOMAIN: _domain,
        CLIENT: _client,
    }.get(operation.token)
    return rule(operation) if rule else None


def _authorizer(operation) -> str | None:
    """API Gateway fetches the discovery document when a JWT authorizer is made: haandol/cognito-kakao-example#1."""
    issuer = operation.inputs["jwtConfiguration"]["issuer"]
    if issuer == "https://issuer.example.com":  # of our own files; no name of example.com answers (RFC 2606)
        where = f"{issuer}/.well-known/openid-configuration"
        return f"BadRequestException: Caught exception when connecting to {where} for issuer {issuer}. Invalid issuer: {issuer}"
    return None


def _stage(operation) -> str | None:
    """A name that is not documented is logged as `-`. A group outside /aws/vendedlogs/ adds a line to the account's one policy,
    which has 5,120 characters: serverless/serverless#10469, awslabs/visual-asset-management-system#157."""
    logs = operation.inputs["accessLogSettings"]
    unknown = set(re.findall(r"\$context\.([\w.]+)", logs["format"])) - CONTEXT
    if unknown := sorted(name for name in unknown if not name.startswith("authorizer.")):
        return f"$context.{unknown[0]} is no variable of HTTP API access logs"
    arn = logs["destinationArn"].removesuffix(
        ":*"
    )  # ends in the group's name; the stand-in provider's in the resource's
    [group] = [
        inputs["name"]
        for urn, (token, inputs) in operation.resources.items()
        if token == "aws:cloudwatch/logGroup:LogGroup"
        and arn.endswith((f":{inputs['name']}", f":{urn.rpartition('::')[2]}"))
    ]
    if not group.startswith("/aws/vendedlogs/"):
        return (
            "Cannot enable logging. Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > 5120"
        )
    return None


def _secret(operation) -> str | None:
    """A deleted secret keeps its name until its window is over: aws-controllers-k8s/community#2969."""
    if operation.kind == "create":
        for token, inputs in operation.deleted:
            same = token == operation.token and inputs["name"] == operation.inputs["name"]
            if same and inputs.get("recoveryWindowInDays", 30) > 0:
                return "You can't create this secret because a secret with this name is already scheduled for deletion."
    return None


def _firewall(operation) -> str | None:
    for rule in operation.inputs["rules"]:
        group = rule["statement"].get("managedRuleGroupStatement", {})
        if group.get("name") == "AWSManagedRulesCommonRuleSet":
            counted = {one["name"] for one in group.get("ruleActionOverrides", ()) if "count" in one["actionToUse"]}
            needless = {name for name, sizes in BLOCKED.items() if sizes is None or sizes[0] < sizes[1]}
            if left := sorted(needless - counted):
                return f"the firewall answers 403 to requests that the service takes: {', '.join(left)}"
    return None


def _domain(operation):
    """Amazon Cognito developer guide, "Using the Amazon Cognito domain": three words are reserved; the login page of pools of the
    tier Lite is the classic one (API reference, CreateUserPoolDomain)."""
    if any(word in operation.inputs["domain"] for word in ("aws", "amazon", "cognito")):
        return "InvalidParameterException: Domain cannot contain reserved word"
    [pool] = [inputs for token, inputs in operation.resources.values() if token == POOL]
    if pool.get("userPoolTier") == "LITE" and operation.inputs.get("managedLoginVersion", 1) != 1:
        return "FeatureUnavailableInTierException: Managed login is not available in the tier Lite"
    return None


def _client(operation):
    """API reference, CreateUserPoolClient: its scopes exist (ScopeDoesNotExistException), http is for localhost alone, and a client
    of the client credentials grant has a secret, custom scopes and no other grant (developer guide, "OAuth 2.0 grants")."""
    inputs = operation.inputs
    known = OIDC_SCOPES | {
        f"{one['identifier']}/{scope['scopeName']}"
        for token, one in operation.resources.values()
        if token == SERVER
        for scope in one.get("scopes", ())
    }
    if unknown := sorted(set(inputs.get("allowedOauthScopes", ())) - known):
        return f"ScopeDoesNotExistException: {unknown[0]}"
    for url in inputs.get("callbackUrls", ()):
        if not url.startswith(("https://", "http://localhost")):
            return f"InvalidParameterException: {url} can't be a callback: HTTPS is required"
    flows = inputs.get("allowedOauthFlows", ())
    if "code" in flows and not inputs.get("callbackUrls"):
        return "InvalidOAuthFlowException: code flow needs a callback URL"
    if "client_credentials" in flows and (
        len(flows) > 1 or not inputs.get("generateSecret") or OIDC_SCOPES & set(inputs["allowedOauthScopes"])
    ):
        return "InvalidOAuthFlowException: client_credentials flow can not be selected along with code flow or implicit flow"
    return None
