"""A resource provider served by the test process, standing in for aws, azure-native and dynamic resources.

The engine is real. This returns inputs as outputs, with ids and what `answers` adds; a change of a property that `IMMUTABLE`
lists for a type replaces the resource, as in the cloud; what a cloud's rules refuse (`aws_rules`, `azure_rules`) fails.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from tests.engine import answers, aws_rules, azure_rules
from tests.engine.immutable import IMMUTABLE
from tests.engine.operation import Operation


class Resources(dict):
    """By URN, as (type, inputs)."""

    def of(self, token):
        return [inputs for kind, inputs in self.values() if kind == token]

    def one(self, token):
        [inputs] = self.of(token)
        return inputs

    def named(self, token):
        """By logical name."""
        return {urn.rpartition("::")[2]: inputs for urn, (kind, inputs) in self.items() if kind == token}


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Keeps what was created as `resources`, and in `made` how many there are of each.

    `drifted` is what somebody changed by hand, by URN: properties, or None for what is gone. `configured` and `asked` are what
    providers were started with, and their functions. `fault(urn)` may say why a creation fails. `changed` has what was
    ever changed, as (type, path of a property), and whether in place: else it came with a replacement. `existing`
    is what may be imported, by id.
    """

    def __init__(self):
        self.resources, self.deleted, self.drifted, self.made = Resources(), set(), {}, Counter()
        self.configured, self.asked, self.changed, self.fault = [], [], {}, lambda urn: None
        self._gone, self.existing = [], {}
        self._server = grpc.server(ThreadPoolExecutor(16))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def adopt(self, state):
        """Knows the resources of a state as existing."""
        for one in state:
            if one["custom"] and not one["type"].startswith("pulumi:"):
                self.resources[one["urn"]] = (one["type"], one["inputs"])

    def debug_providers(self):
        return ",".join(f"{name}:{self.port}" for name in ("aws", "azure-native", "pulumi-python", "random"))

    def close(self):
        self._server.stop(0)

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=False, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="9.9.9")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        self.configured.append(config := plain(request.args))
        if answers.ACCOUNT not in config.get("allowedAccountIds", answers.ACCOUNT):  # in Terraform's own words
            context.abort(grpc.StatusCode.UNKNOWN, f"AWS account ID not allowed: {answers.ACCOUNT}")
        return provider_pb2.ConfigureResponse(
            acceptSecrets=False, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        token = request.urn.split("::")[2].split("$")[-1]
        old, new = plain(request.old_inputs), plain(request.news)
        ignored = set(request.ignoreChanges)
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} - ignored - {"__provider"}
        if token == DYNAMIC:
            changed -= {"path"}
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        for path in _differ(old, new, changed):
            self.changed.setdefault((token, path), False)
        return provider_pb2.DiffResponse(
            changes=kind, diffs=sorted(changed), replaces=sorted(changed & IMMUTABLE.get(token, set()))
        )

    def Create(self, request, context):
        token, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::")[-1]
        inputs = plain(request.properties)
        outputs = inputs | answers.computed(token, name, inputs)
        if request.preview:  # what the cloud adds is not known yet
            outputs = {key: value for key, value in outputs.items() if inputs.get(key) == value}
        if not request.preview:
            if why := self.fault(request.urn):
                context.abort(grpc.StatusCode.UNKNOWN, why)
            self._refuse(Operation("create", token, name, inputs, {}, self.resources, self._gone), context)
            self.resources[request.urn] = (token, inputs)
            self.made[request.urn] += 1
        resource_id = "" if request.preview else f"/{token}/{name}".replace(" ", "-")
        return provider_pb2.CreateResponse(id=resource_id, properties=struct(outputs))

    def Update(self, request, context):
        token, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::")[-1]
        inputs, before = plain(request.news), plain(request.old_inputs)
        own = (before.keys() | inputs.keys()) - {"__provider"}
        self.changed |= {(token, path): True for path in _differ(before, inputs, own) if (token, path) in self.changed}
        outputs = inputs | answers.computed(token, name, inputs)
        if "version" in outputs and token == "aws:lambda/function:Function":
            del outputs["version"]
            if not request.preview:  # each update publishes
                outputs["version"] = str(int(plain(request.olds).get("version", "0")) + 1)
        if not request.preview:
            self._refuse(Operation("update", token, name, inputs, before, self.resources, self._gone), context)
            self.resources[request.urn] = (token, inputs)
        return provider_pb2.UpdateResponse(properties=struct(outputs))

    def Delete(self, request, context):
        self.made[request.urn] -= 1
        if self.made[request.urn] <= 0 and request.urn in self.resources:
            # Else another one of this name came before the old one went.
            self._gone.append(self.resources.pop(request.urn))
        self.deleted.add(request.urn)
        return empty_pb2.Empty()

    def Read(self, request, context):
        if request.id in self.existing and not request.properties.fields:  # an import
            existing = struct(self.existing[request.id])
            self.resources[request.urn] = (request.urn.split("::")[2].split("$")[-1], self.existing[request.id])
            return provider_pb2.ReadResponse(id=request.id, properties=existing, inputs=existing)
        changed = self.drifted.get(request.urn, {})
        if changed is None:
            return provider_pb2.ReadResponse()
        properties, inputs = plain(request.properties) | changed, plain(request.inputs) | changed
        return provider_pb2.ReadResponse(id=request.id, properties=struct(properties), inputs=struct(inputs))

    def Invoke(self, request, context):
        self.asked.append((request.tok, arguments := plain(request.args)))
        if (answer := answers.asked(request.tok, arguments)) is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok} is not stood in for")
        return provider_pb2.InvokeResponse(**{"return": struct(answer)})

    def _refuse(self, operation, context):
        for rules in (aws_rules, azure_rules):
            if why := rules.refused(operation):
                context.abort(grpc.StatusCode.UNKNOWN, why)

    def Cancel(self, request, context):
        return empty_pb2.Empty()


DYNAMIC = "pulumi-python:dynamic:Resource"
MAPS = ("variables", "code", "tags")
"""Whose keys are no properties of the type."""


def _differ(old, new, keys, before=""):
    """The paths at which two objects differ, among these keys."""
    for key in keys:
        was, now, path = old.get(key), new.get(key), f"{before}{key}"
        if isinstance(was or {}, dict) and isinstance(now or {}, dict) and key not in MAPS:
            yield from _differ(was or {}, now or {}, (was or {}).keys() | (now or {}).keys(), f"{path}.")
        elif was != now and UNKNOWN not in json.dumps(now):  # a preview does not know yet
            yield path


def plain(properties):
    return json_format.MessageToDict(properties)


def struct(properties):
    return json_format.ParseDict(properties, struct_pb2.Struct())
