"""The homes that a service can live in: each folder here with a `drivers.py`, which names its drivers by URL scheme.

A new home is a new folder; nothing else lists it. Naming a driver imports no SDK: `open_driver` imports the one it opens.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twofold.manifest import load


@cache
def drivers(block: str) -> Mapping[str, str]:
    """Scheme -> `"package.module:open"` of a block (`store`, `queue`, `events`, `secrets`, `cache`, `telemetry`, `metrics`)."""
    targets: dict[str, str] = {}
    for file in sorted(Path(__file__).parent.glob("*/drivers.py")):
        home = importlib.import_module(f"twofold.{file.parent.name}.drivers")
        targets |= home.DRIVERS.get(block, {})
    return targets


def open_driver(block: str, url: str, **options: str) -> Any:
    """The driver of a URL, by its scheme; does no I/O. Settings have checked the scheme before."""
    return load(drivers(block)[urlsplit(url).scheme])(url, **options)
