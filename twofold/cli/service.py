"""The service that a command is for: the one in the working folder, or the one that `--manifest` names."""

import sys
from pathlib import Path

from twofold.errors import TwofoldError
from twofold.handlers import describe_error
from twofold.manifest import ServiceManifest, load

MANIFEST = "api.manifest:SERVICE"


def manifest_of(target: str) -> ServiceManifest:
    """The ServiceManifest that `"package.module:attribute"` names. Raises TwofoldError.

    `MANIFEST` is the working folder's own: not that of the kit's checkout, which is importable from everywhere.
    """
    try:
        manifest = load(target)
    except (Exception, SystemExit) as exc:
        where = "; run this in your service's folder" if _lacks(exc, target) else ""
        raise TwofoldError(f"can't read the manifest {target}: {describe_error(exc)}{where}") from exc
    if not isinstance(manifest, ServiceManifest):
        raise TwofoldError(f"{target} is a {type(manifest).__name__}, not a ServiceManifest")
    origin = sys.modules[target.partition(":")[0]].__file__ or ""
    if target == MANIFEST and not Path(origin).is_relative_to(Path.cwd()):
        raise TwofoldError(
            f"there is no service in {Path.cwd()} (api/manifest.py): run this in your service's folder, or name its --manifest"
        )
    return manifest


def _lacks(exc: BaseException, target: str) -> bool:
    """Whether the module itself is not there, or its package."""
    return isinstance(exc, ModuleNotFoundError) and f"{target.partition(':')[0]}.".startswith(f"{exc.name}.")
