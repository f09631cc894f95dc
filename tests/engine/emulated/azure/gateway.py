"""API Management: a service, its API with the document that it routes by, and the policy that each request goes through.

The policy is evaluated by `tests.stacks.gateways`, as the deployed texts have it; here tokens are verified with the issuer's keys,
the gateway's own is its identity's, and what is let in is sent on.
"""

import ssl
from email.message import Message
from xml.etree import ElementTree

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from tests.engine.emulated.azure.data import Identity
from tests.engine.emulated.azure.kind import Kind, Thing
from tests.engine.front import Request
from tests.stacks.gateways import Answered, ApiManagement, Call
from twofold.emulators.server import Answer

SIGNED_WITH = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


class Service(Thing):
    """A gateway, at a host of its own, with one API at most."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self.api = None
        self.identities = [account.at(one) for one in inputs["identity"]["userAssignedIdentities"]]
        self._host = f"{self.name}.azure-api.net"
        account.front.hosts[self._host] = self._serve

    def properties(self):
        own = {"type": "UserAssigned", "userAssignedIdentities": {one.id: {} for one in self.identities}}
        return {"gatewayUrl": f"https://{self._host}", "identity": own}

    def close(self):
        self.account.front.hosts.pop(self._host, None)

    def _serve(self, request):
        if self.api is None or self.api.policy is None:
            raise Answer(404, {"statusCode": 404, "message": "Resource not found"})
        return self.api.answer(request)


class Api(Thing):
    """An API at the gateway's root. It answers once it has its policy."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self.service, self.policy = account.at(resource_id.partition("/apis/")[0]), None
        assert self.service.api is None and inputs["path"] == "" and not inputs["subscriptionRequired"], inputs
        self.update(inputs)
        self.service.api = self

    def update(self, inputs):
        assert inputs["format"] == "openapi+json" and inputs["protocols"] == ["https"], inputs
        self.document, self._backend = inputs["value"], inputs["serviceUrl"]

    def properties(self):
        return {
            "path": "", "protocols": ["https"], "subscriptionRequired": False, "serviceUrl": self._backend,
            "format": "openapi+json", "value": self.document,
        }  # fmt: skip

    def close(self):
        self.service.api = None

    def answer(self, request):
        """The answer of the service behind, or of the policy."""
        gate = Gate(self, self.policy.text)
        call = Call(request.method, request.path, headers=dict(request.headers.items()), bytes=len(request.body))
        try:
            state = gate.inbound(call)
        except Answered as done:
            if done.status == 404:
                raise Answer(404, {"statusCode": 404, "message": "Resource not found"}) from None
            raise Answer(done.status, done.body.encode(), done.headers) from None
        headers, host = Message(), self._backend.removeprefix("https://")
        for name, value in state.headers.items():
            headers[name] = value
        sent = Request(host, request.method, request.path, request.query, headers, request.body)
        answer = self.service.account.front.ask(sent)
        if answer is not None:
            gone = {
                one.get("name").lower() for one in gate.policy.find("outbound") if one.get("exists-action") == "delete"
            }
            answer.headers = {name: value for name, value in answer.headers.items() if name.lower() not in gone}
        return answer


class Gate(ApiManagement):
    """The policy in earnest."""

    def __init__(self, api, policy):
        super().__init__(api.document, policy)
        self._service = api.service
        self._trusted = ssl.create_default_context(cafile=api.service.account.front.trusted)

    def claims(self, element, call):
        """See `ApiManagement`."""
        scheme, _, token = httpx.Headers(call.headers).get("Authorization", "").partition(" ")
        if scheme != element.get("require-scheme"):
            return None
        with httpx.Client(verify=self._trusted, trust_env=False) as client:
            metadata = client.get(element.find("openid-config").get("url")).raise_for_status().json()
            keys = client.get(metadata["jwks_uri"]).raise_for_status().json()["keys"]

        def signer(signed):
            [key] = [key for key in keys if key.get("kid") == signed.headers().get("kid")]
            return JWKRegistry.import_key(key)

        wanted = jwt.JWTClaimsRegistry(
            exp={"essential": True},
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "values": [one.text for one in element.iter("audience")]},
        )
        try:
            decoded = jwt.decode(token, signer, algorithms=SIGNED_WITH)
            wanted.validate(decoded.claims)
        except (JoseError, ValueError):
            return None
        return decoded.claims

    def gateway_token(self, element):
        """See `ApiManagement`."""
        [identity] = [one for one in self._service.identities if one.client == element.get("client-id")]
        assert isinstance(identity, Identity)
        return self._service.account.token(identity.principal, element.get("resource"))


class Policy(Thing):
    """An API's policy."""

    def __init__(self, account, resource_id, inputs):
        super().__init__(account, resource_id, inputs)
        self._api = account.at(resource_id.partition("/policies/")[0])
        self.update(inputs)
        self._api.policy = self

    def update(self, inputs):
        assert inputs["format"] == "xml", inputs
        ElementTree.fromstring(inputs["value"])
        self.text = inputs["value"]

    def properties(self):
        return {"format": "xml", "value": self.text}

    def close(self):
        self._api.policy = None


SERVICE = "Microsoft.ApiManagement/service/{serviceName}"
KINDS = {
    "azure-native:apimanagement:ApiManagementService": Kind(SERVICE, Service),
    "azure-native:apimanagement:Api": Kind(f"{SERVICE}/apis/{{apiId}}", Api, within=SERVICE),
    "azure-native:apimanagement:ApiPolicy": Kind(
        f"{SERVICE}/apis/{{apiId}}/policies/{{policyId}}", Policy, within=f"{SERVICE}/apis/{{apiId}}"
    ),
}
