"""The code that a manifest names, looked at before there is work for it: what can't be imported would fail each message."""

import inspect
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import HandlerError
from twofold.manifest import ServiceManifest, load
from twofold.portable.failure import reason

ALL = "all"
OTHERS = (f"{Path(__file__).parent}/", sysconfig.get_path("stdlib"))
"""Where the kit and Python are."""


def require(manifest: ServiceManifest, role: str = ALL) -> None:
    """Raises HandlerError with all `problems`, if there are any."""
    if wrong := problems(manifest, role):
        raise HandlerError(wrong)


def problems(manifest: ServiceManifest, role: str = ALL) -> list[str]:
    """A line for each handler of a role (of all of them) that can't be imported, or not be called as its kind is."""
    texts = []
    for what, target, arguments in _named(manifest, role):
        try:
            wrong = _misfit(load(target), arguments)
        except (Exception, SystemExit) as exc:
            wrong = describe_error(exc)
        if wrong:
            texts.append(f"{what}: {target}: {wrong}")
    return texts


def describe_error(exc: BaseException) -> str:
    """What an import raised, in a line, with the file and line of the service's code that did."""
    if isinstance(exc, SyntaxError):
        return f"{type(exc).__name__}: {exc.msg} ({exc.filename}, line {exc.lineno})"
    line = " ".join(reason(exc).split())
    own = [one for one in traceback.extract_tb(exc.__traceback__) if not one.filename.startswith(("<", *OTHERS))]
    own = [one for one in own if "site-packages" not in Path(one.filename).parts]
    return f"{line} ({own[-1].filename}, line {own[-1].lineno})" if own else line


def _named(manifest: ServiceManifest, role: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What it is for, its name, and the arguments that it is called with."""
    for queue in manifest.queues:
        if role in (ALL, queue.unit):
            yield f"queue {queue.name}", queue.handler, ("services", "message")
    if role in (ALL, "feed"):
        for consumer in manifest.consumers:
            yield f"consumer {consumer.name}", consumer.handler, ("services", "commit")
        for projection in manifest.projections:
            yield f"projection {projection.name}", projection.handler, ("services", "model", "commit")
    if role in (ALL, "schedule"):
        for schedule in manifest.schedules:
            yield f"schedule {schedule.name}", schedule.handler, ("services",)


def _misfit(handler: Any, arguments: tuple[str, ...]) -> str | None:
    if not callable(handler):
        return f"it is a {type(handler).__name__}, not a function"
    if inspect.isfunction(handler) and not inspect.iscoroutinefunction(handler):
        return "it is no coroutine function: write async def"
    try:
        inspect.signature(handler).bind(*arguments)
    except TypeError as exc:
        return f"it is called with ({', '.join(arguments)}): {exc}"
    except ValueError:
        return None  # one in C, which tells no signature
    return None
