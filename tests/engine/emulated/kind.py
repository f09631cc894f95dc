"""How boto3 makes what the engine asks for: one object a resource type, and what their tables are made of."""

import json
import threading

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# ministack answers nobody else while it removes a function's unpacked copies: minutes, on a machine that is busy.
PATIENT = Config(read_timeout=240, retries={"total_max_attempts": 1})
_MAKING = threading.Lock()


def client_of(service, region):
    """A new client; boto3 makes one at a time."""
    with _MAKING:
        return boto3.client(service, region_name=region, config=PATIENT)


class Gone(Exception):
    """A list has no such thing; operations that read one raise ClientError."""


class Kind:
    """A resource type of `pulumi-aws`, said in boto3's words.

    - `create(client, given, tags)` makes it and returns its id.
    - `read(client, id, given)` returns what the account says of it, under the provider's names.
    - `update(client, id, old, new)` changes it in place; `delete(client, id, given)` takes it away.

    `read` raises ClientError or Gone when there is none. ARNs that no answer has are composed as the real provider composes them.
    """

    service: str

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        raise NotImplementedError(f"{type(self).__name__} can't change {sorted(changed(old, new))}")


class Plain(Kind):
    """A type whose properties are the operations' arguments in another spelling: `memorySize` is `MemorySize`.

    `id` is the argument that names one; `within` names, property and argument, what it lies in. `renamed` has the
    properties that are spelled otherwise than by their first letter, at any depth; `operations` the verbs that are not
    create, get, update and delete.
    """

    def __init__(self, service, noun, resource_id, *, within=None, renamed=(), **operations):
        self.service, self._noun, self._id, self._within = service, noun, resource_id, within
        self._renamed, self._operations = dict(renamed), operations

    def create(self, client, inputs, tags):
        """See `Kind`."""
        arguments = self.arguments(inputs)
        members = client.meta.service_model.operation_model(self._api_name(client, "create")).input_shape.members
        if "Tags" in members:
            arguments["Tags"] = pairs(tags) if members["Tags"].type_name == "list" else tags
        answer = self._call(client, "create", arguments) or {}
        return answer.get(self._id) or arguments[self._id]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        named = self._named(resource_id, inputs)
        return self.properties(self._call(client, "get", named) | named)

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        members = client.meta.service_model.operation_model(self._api_name(client, "update")).input_shape.members
        if refused := set(self.arguments(changed(old, new))) - set(members):
            raise NotImplementedError(f"{self._noun} can't change {sorted(refused)}")
        known = {name: value for name, value in self.arguments(new).items() if name in members}
        self._call(client, "update", known | self._named(resource_id, new))

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        self._call(client, "delete", self._named(resource_id, inputs))

    def arguments(self, inputs):
        """The provider's properties as the SDK's arguments."""
        return spelled(inputs, lambda name: self._renamed.get(name, name[0].upper() + name[1:]))

    def properties(self, answer):
        """An answer under the provider's names."""
        back = {argument: name for name, argument in self._renamed.items()}
        return spelled(answer, lambda name: back.get(name, name[0].lower() + name[1:]))

    def _named(self, resource_id, inputs):
        return ({self._within[1]: inputs[self._within[0]]} if self._within else {}) | {self._id: resource_id}

    def _call(self, client, verb, arguments):
        return getattr(client, f"{self._operations.get(verb, verb)}_{self._noun}")(**arguments)

    def _api_name(self, client, verb):
        return client.meta.method_to_api_mapping[f"{self._operations.get(verb, verb)}_{self._noun}"]


class NotThere(Kind):
    """A type that ministack has no operation for: it is in the engine's state alone. The test asserts which these are."""

    def __init__(self, service):
        self.service = service

    def create(self, client, inputs, tags):
        """See `Kind`."""
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        return inputs

    def update(self, client, resource_id, old, new):
        """See `Kind`."""

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""


def spelled(value, name):
    """The value with every key as `name` says it."""
    match value:
        case dict():
            return {name(key): spelled(item, name) for key, item in value.items()}
        case list():
            return [spelled(item, name) for item in value]
    return value


def changed(old, new):
    """What of `new` differs from `old`; None for what is no more."""
    return {name: new.get(name) for name in old | new if old.get(name) != new.get(name)}


def pairs(mapping, key="Key", value="Value"):
    """A map as the list of objects that many operations take."""
    return [{key: name, value: text} for name, text in mapping.items()]


def only(items):
    """The one that was found."""
    if len(items) != 1:
        raise Gone
    return items[0]


def is_gone(error):
    """Whether an exception of `read` says that there is no such thing."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return isinstance(error, Gone) or any(word in code for word in ("NotFound", "NonExistent", "NoSuch"))


def differences(wanted, actual, path=""):
    """The paths of what was given and is not found: members that are missing or other. JSON texts are compared as JSON."""
    match wanted, actual:
        case dict(), dict():
            members = (differences(value, actual.get(name), f"{path}.{name}") for name, value in wanted.items())
            return {each for paths in members for each in paths}
        case list(), list() if len(wanted) == len(actual):
            sides = (sorted(side, key=lambda one: json.dumps(one, sort_keys=True)) for side in (wanted, actual))
            return {each for one, other in zip(*sides, strict=True) for each in differences(one, other, path)}
        case str(), str() if wanted[:1] in "{[" and wanted[:1]:
            return set() if json.loads(wanted) == json.loads(actual) else {path[1:]}
    return set() if wanted == actual else {path[1:]}
