"""What AWS refuses although its provider's schema allows it: each rule with the document or report that says so."""

POOL, DOMAIN, SERVER, CLIENT = (
    "aws:cognito/userPool:UserPool",
    "aws:cognito/userPoolDomain:UserPoolDomain",
    "aws:cognito/resourceServer:ResourceServer",
    "aws:cognito/userPoolClient:UserPoolClient",
)
OIDC_SCOPES = {"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}


def refused(operation) -> str | None:
    """The cloud's own words when it would refuse this operation."""
    rule = RULES.get(operation.token)
    return rule(operation) if rule else None


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


RULES = {DOMAIN: _domain, CLIENT: _client}
