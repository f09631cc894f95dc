"""What each cloud's gateway would answer, read from the captured stack: 200 stands for "handed to the service".

Small evaluators of what the stacks use and no more: an HTTP API's routes and JWT authorizer, and API Management's policy elements.
What they meet and don't know is an error. The C# expressions are those that `twofold.deploy.azure.policy` writes, recognised by
their form.
"""

import json
import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

import httpx


@dataclass(frozen=True)
class Call:
    """A request: `claims` is None without a token, and `valid` is what the issuer's keys say of it."""

    method: str
    path: str
    claims: dict | None = None
    valid: bool = True
    headers: dict = field(default_factory=dict)
    bytes: int = 0


def segments(template):
    return [part for part in template.split("/") if part]


def fits(template, path):
    want, have = segments(template), segments(path)
    if want and want[-1] in ("*", "{proxy+}"):
        return len(have) >= len(want) - 1
    return len(want) == len(have) and all(a.startswith("{") or a == b for a, b in zip(want, have, strict=True))


def best(templates, path):
    """The most specific: API Gateway and API Management both prefer a fixed segment to a parameter, and that to the rest."""
    fitting = [template for template in templates if fits(template, path)]
    return min(fitting, key=lambda t: (t.endswith(("*", "{proxy+}")), t.count("{")), default=None)


class HttpApi:
    """AWS: routes, then the JWT authorizer: 404, 401, 403 (it knows `scope` and `scp`, and one scope of a route's is enough)."""

    def __init__(self, captured):
        routes = captured.of("aws:apigatewayv2/route:Route")
        self.routes = {tuple(route["routeKey"].split(" ", 1)): route for route in routes}
        self.authorizers = len(captured.of("aws:apigatewayv2/authorizer:Authorizer"))

    def answer(self, call):
        template = best([path for method, path in self.routes if method == call.method], call.path)
        if template is None:
            return 404
        route = self.routes[call.method, template]
        if route["authorizationType"] == "NONE":
            return 200
        assert route["authorizationType"] == "JWT" and route["authorizerId"]
        if call.claims is None or not call.valid:
            return 401
        needed = set(route.get("authorizationScopes", ()))
        return 200 if not needed or needed & held(call.claims, ("scope", "scp")) else 403


def held(claims, names):
    """A token's scopes: texts by spaces, or lists."""
    values = [claims[name] for name in names if name in claims]
    return {
        word for value in values for one in (value if isinstance(value, list) else [value]) for word in one.split(" ")
    }


class Answered(Exception):
    """The pipeline ended with this answer."""

    def __init__(self, status, headers=(), body=""):
        self.status, self.headers, self.body = status, dict(headers), body


class ApiManagement:
    """Azure: the imported document's operations, then the policy's inbound section; an error runs on-error.

    What needs more than the document, a subclass may do in earnest: `claims` and `gateway_token`.
    """

    def __init__(self, document, policy):
        self.operations = {
            (method.upper(), path): operation["operationId"]
            for path, item in json.loads(document)["paths"].items()
            for method, operation in item.items()
        }
        self.policy = ElementTree.fromstring(policy)

    @classmethod
    def of(cls, captured):
        """The one that a stack makes."""
        kinds = ("Api", "ApiPolicy")
        return cls(*(captured.one(f"azure-native:apimanagement:{kind}")["value"] for kind in kinds))

    def answer(self, call):
        return self.run(call)[0]

    def run(self, call):
        """Status, and the headers of the answer or of the forwarded request."""
        try:
            return 200, self.inbound(call).headers
        except Answered as done:
            return done.status, done.headers

    def inbound(self, call):
        """The request as it goes to the service. Raises Answered when it doesn't."""
        template = best([path for method, path in self.operations if method == call.method], call.path)
        if template is None:
            raise Answered(404)
        state = State(self, call, self.operations[call.method, template])
        try:
            state.all(self.policy.find("inbound"))
        except LookupError as failed:
            state.error = str(failed.args[0])
            state.all(self.policy.find("on-error"))
            raise
        return state

    def claims(self, element, call):
        """What the call's token claims, None when `validate-jwt` does not take it."""
        return call.claims if call.valid else None

    def gateway_token(self, element):
        """What `authentication-managed-identity` gets."""
        return "the-gateways"


