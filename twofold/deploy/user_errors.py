"""The errors of a dynamic resource that are for the user: one message. Pulumi answers every exception there with its traceback."""

import json
import sys
import traceback

SDKS = ("azure", "boto3", "botocore", "httpx")
"""What speaks to a cloud: their errors say what the cloud said, and their traceback adds nothing."""


class UserError(Exception):
    """Went wrong, and the message says what to do: shown by `pulumi up` as it is."""


class Unhealthy(UserError):
    """What was deployed does not answer as it should; the message has its answer and the log line that tells why."""


def warn(message: str) -> None:
    """A dynamic resource's warning: the engine shows what its process writes to standard error."""
    print(f"warning: {message}", file=sys.stderr, flush=True)


def hide_tracebacks() -> None:
    """From now on this process, which runs a dynamic resource, formats a UserError, or an SDK's error, as its message alone.

    `pulumi/dynamic/__main__.py` ends each failed call with `traceback.format_exc()`, and leaves no other way to say less.
    """
    original = traceback.format_exc
    if getattr(original, "hides_tracebacks", False):
        return

    def format_exc(limit: int | None = None, chain: bool = True) -> str:
        exc = sys.exception()
        if isinstance(exc, UserError):
            return str(exc)
        if type(exc).__module__.partition(".")[0] in SDKS:
            return f"{type(exc).__name__}: {' '.join(str(exc).split())}"
        return original(limit, chain)

    format_exc.hides_tracebacks = True  # type: ignore[attr-defined]
    traceback.format_exc = format_exc


def log_message(line: str) -> str:
    """A log line as people read it: of the kit's JSON the message and the error's; any other line as it is."""
    try:
        record = json.loads(line)
        return " ".join(str(record[name]) for name in ("message", "error.message") if name in record) or line
    except (ValueError, TypeError):
        return line
