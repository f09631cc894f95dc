"""What a dynamic resource tells the user: one message. Pulumi's provider for them answers every exception with its traceback."""

import json
import sys
import traceback

SDKS = ("azure", "boto3", "botocore", "httpx")
"""What speaks to a cloud: their errors say what the cloud said, and their traceback adds nothing."""


class Told(Exception):
    """Went wrong, and the message says what to do: shown by `pulumi up` as it is."""


class Unhealthy(Told):
    """What was deployed does not answer as it should; the message has its answer and the log line that tells why."""


def warn(message: str) -> None:
    """A dynamic resource's warning: the engine shows what its process writes to standard error."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


def plainly() -> None:
    """From now on this process, which runs a dynamic resource, formats what is Told, or an SDK's, as its message alone.

    `pulumi/dynamic/__main__.py` ends each failed call with `traceback.format_exc()`, and leaves no other way to say less.
    """
    if getattr(traceback.format_exc, "told", False):
        return
    before = traceback.format_exc

    def format_exc(limit: int | None = None, chain: bool = True) -> str:
        exc = sys.exception()
        if isinstance(exc, Told):
            return str(exc)
        if type(exc).__module__.partition(".")[0] in SDKS:
            return f"{type(exc).__name__}: {' '.join(str(exc).split())}"
        return before(limit, chain)

    format_exc.told = True  # type: ignore[attr-defined]
    traceback.format_exc = format_exc


def said(line: str) -> str:
    """What a log line says to people: of the kit's JSON, the message and the error's; any other line as it is."""
    try:
        found = json.loads(line)
        return " ".join(str(found[name]) for name in ("message", "error.message") if name in found) or line
    except (ValueError, TypeError):
        return line
