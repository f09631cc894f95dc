"""API Management's policy documents as its reference pages have them: sections, elements, attributes, values, order.

Read from learn.microsoft.com's policy reference (choose, validate-jwt, check-header, set-header, set-status, set-body,
return-response, rate-limit-by-key, authentication-managed-identity, forward-request): what the kit writes and no more.
"""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

INBOUND, BACKEND, OUTBOUND, ON_ERROR = SECTIONS = ("inbound", "backend", "outbound", "on-error")
ANY = re.compile(r".+", re.DOTALL)
NUMBER = re.compile(r"\d+")
BOOLEAN = re.compile(r"true|false")
EXPRESSION = re.compile(r"@[({].*[)}]", re.DOTALL)
TIERS = ("Consumption", "Developer", "Basic", "BasicV2", "Standard", "StandardV2", "Premium")


@dataclass(frozen=True)
class Element:
    """`children` stand in this order; None means any policy that the section allows, `()` none, and text then."""

    required: dict = ()
    optional: dict = ()
    children: tuple | None = ()
    sections: tuple = SECTIONS
    tiers: tuple = TIERS


KNOWN = {
    "base": Element(),
    "choose": Element(children=("when", "otherwise")),
    "when": Element({"condition": EXPRESSION}, children=None),
    "otherwise": Element(children=None),
    "validate-jwt": Element(
        {"header-name": ANY},
        {
            "failed-validation-httpcode": NUMBER, "failed-validation-error-message": ANY, "require-scheme": ANY,
            "require-expiration-time": BOOLEAN, "require-signed-tokens": BOOLEAN, "clock-skew": NUMBER,
            "output-token-variable-name": re.compile(r"\w+"),
        },
        ("openid-config", "issuer-signing-keys", "decryption-keys", "audiences", "issuers", "required-claims"),
        (INBOUND,),
    ),
    "openid-config": Element({"url": re.compile(r"https://\S+/\.well-known/openid-configuration")}),
    "audiences": Element(children=("audience",)),
    "audience": Element(),
    "required-claims": Element(children=("claim",)),
    "claim": Element({"name": ANY}, {"match": re.compile("all|any"), "separator": ANY}, children=("value",)),
    "check-header": Element(
        {
            "name": ANY, "failed-check-httpcode": NUMBER, "failed-check-error-message": ANY, "ignore-case": BOOLEAN,
        },
        children=("value",), sections=(INBOUND,),
    ),
    "set-header": Element(
        {"name": ANY}, {"exists-action": re.compile("override|skip|append|delete")}, children=("value",)
    ),
    "value": Element(),
    "set-status": Element({"code": NUMBER}, {"reason": ANY}),
    "set-body": Element({}, {"template": re.compile("liquid"), "xsi-nil": re.compile("blank|null")}),
    "return-response": Element({}, {"response-variable-name": ANY}, ("set-status", "set-header", "set-body")),
    "rate-limit-by-key": Element(
        {"calls": NUMBER, "renewal-period": re.compile(r"[1-9]\d?|[12]\d\d|300"), "counter-key": ANY},
        {"increment-condition": EXPRESSION, "increment-count": NUMBER},
        sections=(INBOUND,), tiers=tuple(tier for tier in TIERS if tier != "Consumption"),
    ),
    "authentication-managed-identity": Element(
        {"resource": ANY}, {"client-id": ANY, "output-token-variable-name": ANY, "ignore-error": BOOLEAN},
        sections=(INBOUND,),
    ),
    "forward-request": Element(
        {}, {"timeout": NUMBER, "follow-redirects": BOOLEAN, "buffer-request-body": BOOLEAN}, sections=(BACKEND,)
    ),
}  # fmt: skip


def problems(text, tier="Consumption"):
    """Everything that the reference does not have; [] for a document that it has."""
    root = ElementTree.fromstring(text)
    texts = [] if root.tag == "policies" else [f"the root is {root.tag}"]
    if [section.tag for section in root] != list(SECTIONS):
        texts.append(f"the sections are {[section.tag for section in root]}")
    for section in root:
        for policy in section:
            texts += _check(policy, section.tag, tier)
    return texts


def _check(element, section, tier):
    known = KNOWN.get(element.tag)
    if known is None:
        return [f"{element.tag} is unknown"]
    texts = []
    if section not in known.sections:
        texts.append(f"{element.tag} in {section}")
    if tier not in known.tiers:
        texts.append(f"{element.tag} in the tier {tier}")
    allowed = dict(known.required) | dict(known.optional)
    texts += [f"{element.tag} lacks {name}" for name in known.required if name not in element.attrib]
    for name, value in element.attrib.items():
        if name not in allowed:
            texts.append(f"{element.tag} has {name}")
        elif not allowed[name].fullmatch(value):
            texts.append(f"{element.tag} has {name}={value!r}")
        texts += _expression(value)
    tags = [child.tag for child in element]
    if known.children is not None:
        places = [known.children.index(tag) if tag in known.children else -1 for tag in tags]
        if -1 in places or places != sorted(places):
            texts.append(f"{element.tag} has the children {tags}")
    if element.tag in ("value", "audience", "set-body") and not (element.text or "").strip():
        texts.append(f"{element.tag} is empty")
    texts += _expression(element.text or "")
    return texts + [problem for child in element for problem in _check(child, section, tier)]


def _expression(text):
    """An expression's brackets and quotes are closed, and several statements return."""
    if not text.lstrip().startswith("@"):
        return []
    code = re.sub(r'"(?:[^"\\]|\\.)*"|\'.\'', '""', text)
    closed = all(code.count(a) == code.count(b) for a, b in ("()", "[]", "{}")) and code.count('"') % 2 == 0
    returns = not text.lstrip().startswith("@{") or "return " in text
    return [] if closed and returns else [f"the expression {text!r}"]
