"""Loaded by schemathesis: what a generator can't know of the service."""

import re
import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, **kwargs):
    """A valid Idempotency-Key is made this call's own: under another call's it is rightly refused with 422."""
    for name, value in dict(case.headers or {}).items():
        if name.lower() == "idempotency-key" and re.fullmatch(r"[!-~]{1,255}", str(value)):
            case.headers[name] = f"{uuid.uuid4()}{value}"[:255]