class State:
    """One request on its way through a policy document."""

    def __init__(self, gate, call, operation):
        self.gate, self.call, self.operation, self.error, self.token = gate, call, operation, None, None
        self.headers = httpx.Headers({"Host": "api", **call.headers})
        self.variables = {}
        if call.bytes:
            self.headers["Content-Length"] = str(call.bytes)
        if call.claims is not None:
            self.headers["Authorization"] = "Bearer the-users"

    def all(self, element):
        for child in element:
            getattr(self, child.tag.replace("-", "_"))(child)

    def base(self, element):
        pass

    def choose(self, element):
        for branch in element:
            if branch.tag == "otherwise" or self.true(branch.get("condition")):
                return self.all(branch)

    def validate_jwt(self, element):
        assert element.get("header-name") == "Authorization" and element.get("require-scheme") == "Bearer"
        if (claims := self.gate.claims(element, self.call)) is None:
            raise LookupError("validate-jwt")
        for claim in element.findall("required-claims/claim"):
            assert claim.get("match") == "any"
            if str(claims.get(claim.get("name"))) not in {value.text for value in claim}:
                raise LookupError("validate-jwt")
        self.token = claims

    def check_header(self, element):
        allowed = [value.text.lower() for value in element]
        if self.headers.get(element.get("name"), "").lower() not in allowed:
            raise Answered(int(element.get("failed-check-httpcode")))

    def rate_limit_by_key(self, element):
        assert int(element.get("calls")) > 0

    def set_header(self, element):
        name, value = element.get("name"), element.find("value")
        text = self.text(value.text) if element.get("exists-action") == "override" else None
        self.headers.pop(name, None)
        if text is not None:
            self.headers[name] = text

    def authentication_managed_identity(self, element):
        self.variables[element.get("output-token-variable-name")] = self.gate.gateway_token(element)

    def return_response(self, element):
        headers = {h.get("name"): self.text(h.find("value").text) for h in element.findall("set-header")}
        raise Answered(int(element.find("set-status").get("code")), headers, element.findtext("set-body", ""))

    def true(self, condition):
        """Whether a condition holds; AssertionError for a form that the policy is not known to write."""
        if match := re.fullmatch(r'@\(context\.LastError\.Source == "([a-z-]+)"\)', condition):
            return self.error == match[1]
        if match := re.search(r"size > (\d+);", condition):
            return int(self.headers.get("Content-Length", "0")) > int(match[1])
        if match := re.fullmatch(
            r"@\((!?)new \[\] \{(.*)\}\.Contains\(context\.(Operation\.Id|Request\.Method)\)\)", condition
        ):
            value = {"Operation.Id": self.operation, "Request.Method": self.call.method}[match[3]]
            return (value in texts(match[2])) != bool(match[1])
        match = re.fullmatch(
            r'@\(new \[\] \{(.*?)\}\.Contains\(context\.Operation\.Id\) && !\(\(Jwt\)context\.Variables\["token"\]\)\.Claims'
            r"\.Where\(claim => new \[\] \{(.*?)\}\.Contains\(claim\.Key\)\)\.SelectMany\(claim => claim\.Value\)"
            r"\.SelectMany\(value => value\.Split\(' '\)\)\.Intersect\(new \[\] \{(.*?)\}\)\.Any\(\)\)",
            condition,
        )
        assert match, condition
        return self.operation in texts(match[1]) and not held(self.token, texts(match[2])) & set(texts(match[3]))

    def text(self, value):
        """The value of an expression, or the text as it is."""
        if match := re.fullmatch(r'@\(context\.Request\.Headers\.GetValueOrDefault\("([\w-]+)", ""\)\)', value):
            return self.headers.get(match[1], "")
        if match := re.fullmatch(r'@\("Bearer " \+ \(string\)context\.Variables\["(\w+)"\]\)', value):
            return f"Bearer {self.variables[match[1]]}"
        if value == "@(context.Request.IpAddress)":
            return "203.0.113.9"
        if match := re.fullmatch(
            r'@\(context\.Request\.Headers\.ContainsKey\("Authorization"\) \? "(.*)" : "(.*)"\)', value
        ):
            return (match[1] if "Authorization" in self.headers else match[2]).replace('\\"', '"')
        assert not value.startswith("@"), value
        return value


def texts(array):
    return json.loads(f"[{array}]")
