"""Releases on AWS: the versions of the units' functions, told apart by their code's digest; the alias `live` says which runs.

A version has its code and its configuration, so a release that comes back does so with the environment it had. Nothing is
uploaded: a rollback takes as long as moving one alias a unit.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from twofold.deploy.releases import Release, ReleaseError, verified

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import AliasConfigurationResponseTypeDef as Alias
    from types_boto3_lambda.type_defs import FunctionConfigurationTypeDef as Version

ALIAS = "live"


class Releases:
    """Of the functions `units` (by role) in the region of `lambda://<region>/<prefix>`; `?endpoint=` names an emulator."""

    def __init__(self, url: str, units: Mapping[str, str]) -> None:
        import boto3

        parts = urlsplit(url)
        endpoint = parse_qs(parts.query).get("endpoint", [None])[0]
        with _told("log in"):
            self._client = boto3.client("lambda", region_name=parts.hostname, endpoint_url=endpoint)
        self._units = units

    def read(self) -> list[Release]:
        """See `deploy.releases`. A digest that several versions have counts as deployed with the last of them."""
        with _told("read the releases"):
            when: dict[str, datetime] = {}
            live: dict[str, list[str]] = {}
            for role, function in self._units.items():
                versions = self._versions(function)
                for version in versions.values():
                    digest, at = _digest(version), datetime.fromisoformat(version["LastModified"])
                    when[digest] = max(at, when.get(digest, at))
                alias = self._client.get_alias(FunctionName=function, Name=ALIAS)
                if alias["FunctionVersion"] in versions:
                    live.setdefault(_digest(versions[alias["FunctionVersion"]]), []).append(role)
        releases = [Release(digest, at, tuple(live.get(digest, ()))) for digest, at in when.items()]
        return sorted(releases, key=lambda one: one.when, reverse=True)

    def activate(self, digest: str) -> None:
        """See `deploy.releases`. Each unit gets its newest version with that digest, at once and for all requests."""
        with _told("read the releases"):
            versions = {role: self._newest(function, digest) for role, function in self._units.items()}
            if missing := sorted(role for role, version in versions.items() if version is None):
                raise ReleaseError(f"{', '.join(missing)} has no version of {digest}: nothing was changed")
            before = {role: self._client.get_alias(FunctionName=name, Name=ALIAS) for role, name in self._units.items()}
        moved: dict[str, Alias] = {}
        try:
            with _told("move an alias"):
                for role, version in versions.items():
                    moved[role] = self._move(role, str(version), before[role]["RevisionId"])
        except ReleaseError as exc:
            raise ReleaseError(f"{exc}; {self._undo(moved, before)}") from exc

    def fetch(self, digest: str) -> bytes:
        """See `deploy.releases`."""
        import httpx

        with _told("read the code"):
            role, function = next(iter(self._units.items()))
            version = self._newest(function, digest)
            if version is None:
                raise ReleaseError(f"{role} has no version of {digest}")
            code = self._client.get_function(FunctionName=function, Qualifier=version)["Code"]
        if "Location" not in code:
            raise ReleaseError(f"{digest} is a container image, which is in its registry: {code.get('ImageUri')}")
        answer = httpx.get(code["Location"], timeout=300, follow_redirects=True)
        if answer.status_code != 200:
            raise ReleaseError(f"Lambda's storage answered {answer.status_code} to the code of {function}:{version}")
        return verified(answer.content, digest, f"{function}:{version}")

    def _versions(self, function: str) -> dict[str, "Version"]:
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        versions = [version for page in pages for version in page["Versions"]]
        return {version["Version"]: version for version in versions if version["Version"] != "$LATEST"}

    def _newest(self, function: str, digest: str) -> str | None:
        numbers = [number for number, version in self._versions(function).items() if _digest(version) == digest]
        return max(numbers, key=int, default=None)

    def _move(self, role: str, version: str, revision: str, weights: Mapping[str, float] | None = None) -> "Alias":
        return self._client.update_alias(
            FunctionName=self._units[role], Name=ALIAS, FunctionVersion=version, RevisionId=revision,
            RoutingConfig={"AdditionalVersionWeights": weights or {}},
        )  # fmt: skip

    def _undo(
        self,
        moved: Mapping[str, "Alias"],
        before: Mapping[str, "Alias"],
    ) -> str:
        stuck = []
        for role, alias in moved.items():
            weights = before[role].get("RoutingConfig", {}).get("AdditionalVersionWeights")
            try:
                with _told("move it back"):
                    self._move(role, before[role]["FunctionVersion"], alias["RevisionId"], weights)
            except ReleaseError:
                stuck.append(f"{role} (was {before[role]['FunctionVersion']}, is {alias['FunctionVersion']})")
        return f"could not be moved back: {', '.join(stuck)}" if stuck else "every unit runs what it ran before"


@contextlib.contextmanager
def _told(doing: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise ReleaseError(f"could not {doing}: {exc}") from exc


def _digest(version: "Version") -> str:
    """In hexadecimal: Lambda writes a zip's in base64, an image's as it is."""
    digest = version["CodeSha256"]
    return digest if len(digest) == 64 else base64.b64decode(digest).hex()
