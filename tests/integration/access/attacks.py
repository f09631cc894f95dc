"""Every forged, stolen, stale or malformed token that we know of: name -> (what is sent, why it is refused).

Each is made of the good token by changing one thing; what is sent is a token, or a list of whole Authorization values.
"""

import json
import time

from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.fakes.issuer import as_json, b64, compact, signature

ATTACKER = RSAKey.generate_key(2048, {"kid": "attacker"})
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NOT_A_JWT, UNREADABLE = "no signed JWT", "can't be read"
ALGORITHM, TYPE, NO_KEY = "an algorithm that is not allowed", "no access token", "names no key"
UNKNOWN_KEY, SIGNATURE, CONTENT = (
    "a key that the issuer does not have",
    "signature is not valid",
    "signature or content",
)
ATTACKS = {}


def attack(name, refused):
    def register(make):
        assert name not in ATTACKS
        ATTACKS[name] = make, refused
        return make

    return register


def claim(name, value):
    """A token whose claim `name` is `value`; without it when that is None."""
    attack(f"{name} {'missing' if value is None else json.dumps(value)[:40]}", f"the token's claim {name}")(
        lambda issuer: issuer.token(**{name: value})
    )


def raw_claim(name, member, refused):
    """A token with one more member, as text: what `json.dumps` would not write."""

    @attack(name, refused)
    def make(issuer):
        claims = issuer.claims()
        claims.pop(member.split(":")[0].strip('"'), None)
        return issuer.token(payload=json.dumps(claims)[:-1].encode() + f", {member}}}".encode())


def head(name, refused, **changes):
    """A token whose header is changed, and signed by the right key all the same."""
    attack(name, refused)(lambda issuer: issuer.token(header=changes, algorithm="RS256"))


def pem(key):
    return key.as_pem(private=False)


def spliced(token, part, text):
    parts = token.split(".")
    parts[part] = text
    return ".".join(parts)


# Algorithms
for algorithm in ("none", "NONE", "nOnE", "", "RS1", "ES256K", "HS256 ", "dir", "RSA-OAEP"):
    head(f"alg {algorithm!r} over a good signature", ALGORITHM, alg=algorithm)
head("alg missing", UNREADABLE, alg=None)
head("alg a list", ALGORITHM, alg=["RS256"])
attack("alg none without a signature", NOT_A_JWT)(
    lambda issuer: compact(issuer.header(alg="none"), issuer.claims(), "none", None)
)
for hash in ("HS256", "HS384", "HS512"):
    attack(f"{hash} with the public RSA key as its secret", ALGORITHM)(
        lambda issuer, hash=hash: issuer.token(header={"alg": hash}, key=pem(issuer.keys["rsa"]))
    )
attack("HS256 with the public EC key as its secret", ALGORITHM)(
    lambda issuer: issuer.token("ec256", header={"alg": "HS256"}, key=pem(issuer.keys["ec256"]))
)
attack("HS256 with the JWK as its secret", ALGORITHM)(
    lambda issuer: issuer.token(header={"alg": "HS256"}, key=as_json(issuer.keys["rsa"].as_dict(private=False)))
)
attack("HS256 with a secret from the key set", ALGORITHM)(lambda issuer: issuer.token("shared"))
attack("PS256 signed as RS256", SIGNATURE)(lambda issuer: issuer.token(header={"alg": "PS256"}, algorithm="RS256"))
attack("RS256 signed as PS256", SIGNATURE)(lambda issuer: issuer.token(header={"alg": "RS256"}, algorithm="PS256"))
attack("RS256 with a key that is for PS256", UNKNOWN_KEY)(lambda issuer: issuer.token("ps", header={"alg": "RS256"}))
attack("RS512 signed as RS256", SIGNATURE)(lambda issuer: issuer.token(header={"alg": "RS512"}, algorithm="RS256"))
attack("ES384 with a P-256 key", CONTENT)(lambda issuer: issuer.token("ec256", header={"alg": "ES384"}))
attack("ES256 with a P-384 key", CONTENT)(lambda issuer: issuer.token("ec384", header={"alg": "ES256"}))
attack("RS256 with the id of an EC key", UNKNOWN_KEY)(lambda issuer: issuer.token(header={"kid": "ec256"}))
attack("EdDSA with the id of an RSA key", UNKNOWN_KEY)(lambda issuer: issuer.token("ed", header={"kid": "rsa"}))

