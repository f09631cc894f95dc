"""A strict OpenID Connect issuer, in process: discovery, key set, rotation, and a signer that signs anything, good or bad.

Known divergences from real ones: no clients, no login, no grants: a test asks for a token by calling `token`. Its discovery
document has what OpenID Connect Discovery 1.0 requires of an issuer without endpoints for people, and no more.
"""

import base64
import hmac
import json
import threading
import time
import warnings

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from twofold.emulators.server import Answer, FakeServer

AUDIENCE = "orders"
ALGORITHMS = {
    "rsa": "RS256", "ec256": "ES256", "ec384": "ES384", "ec521": "ES512", "ed": "EdDSA", "ps": "PS256",
    "encryption": "RS256", "weak": "RS256", "k1": "ES256K", "shared": "HS256",
}  # fmt: skip
"""Kid -> what it signs with unless told otherwise; the last four must never be trusted."""


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def changed(members, changes):
    """`members` with `changes`; a change to None takes the member away."""
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def signature(algorithm, text, key):
    """What `algorithm` makes of `text`; a key as bytes is a shared secret, which the library would refuse to make of PEM."""
    if isinstance(key, bytes):
        return hmac.digest(key, text.encode(), f"sha{algorithm[2:]}")
    return JWSRegistry.algorithms[algorithm].sign(text.encode(), key)


def compact(header, payload, algorithm, key):
    """A JWS of these bytes or objects, signed with `algorithm` whatever the header says."""
    text = f"{b64(as_json(header))}.{b64(as_json(payload))}"
    return f"{text}.{b64(signature(algorithm, text, key))}"


def generate():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    return {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
        "ec256": ECKey.generate_key("P-256", {"kid": "ec256"}),
        "ec384": ECKey.generate_key("P-384", {"kid": "ec384"}),
        "ec521": ECKey.generate_key("P-521", {"kid": "ec521"}),
        "ed": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        "ps": RSAKey.generate_key(2048, {"kid": "ps", "alg": "PS256"}),
        "encryption": RSAKey.generate_key(2048, {"kid": "encryption", "use": "enc"}),
        "weak": weak,
        "k1": ECKey.generate_key("secp256k1", {"kid": "k1"}),
        "shared": OctKey.generate_key(256, {"kid": "shared"}),
    }


class IssuerFake(FakeServer):
    """`url` is the issuer. `configuration` and `jwks` are what it says of itself: change them to make it lie. It hangs
    while `go` is not set."""

    def __init__(self):
        self.keys, self.go = generate(), threading.Event()
        self.go.set()
        super().__init__()
        self.url = f"https://{self.host}/realms/shop"
        self.configuration = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"https://{self.host}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @property
    def jwks(self):
        junk = [{"kty": "PQ", "kid": "of-tomorrow"}, {"kty": "RSA", "kid": "broken", "n": "x"}, {"kid": "typeless"}]
        published = [key.as_dict(private=key.key_type == "oct") for key in self.keys.values()]
        return {"keys": junk + published}

    def serve(self, method, path, query, headers, body):
        self.go.wait()
        documents = {
            "/realms/shop/.well-known/openid-configuration": lambda: self.configuration,
            "/keys": lambda: self.jwks,
        }
        if path not in documents:
            raise Answer(404, {"error": "not found"})
        if method != "GET" or query or body:
            raise Answer(405, {"error": "GET, without anything"})
        return Answer(200, documents[path]())

    def fetches(self):
        """How often the key set was asked for."""
        return sum(path == "/keys" for _, path in self.requests)

    def claims(self, **changes):
        now = int(time.time())
        own = {
            "iss": self.url, "aud": AUDIENCE, "sub": "c-1", "client_id": "shop", "iat": now, "exp": now + 300,
            "jti": "j-1", "scope": "orders.read orders.write",
        }  # fmt: skip
        return changed(own, changes)

    def header(self, kid="rsa", /, **changes):
        return changed({"typ": "at+jwt", "alg": ALGORITHMS[kid], "kid": kid}, changes)

    def token(self, kid="rsa", *, header=None, payload=None, algorithm=None, key=None, **claims):
        """A good token, but for what the arguments change."""
        fields = self.header(kid, **(header or {}))
        algorithm = algorithm or fields["alg"]
        return compact(fields, self.claims(**claims) if payload is None else payload, algorithm, key or self.keys[kid])

    def rotate(self, kid, successor):
        """Withdraws a key and publishes another one, of the same algorithm, under `successor`."""
        old = self.keys.pop(kid)
        ALGORITHMS[successor] = ALGORITHMS[kid]
        self.keys[successor] = RSAKey.generate_key(2048, {"kid": successor})
        return old
