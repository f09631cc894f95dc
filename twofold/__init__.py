"""Twofold: one FastAPI service, deployed to Azure or to AWS, with the same promises on both.

The names here are the public API for services; `twofold.portable` has the blocks, `twofold.testing` their suites,
`twofold.deploy` the Pulumi components. Names that are not listed in an `__all__` may change in any release.
"""

from twofold.errors import TwofoldError
from twofold.manifest import (
    ConsumerSpec,
    ProjectionSpec,
    QueueSpec,
    ScheduleSpec,
    SecretSpec,
    ServiceManifest,
    SettingSpec,
)

__version__ = "0.1.0"

__all__ = [
    "ConsumerSpec",
    "ProjectionSpec",
    "QueueSpec",
    "ScheduleSpec",
    "SecretSpec",
    "ServiceManifest",
    "SettingSpec",
    "TwofoldError",
    "__version__",
]