# Keys
attack("signed by nobody's key under a good id", SIGNATURE)(lambda issuer: issuer.token(key=ATTACKER))
attack("an embedded jwk, its own id", UNKNOWN_KEY)(
    lambda issuer: issuer.token(header={"kid": "attacker", "jwk": ATTACKER.as_dict(private=False)}, key=ATTACKER)
)
attack("an embedded jwk, a good id", SIGNATURE)(
    lambda issuer: issuer.token(header={"jwk": ATTACKER.as_dict(private=False)}, key=ATTACKER)
)
attack("jku to the attacker's keys", SIGNATURE)(
    lambda issuer: issuer.token(header={"jku": f"https://{issuer.host}/attacker"}, key=ATTACKER)
)
attack("jku to an address inside", SIGNATURE)(
    lambda issuer: issuer.token(header={"jku": "http://169.254.169.254/latest/meta-data"}, key=ATTACKER)
)
attack("x5u to the attacker's certificate", SIGNATURE)(
    lambda issuer: issuer.token(header={"x5u": f"https://{issuer.host}/attacker"}, key=ATTACKER)
)
attack("x5c with the attacker's certificate", SIGNATURE)(
    lambda issuer: issuer.token(header={"x5c": ["MIIB"], "x5t": "dGh1bWI"}, key=ATTACKER)
)
attack("jwk that is no key", CONTENT)(lambda issuer: issuer.token(header={"jwk": "k"}))
for kid in (
    "other",
    "../../../dev/null",
    "' OR 1=1 --",
    "rsa\x00",
    "RSA",
    "of-tomorrow",
    "broken",
    "typeless",
    "k" * 5000,
):
    attack(f"kid {kid[:20]!r}", UNKNOWN_KEY)(lambda issuer, kid=kid: issuer.token(header={"kid": kid}))
attack("kid missing", NO_KEY)(lambda issuer: issuer.token(header={"kid": None}))
attack("kid a number", NO_KEY)(lambda issuer: issuer.token(header={"kid": 1}))
attack("kid a list", NO_KEY)(lambda issuer: issuer.token(header={"kid": ["rsa"]}))
attack("a key that is for encryption", UNKNOWN_KEY)(lambda issuer: issuer.token("encryption"))
attack("an RSA key of 1024 bits", UNKNOWN_KEY)(lambda issuer: issuer.token("weak"))
attack("an EC key on secp256k1", ALGORITHM)(lambda issuer: issuer.token("k1"))
attack("an EC key on secp256k1 as ES256", UNKNOWN_KEY)(
    lambda issuer: issuer.token("k1", header={"alg": "ES256"}, algorithm="ES256K")
)
attack("another Ed25519 key", SIGNATURE)(lambda issuer: issuer.token("ed", key=OKPKey.generate_key("Ed25519")))
attack("another P-256 key", SIGNATURE)(lambda issuer: issuer.token("ec256", key=ECKey.generate_key("P-256")))

# Signatures
for name, value in {
    "r and s zero": bytes(64),
    "r and s the group's order": P256_ORDER.to_bytes(32) * 2,
    "empty bytes": b"\0",
    "too short": bytes(63),
    "too long": bytes(65),
    "in DER": bytes.fromhex("3006020100020100"),
}.items():
    attack(f"ECDSA signature: {name}", SIGNATURE)(
        lambda issuer, value=value: spliced(issuer.token("ec256"), 2, b64(value))
    )
attack("RSA signature: zero", SIGNATURE)(lambda issuer: spliced(issuer.token(), 2, b64(bytes(256))))
attack("Ed25519 signature: zero", SIGNATURE)(lambda issuer: spliced(issuer.token("ed"), 2, b64(bytes(64))))
attack("signature of another token", SIGNATURE)(
    lambda issuer: spliced(issuer.token(), 2, issuer.token(sub="c-2").split(".")[2])
)
attack("signature cut off", NOT_A_JWT)(lambda issuer: issuer.token().rpartition(".")[0] + ".")
attack("signature truncated", SIGNATURE)(lambda issuer: issuer.token()[:-4])
attack("signature that is no base64url at its end", SIGNATURE)(lambda issuer: issuer.token()[:-1] + "_")
attack("claims changed after signing", SIGNATURE)(
    lambda issuer: spliced(issuer.token(), 1, b64(as_json(issuer.claims(sub="c-2"))))
)
attack("header changed after signing", SIGNATURE)(
    lambda issuer: spliced(issuer.token(), 0, b64(as_json(issuer.header(typ="JWT"))))
)

