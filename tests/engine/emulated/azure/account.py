"""An Azure subscription with its tenant on this machine: what stands in it, who may what, and who is asking.

Known divergences: a role works at once; tokens are known, not signed; control plane rights are not looked at, except that the
deployer alone has any.
"""

import hashlib
import io
import os
import tempfile
import threading
import uuid
import zipfile
from pathlib import Path
from typing import NamedTuple

from tests.engine.answers import SUBSCRIPTION, TENANT
from tests.engine.emulated.azure.roles import ROLES
from tests.engine.emulated.kind import Gone
from tests.engine.front import Front
from twofold.emulators.managed_identity import ManagedIdentityFake, storage_token
from twofold.emulators.server import Answer

DEPLOYER = "o"
"""The object id that `answers` gives whoever is logged in."""


class Assignment(NamedTuple):
    principal: str
    role: str
    scope: str


class Account:
    """`held` is what stands at each resource id. `environ` is what the deployer's and operator's processes need: where the
    hosts are, and a login. `refused` has (principal, action, scope) of each call that no role allowed."""

    def __init__(self, *trusts):
        self.front = Front(*trusts)
        self.held, self.assignments, self.refused = {}, {}, []
        self._tokens: dict[str, tuple[str, str]] = {}
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self._unpacking = threading.Lock()
        self._login = ManagedIdentityFake(lambda client, resource: self.token(DEPLOYER, resource))
        self.environ = self.front.environ | self._login.environ

    def close(self):
        for thing in reversed(list(self.held.values())):
            thing.close()
        self._login.close()
        self.front.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def at(self, resource_id):
        """What stands there. Raises Gone."""
        if resource_id not in self.held:
            raise Gone(resource_id)
        return self.held[resource_id]

    def in_group(self, group, path):
        return self.at(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{path}")

    def all(self, kind):
        """Everything of a class."""
        return [thing for thing in list(self.held.values()) if isinstance(thing, kind)]

    def unpacked(self, package):
        """A folder with what a zip holds, for every app that has the same one: Flex Consumption mounts it, to read alone."""
        folder = Path(self._folder.name) / hashlib.sha256(package).hexdigest()
        with self._unpacking:
            if not folder.exists():
                with zipfile.ZipFile(io.BytesIO(package)) as archive:
                    archive.extractall(folder)
        return folder

    def token(self, principal, resource):
        """A token of a principal of this tenant, as Entra makes them."""
        audience = resource.rstrip("/")
        token = storage_token(audience, TENANT, oid=principal, jti=str(uuid.uuid4()))
        self._tokens[token] = (principal, audience)
        return token

    def caller(self, authorization, *audiences):
        """Whose token it is, for one of these audiences; None of any other."""
        scheme, _, token = (authorization or "").partition(" ")
        principal, audience = self._tokens.get(token, (None, None))
        return principal if scheme == "Bearer" and audience in [one.rstrip("/") for one in audiences] else None

    def assign(self, resource_id, principal, role, scope):
        """A role's assignment, to somebody who is there, on something that is."""
        known = {DEPLOYER, *(thing.principal for thing in list(self.held.values()) if hasattr(thing, "principal"))}
        if principal not in known:
            raise LookupError(f"PrincipalNotFound: {principal}")
        if scope not in self.held:
            raise LookupError(f"there is no {scope}")
        if role not in ROLES:
            raise LookupError(f"what the role {role} allows is not known here")
        self.assignments[resource_id] = Assignment(principal, role, scope)

    def allows(self, principal, action, scope):
        """Whether some role lets it; what none does is kept as refused."""
        for assignment in list(self.assignments.values()):
            within = scope == assignment.scope or scope.startswith(f"{assignment.scope}/")
            if assignment.principal == principal and within and action in ROLES[assignment.role]:
                return True
        self.refused.append((principal, action, scope))
        return False

    def require_deployer(self, request):
        """401 for anybody else's token."""
        if self.caller(request.headers["Authorization"], "https://management.azure.com") != DEPLOYER:
            raise Answer(401, {"error": {"code": "AuthenticationFailed", "message": "the deployer's token, please"}})
