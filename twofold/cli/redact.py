"""What may be shown to others of a text that others wrote: secrets are taken out, ids are shortened, people are not named.

When in doubt it takes out too much: a long run of letters and digits is taken for a secret. Shortened ids still tell which are
the same: of an AWS account the last four digits stay, of a GUID (subscription, tenant, client) the first four.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

SECRET = "<secret>"  # noqa: S105 - what stands in its place
_NAMED = (
    r"[\w.-]*(?:secret|passw|pwd|token|api[_-]?key|access[_-]?key|accountkey|sharedaccess|credential|passphrase|signature|"
    r"instrumentationkey|connectionstring|connection[_-]string|authorization|cookie|external[_-]?id|webhook)[\w.-]*"
)
# Up to the quote of the same depth of escaping, or where that was cut off to the line's end.
_QUOTED = r"(?P<depth>\\*)(?P<quote>[\"'])(?:[\s\S]*?(?<!\\)(?P=depth)(?P=quote)|.*)"
_HEX = r"[0-9a-f]{1,4}"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), instead)
    for pattern, flags, instead in (
        (r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL, SECRET),
        (r"\beyJ[\w-]+\.[\w-]*(?:\.[\w-]*)?", 0, "<token>"),
        (r"\b(bearer|basic)\s+[^\s\"',;]+", re.I, r"\1 " + SECRET),
        (r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"']+@", re.I, rf"\1{SECRET}@"),
        (r"([?&](?:sig|code|token|key|sv|se|st|spr|sp|X-Amz-[\w-]+)=)[^&\s\"']+", re.I, rf"\1{SECRET}"),
        # A colon counts before a space or a quote: else it is in a type's name.
        (rf"((?<![\w.-]){_NAMED}\\*[\"']?\s*(?:=|:(?=[\s\\\"']))\s*)({_QUOTED}|[^\s;,&\"'}}]+)", re.I, rf"\1{SECRET}"),
        (rf"((?<!\S)--{_NAMED}\s+)(?!-)({_QUOTED}|\S+)", re.I, rf"\1{SECRET}"),
        (r"(https?://(?=[^\s\"']*(?:hooks\.|webhook))[^/\s\"']+/)[^\s\"']+", re.I, rf"\1{SECRET}"),
        (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b", 0, SECRET),
        (r"\b([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I, r"\1…"),
        (r"(?<![\w.])\d{8}(\d{4})(?![\w.])", 0, r"…\1"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", 0, "<address>"),
        (rf"(?<![\w:.-])(?:{_HEX}:){{7}}{_HEX}(?![\w:])", re.I, "<ip>"),
        (rf"(?<![\w:.-])(?=[0-9a-f:]*\d)(?:{_HEX}(?::{_HEX}){{0,6}})?::(?:{_HEX}(?::{_HEX}){{0,6}})?(?![\w:])", re.I, "<ip>"),
        (r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", 0, "<ip>"),
        (r"(?:/home/|/Users/|[A-Z]:\\Users\\)[^/\\\s\"']+", 0, "~"),
        (r"(?<![\w+/=])(?=[^\s]{0,39}\d)(?=[^\s]{0,39}[A-Z])(?=[^\s]{0,39}[a-z])[\w+/]{40}(?![\w+/])", 0, SECRET),
        (r"(?<![\w+=])(?=[\w+=]*\d)(?=[\w+=]*[A-Za-z])([\w+=]{4})[\w+=]{28,}", 0, r"\1<long>"),
    )
)  # fmt: skip
_SECRET_NAME = re.compile(_NAMED, re.I)
LEAST = 6
"""Characters that a known secret must have to be looked for: shorter ones would stand in words."""


def text(original: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, an id or a person, and without the `known` secrets."""
    for secret in sorted({one for one in known if len(one) >= LEAST}, key=len, reverse=True):
        original = original.replace(secret, SECRET)
    for pattern, instead in _RULES:
        original = pattern.sub(instead, original)
    return original


def value(original: Any, known: Iterable[str] = ()) -> Any:
    """The same for all texts and numbers of a value, its names included; what has a secret's name is taken out whole."""
    if isinstance(original, Mapping):
        return {
            text(str(name), known): SECRET
            if _SECRET_NAME.fullmatch(str(name).rpartition(":")[2]) and inner
            else value(inner, known)
            for name, inner in original.items()
        }
    if isinstance(original, list | tuple):
        return [value(one, known) for one in original]
    if original is None or isinstance(original, bool):
        return original
    shown = text(str(original), known)
    return original if isinstance(original, int | float) and shown == str(original) else shown


def secrets_of(named: Mapping[str, Any]) -> set[str]:
    """The values of variables, or of keys of config, that have a secret's name; what is encrypted is none in plain."""
    return {
        str(one)
        for name, one in named.items()
        if _SECRET_NAME.fullmatch(name.rpartition(":")[2]) and not isinstance(one, Mapping)
    }