# Form
attack("no dots", NOT_A_JWT)(lambda issuer: "abc")
attack("two parts", NOT_A_JWT)(lambda issuer: issuer.token().rpartition(".")[0])
attack("four parts", NOT_A_JWT)(lambda issuer: issuer.token() + ".e30")
attack("five parts: a JWE", NOT_A_JWT)(
    lambda issuer: ".".join([b64(b'{"alg":"dir","enc":"A256GCM"}'), "", "a", "b", "c"])
)
attack("only dots", NOT_A_JWT)(lambda issuer: "..")
attack("header of padded base64", NOT_A_JWT)(lambda issuer: spliced(issuer.token(), 0, b64(b'{"alg":"RS256"}') + "=="))
attack("payload of plain base64", NOT_A_JWT)(lambda issuer: spliced(issuer.token(), 1, "+/+/"))
attack("header of impossible base64", UNREADABLE)(lambda issuer: spliced(issuer.token(), 0, "abcde"))
for name, header in {
    "not JSON": b"{alg:RS256}",
    "an array": b'["alg"]',
    "a string": b'"alg"',
    "null": b"null",
    "not UTF-8": b'{"alg":"RS256","kid":"\xff"}',
    "deeply nested": b'{"alg":' + b"[" * 3000,
    "with a name twice": b'{"alg":"none","alg":"RS256","kid":"rsa"}',
    "with a number of 5,000 digits": b'{"alg":"RS256","kid":"rsa","n":' + b"9" * 5000 + b"}",
}.items():
    attack(f"header {name}", UNREADABLE)(
        lambda issuer, header=header: compact(header, issuer.claims(), "RS256", issuer.keys["rsa"])
    )
for name, payload in {
    "not JSON": b"sub=c-1",
    "an array": b"[]",
    "a string": b'"sub"',
    "null": b"null",
    "a number": b"1",
    "a form": b"iss=a&sub=b",
    "not UTF-8": b'{"sub":"\xff"}',
    "in UTF-16": '{"sub":"c-1"}'.encode("utf-16"),
    "deeply nested": b'{"a":' + b"[" * 4000 + b"]" * 1000,
    "with a number of 5,000 digits": b'{"exp":' + b"9" * 5000 + b"}",
}.items():
    attack(f"payload {name}", CONTENT)(lambda issuer, payload=payload: issuer.token(payload=payload))
raw_claim("sub twice", '"sub": "c-1", "sub": "c-2"', CONTENT)
raw_claim("scope twice", '"scope": "orders.read", "scope": "orders.admin"', CONTENT)
raw_claim("a name twice, one of them escaped", '"aud": "orders", "\\u0061ud": "other"', CONTENT)
attack("oversized, else good", "longer than 8192 bytes")(lambda issuer: issuer.token(pad="x" * 6000))
attack("9,000 bytes of nothing", "longer than 8192 bytes")(lambda issuer: "x" * 9000)
attack("a token within a token", CONTENT)(
    lambda issuer: issuer.token(header={"cty": "JWT"}, payload=issuer.token().encode())
)

# What kind of token
for typ in ("id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", 1, ["at+jwt"]):
    attack(f"typ {typ!r}", TYPE)(lambda issuer, typ=typ: issuer.token(header={"typ": typ}))
attack("an id token by token_use", TYPE)(lambda issuer: issuer.token(token_use="id"))
attack("an id token by at_hash", TYPE)(lambda issuer: issuer.token(at_hash="MTIz", nonce="n"))
attack("an id token by its own typ", TYPE)(lambda issuer: issuer.token(typ="ID"))
attack("a refresh token by its own typ", TYPE)(lambda issuer: issuer.token(typ="Refresh"))
attack("a logout token", TYPE)(
    lambda issuer: issuer.token(events={"http://schemas.openid.net/event/backchannel-logout": {}})
)
attack("crit", "an extension that is not known")(lambda issuer: issuer.token(header={"crit": ["exp"], "exp": 1}))
attack("crit empty", "an extension that is not known")(lambda issuer: issuer.token(header={"crit": []}))


