"""What runs and what may: functions, their triggers and permissions, roles."""

import base64
import json
import uuid
from pathlib import Path

from tests.engine.emulated.kind import Kind, Plain, only, pairs


class Role(Kind):
    """An IAM role and who may take it on."""

    service = "iam"

    def create(self, client, given, tags):
        """See `Kind`."""
        client.create_role(RoleName=given["name"], AssumeRolePolicyDocument=given["assumeRolePolicy"], Tags=pairs(tags))
        return given["name"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = client.get_role(RoleName=id)["Role"]
        return {"name": id, "arn": found["Arn"], "assumeRolePolicy": json.dumps(found["AssumeRolePolicyDocument"])}

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_role(RoleName=id)


class RolePolicy(Kind):
    """A policy inside a role."""

    service = "iam"

    def create(self, client, given, tags):
        """See `Kind`."""
        client.put_role_policy(RoleName=given["role"], PolicyName=given["name"], PolicyDocument=given["policy"])
        return f"{given['role']}:{given['name']}"

    def read(self, client, id, given):
        """See `Kind`."""
        role, _, name = id.partition(":")
        found = client.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}

    def update(self, client, id, old, new):
        """See `Kind`."""
        self.create(client, new, {})

    def delete(self, client, id, given):
        """See `Kind`."""
        client.delete_role_policy(RoleName=given["role"], PolicyName=given["name"])


class Function(Plain):
    """A Lambda function from the zip that the program names; with `publish` each change is a version."""

    def __init__(self):
        super().__init__("lambda", "function", "FunctionName", renamed={"name": "FunctionName"})

    def create(self, client, given, tags):
        """See `Kind`."""
        client.create_function(
            **self._configuration(given),
            Architectures=given["architectures"],
            Code={"ZipFile": Path(given["code"]["path"]).read_bytes()},
            Publish=given.get("publish", False),
            Tags=tags,
        )
        client.get_waiter("function_active_v2").wait(FunctionName=given["name"], WaiterConfig={"Delay": 1})
        return given["name"]

    def read(self, client, id, given):
        """See `Kind`."""
        found = client.get_function_configuration(FunctionName=id)
        versions = client.list_versions_by_function(FunctionName=id)["Versions"]
        published = [version["Version"] for version in versions if version["Version"] != "$LATEST"]
        digest = base64.b64decode(found["CodeSha256"]).hex()
        return self.properties(found) | {
            "arn": found["FunctionArn"],
            "invokeArn": invoke_arn(found["FunctionArn"]),
            "environment": {"variables": found["Environment"]["Variables"]},
            "publish": bool(published),
            "version": max(published, key=int, default="$LATEST"),
            # The program's archive is the one that is there when its bytes are; its hash is hexadecimal.
            "code": given["code"] if digest == given["code"]["hash"] else digest,
            "sourceCodeHash": digest,
        }

    def update(self, client, id, old, new):
        """See `Kind`."""
        updated = client.get_waiter("function_updated_v2")
        client.update_function_configuration(**self._configuration(new))
        updated.wait(FunctionName=id, WaiterConfig={"Delay": 1})
        if old["sourceCodeHash"] != new["sourceCodeHash"]:
            client.update_function_code(FunctionName=id, ZipFile=Path(new["code"]["path"]).read_bytes())
            updated.wait(FunctionName=id, WaiterConfig={"Delay": 1})
        if new.get("publish"):
            client.publish_version(FunctionName=id)

    def _configuration(self, given):
        apart = {"code", "sourceCodeHash", "architectures", "environment", "publish"}
        own = self.arguments({name: value for name, value in given.items() if name not in apart})
        return own | {"Environment": {"Variables": given["environment"]["variables"]}}


class Alias(Plain):
    """A function's alias."""

    def __init__(self):
        super().__init__("lambda", "alias", "Name", within=("functionName", "FunctionName"))

    def read(self, client, id, given):
        """See `Kind`."""
        found = super().read(client, id, given)
        return found | {"arn": found["aliasArn"], "invokeArn": invoke_arn(found["aliasArn"])}


def invoke_arn(arn):
    """What an integration calls a function, or its alias, by."""
    return f"arn:aws:apigateway:{arn.split(':')[3]}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Permission(Plain):
    """Who may invoke a function: a statement of its policy."""

    def __init__(self):
        super().__init__("lambda", "permission", "StatementId", renamed={"function": "FunctionName"})

    def create(self, client, given, tags):
        """See `Kind`."""
        id = f"terraform-{uuid.uuid4().hex}"
        client.add_permission(**self.arguments(given), StatementId=id)
        return id

    def read(self, client, id, given):
        """See `Kind`."""
        policy = json.loads(client.get_policy(**self._of(given))["Policy"])
        found = only([statement for statement in policy["Statement"] if statement["Sid"] == id])
        function = found["Resource"].partition(":function:")[2].split(":")
        conditions = {name: value for test in found.get("Condition", {}).values() for name, value in test.items()}
        principal = found["Principal"]
        return {
            "function": function[0],
            "qualifier": function[1] if function[1:] else None,
            "action": found["Action"],
            "principal": principal if isinstance(principal, str) else principal.get("Service") or principal["AWS"],
            "sourceArn": conditions.get("AWS:SourceArn"),
            "functionUrlAuthType": conditions.get("lambda:FunctionUrlAuthType"),
        }

    def delete(self, client, id, given):
        """See `Kind`."""
        client.remove_permission(**self._of(given), StatementId=id)

    def _of(self, given):
        return {"FunctionName": given["function"]} | ({"Qualifier": given["qualifier"]} if "qualifier" in given else {})


class Mapping(Plain):
    """An event source mapping. The program names the function by its ARN, or its alias's."""

    def __init__(self):
        super().__init__("lambda", "event_source_mapping", "UUID")

    def read(self, client, id, given):
        """See `Kind`."""
        found = super().read(client, id, given)
        return found | {"functionName": found["functionArn"], "arn": found["eventSourceMappingArn"]}


class Schedule(Plain):
    """A schedule of EventBridge Scheduler; the service takes no tags for one."""

    def __init__(self):
        super().__init__("scheduler", "schedule", "Name")

    def create(self, client, given, tags):
        """See `Kind`."""
        return f"default/{super().create(client, given, tags)}"

    def _named(self, id, given):
        return {"Name": id.removeprefix("default/")}


KINDS = {
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:lambda/function:Function": Function(),
    "aws:lambda/alias:Alias": Alias(),
    "aws:lambda/permission:Permission": Permission(),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Mapping(),
    "aws:scheduler/schedule:Schedule": Schedule(),
}
