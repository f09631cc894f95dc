"""What an artifact can do without: botocore's descriptions of the AWS services that no code in it can ask for.

botocore describes some 450 services in data, 16 MB of the zip. A client is asked for by its service's name, so a service
whose name stands in no module as a quoted text is left out; a name that is put together at run time needs such a text somewhere
(a constant will do), or botocore says `Unknown service`. Too much stays rather than too little: any quoted word counts.
"""

import re
from collections.abc import Mapping

DATA = "botocore/data/"
ITSELF = {"sts", "sso", "sso-oidc", "signin"}
"""What botocore opens by itself, for credentials."""
SDK = ("botocore/", "boto3/", "s3transfer/", "opentelemetry/semconv/")
"""Whose own modules name services of which only the caller knows whether they are used, or only what a span may say."""
EXAMPLES = "/examples-1.json"
"""Only botocore's documentation reads them."""
_QUOTED = re.compile(rb"""["']([a-z0-9-]{2,40})["']""")


def trimmed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files without those descriptions; all of them when there is no botocore."""
    named = set(ITSELF)
    if any(name.startswith(DATA) for name in files):
        for name, data in files.items():
            if name.endswith(".py") and not name.startswith(SDK):
                named |= {word.decode() for word in _QUOTED.findall(data)}
    return {name: data for name, data in files.items() if not _unused(name, named)}


def _unused(name: str, named: set[str]) -> bool:
    if not name.startswith(DATA):
        return False
    service, _, inside = name.removeprefix(DATA).partition("/")  # its endpoints and retries lie beside the services
    return bool(inside) and (service not in named or name.endswith(EXAMPLES))
