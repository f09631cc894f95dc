"""The stand-in provider before an emulated account: what the engine asks for is made on ministack, by boto3.

`AWS_ENDPOINT_URL` and credentials in the environment say where, as for every AWS SDK. What a resource puts out is what the
account answers. `lost` has, by type, which inputs it does not give back: what ministack doesn't hold. Dynamic resources are
the SDK's own provider's, see `plugin.py`.
"""

import json
from functools import cache

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from tests.engine.emulated import compute, data, gateway
from tests.engine.emulated.kind import client_of, differences, is_gone
from tests.engine.operation import Operation
from tests.engine.provider import StandIn, plain, struct

KINDS = data.KINDS | compute.KINDS | gateway.KINDS


class Emulated(StandIn):
    """Makes the types of `kinds`. Any other of the cloud ends the update, so that none is left out unseen."""

    kinds = KINDS

    def __init__(self):
        super().__init__()
        self.lost, self._region, self._tags = {}, None, {}
        self._client = cache(client_of)

    def debug_providers(self):
        return f"aws:{self.port}"

    def Configure(self, request, context):
        config = plain(request.args)
        self._region, self._tags = config["region"], json.loads(config["defaultTags"])["tags"]
        return super().Configure(request, context)

    def Create(self, request, context):
        if request.preview:
            return super().Create(request, context)
        kind, client, inputs = self._asked(request.urn, request.properties)
        name = request.urn.rpartition("::")[2]
        self._refuse(Operation("create", token_of(request.urn), name, inputs, {}, self.resources), context)
        resource_id = kind.create(client, inputs, self._tags | inputs.get("tags", {}))
        return provider_pb2.CreateResponse(id=resource_id, properties=self._outputs(request.urn, resource_id, inputs))

    def Update(self, request, context):
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)  # what the account adds is not known yet
        kind, client, inputs = self._asked(request.urn, request.news)
        before, name = whole(plain(request.old_inputs)), request.urn.rpartition("::")[2]
        self._refuse(Operation("update", token_of(request.urn), name, inputs, before, self.resources), context)
        kind.update(client, request.id, before, inputs)
        return provider_pb2.UpdateResponse(properties=self._outputs(request.urn, request.id, inputs))

    def Read(self, request, context):
        kind, client, inputs = self._asked(request.urn, request.inputs)
        try:
            actual = kind.read(client, request.id, inputs)
        except Exception as exc:
            if is_gone(exc):
                return provider_pb2.ReadResponse()
            raise
        known = inputs.keys() - self._forgotten(request.urn)
        drifted = {name: actual.get(name) for name in known if differences({name: inputs[name]}, actual)}
        outputs = self._outputs(request.urn, request.id, inputs | drifted)
        return provider_pb2.ReadResponse(id=request.id, inputs=struct(inputs | drifted), properties=outputs)

    def Delete(self, request, context):
        kind, client, inputs = self._asked(request.urn, request.old_inputs)
        kind.delete(client, request.id, inputs)
        self.resources.pop(request.urn)
        self.deleted.add(request.urn)
        return empty_pb2.Empty()

    def _asked(self, urn, properties):
        inputs = whole(plain(properties))
        return *self._at(token_of(urn), inputs), inputs

    def _at(self, token, inputs):
        """The kind of a type, and what makes it."""
        if token not in self.kinds:
            raise NotImplementedError(f"{token} is not made here")
        return self.kinds[token], self._client(self.kinds[token].service, inputs.get("region", self._region))

    def _outputs(self, urn, resource_id, inputs):
        token = token_of(urn)
        kind, client = self._at(token, inputs)
        actual = json.loads(json.dumps(kind.read(client, resource_id, inputs), default=str))
        self.lost.setdefault(token, set()).update(differences(inputs, actual))
        self.resources[urn] = (token, inputs)
        return struct(inputs | {name: value for name, value in actual.items() if value is not None})

    def _forgotten(self, urn):
        return {path.partition(".")[0] for path in self.lost.get(token_of(urn), ())}


def token_of(urn):
    return urn.split("::")[2].split("$")[-1]


def whole(value):
    """Numbers as boto3 wants them: the engine's are all floats."""
    match value:
        case dict():
            return {name: whole(item) for name, item in value.items()}
        case list():
            return [whole(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value
