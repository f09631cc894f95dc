"""The deployment kit: typed stack config, the environment contract, the artifact, and components for each cloud."""

from pathlib import Path


def clouds() -> tuple[str, ...]:
    """The clouds that have components: the folders beside this file."""
    return tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))