@attack("an unencoded payload (b64)", NOT_A_JWT)
def unencoded(issuer):
    header = b64(as_json(issuer.header(b64=False, crit=["b64"])))
    text = f"{header}.{json.dumps(issuer.claims())}"
    return f"{text}.{b64(signature('RS256', text, issuer.keys['rsa']))}"


# Claims
for audience in (
    None,
    "other",
    "Orders",
    "orders ",
    "orders2",
    "",
    [],
    ["other"],
    {"orders": True},
    1,
    [1],
    ["orders", 1],
):
    claim("aud", audience)
for issued_by in (None, "https://issuer.example", "", 1):
    claim("iss", issued_by)
attack("iss with a slash at its end", "the token's claim iss")(lambda issuer: issuer.token(iss=issuer.url + "/"))
attack("iss in capitals", "the token's claim iss")(lambda issuer: issuer.token(iss=issuer.url.upper()))
attack("iss a list", "the token's claim iss")(lambda issuer: issuer.token(iss=[issuer.url]))
attack("iss of another realm", "the token's claim iss")(
    lambda issuer: issuer.token(iss=issuer.url.replace("shop", "s"))
)
attack("client_id for aud, from no Cognito", "the token's claim aud")(lambda i: i.token(aud=None, client_id="orders"))
attack("what Cognito's would be, from no Cognito", "the token's claim aud")(
    lambda issuer: issuer.token(aud=None, client_id="orders", token_use="access")
)
for when in (0, -1, 1.5):
    attack(f"exp {when}", "expired")(lambda issuer, when=when: issuer.token(exp=when))
attack("expired long ago", "expired")(lambda issuer: issuer.token(exp=int(time.time()) - 86_400))
attack("expired just beyond the leeway", "expired")(lambda issuer: issuer.token(exp=int(time.time()) - 62))
for when in (None, "9999999999", True, [], {}, 10**30, 1e30):
    claim("exp", when)
for name in ("1e400", "Infinity", "NaN"):
    raw_claim(f"exp {name}", f'"exp": {name}', "the token's claim exp" if name == "1e400" else CONTENT)
attack("nbf in the future", "the token's claim nbf")(lambda issuer: issuer.token(nbf=int(time.time()) + 120))
attack("iat in the future", "the token's claim iat")(lambda issuer: issuer.token(iat=int(time.time()) + 120))
for name in ("nbf", "iat"):
    for when in ("0", True, [], 10**30):
        claim(name, when)
for subject in (None, "", 1, ["c-1"], {}, "s" * 256, "c-1\n", "c\x001", "\ud800"):
    claim("sub", subject)

# The header field
attack("empty", NOT_A_JWT)(lambda issuer: ["Bearer"])
attack("empty after the scheme", NOT_A_JWT)(lambda issuer: ["Bearer "])
attack("two tokens in one field", NOT_A_JWT)(lambda issuer: [f"Bearer {issuer.token()} {issuer.token()}"])
attack("two fields joined by a proxy", NOT_A_JWT)(lambda issuer: [f"Bearer {issuer.token()}, Bearer {issuer.token()}"])
attack("two good Authorization fields", "more than one")(lambda i: [f"Bearer {i.token()}", f"Bearer {i.token()}"])
attack("a good and a bad Authorization field", "more than one")(lambda i: [f"Bearer {i.token()}", "Bearer x"])
attack("Basic beside a good token", "more than one")(lambda i: ["Basic Yzpz", f"Bearer {i.token()}"])
attack("beyond ASCII", NOT_A_JWT)(lambda issuer: ["Bearer é.ü.ß"])
attack("in UTF-8", NOT_A_JWT)(lambda issuer: [b"Bearer " + "е.о.а".encode()])
attack("in quotes", NOT_A_JWT)(lambda issuer: [f'Bearer "{issuer.token()}"'])
attack("a zero byte", NOT_A_JWT)(lambda issuer: [f"Bearer {issuer.token()}\x00"])
for name, value in {
    "Basic": "Basic Yy0xOnNlY3JldA==",
    "no space": "Bearer:{token}",
    "a token alone": "{token}",
    "another scheme": "DPoP {token}",
    "a scheme like it": "Bearers {token}",
    "nothing at all": "",
}.items():
    attack(f"no bearer token: {name}", None)(lambda issuer, value=value: [value.format(token=issuer.token())])
