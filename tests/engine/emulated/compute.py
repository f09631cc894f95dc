"""What runs and what may: functions, their triggers and permissions, roles."""

import base64
import json
import uuid
from pathlib import Path

from tests.engine.emulated.kind import Kind, Plain, only, pairs


class Role(Kind):
    """An IAM role and who may take it on."""

    service = "iam"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.create_role(
            RoleName=inputs["name"], AssumeRolePolicyDocument=inputs["assumeRolePolicy"], Tags=pairs(tags)
        )
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        role = client.get_role(RoleName=resource_id)["Role"]
        return {
            "name": resource_id,
            "arn": role["Arn"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
        }

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_role(RoleName=resource_id)


class RolePolicy(Kind):
    """A policy inside a role."""

    service = "iam"

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.put_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"])
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        role, _, name = resource_id.partition(":")
        policy = client.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": json.dumps(policy["PolicyDocument"])}

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        self.create(client, new, {})

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.delete_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"])


class Function(Plain):
    """A Lambda function from the zip that the program names; with `publish` each change is a version."""

    def __init__(self):
        super().__init__("lambda", "function", "FunctionName", renamed={"name": "FunctionName"})

    def create(self, client, inputs, tags):
        """See `Kind`."""
        client.create_function(
            **self._configuration(inputs),
            Architectures=inputs["architectures"],
            Code={"ZipFile": Path(inputs["code"]["path"]).read_bytes()},
            Publish=inputs.get("publish", False),
            Tags=tags,
        )
        client.get_waiter("function_active_v2").wait(FunctionName=inputs["name"], WaiterConfig={"Delay": 1})
        return inputs["name"]

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        configuration = client.get_function_configuration(FunctionName=resource_id)
        versions = client.list_versions_by_function(FunctionName=resource_id)["Versions"]
        published = [version["Version"] for version in versions if version["Version"] != "$LATEST"]
        digest = base64.b64decode(configuration["CodeSha256"]).hex()
        return self.properties(configuration) | {
            "arn": configuration["FunctionArn"],
            "invokeArn": invoke_arn(configuration["FunctionArn"]),
            "environment": {"variables": configuration["Environment"]["Variables"]},
            "publish": bool(published),
            "version": max(published, key=int, default="$LATEST"),
            # The program's archive is the one that is there when its bytes are; its hash is hexadecimal.
            "code": inputs["code"] if digest == inputs["code"]["hash"] else digest,
            "sourceCodeHash": digest,
        }

    def update(self, client, resource_id, old, new):
        """See `Kind`."""
        updated = client.get_waiter("function_updated_v2")
        client.update_function_configuration(**self._configuration(new))
        updated.wait(FunctionName=resource_id, WaiterConfig={"Delay": 1})
        if old["sourceCodeHash"] != new["sourceCodeHash"]:
            client.update_function_code(FunctionName=resource_id, ZipFile=Path(new["code"]["path"]).read_bytes())
            updated.wait(FunctionName=resource_id, WaiterConfig={"Delay": 1})
        if new.get("publish"):
            client.publish_version(FunctionName=resource_id)

    def _configuration(self, inputs):
        apart = {"code", "sourceCodeHash", "architectures", "environment", "publish"}
        own = self.arguments({name: value for name, value in inputs.items() if name not in apart})
        return own | {"Environment": {"Variables": inputs["environment"]["variables"]}}


class Alias(Plain):
    """A function's alias."""

    def __init__(self):
        super().__init__("lambda", "alias", "Name", within=("functionName", "FunctionName"))

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        properties = super().read(client, resource_id, inputs)
        return properties | {"arn": properties["aliasArn"], "invokeArn": invoke_arn(properties["aliasArn"])}


def invoke_arn(arn):
    """What an integration calls a function, or its alias, by."""
    return f"arn:aws:apigateway:{arn.split(':')[3]}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Permission(Plain):
    """Who may invoke a function: a statement of its policy."""

    def __init__(self):
        super().__init__("lambda", "permission", "StatementId", renamed={"function": "FunctionName"})

    def create(self, client, inputs, tags):
        """See `Kind`."""
        resource_id = f"terraform-{uuid.uuid4().hex}"
        client.add_permission(**self.arguments(inputs), StatementId=resource_id)
        return resource_id

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        policy = json.loads(client.get_policy(**self._of(inputs))["Policy"])
        own = only([statement for statement in policy["Statement"] if statement["Sid"] == resource_id])
        function = own["Resource"].partition(":function:")[2].split(":")
        conditions = {name: value for test in own.get("Condition", {}).values() for name, value in test.items()}
        principal = own["Principal"]
        return {
            "function": function[0],
            "qualifier": function[1] if function[1:] else None,
            "action": own["Action"],
            "principal": principal if isinstance(principal, str) else principal.get("Service") or principal["AWS"],
            "sourceArn": conditions.get("AWS:SourceArn"),
            "functionUrlAuthType": conditions.get("lambda:FunctionUrlAuthType"),
        }

    def delete(self, client, resource_id, inputs):
        """See `Kind`."""
        client.remove_permission(**self._of(inputs), StatementId=resource_id)

    def _of(self, inputs):
        return {"FunctionName": inputs["function"]} | (
            {"Qualifier": inputs["qualifier"]} if "qualifier" in inputs else {}
        )


class Mapping(Plain):
    """An event source mapping. The program names the function by its ARN, or its alias's."""

    def __init__(self):
        super().__init__("lambda", "event_source_mapping", "UUID")

    def read(self, client, resource_id, inputs):
        """See `Kind`."""
        properties = super().read(client, resource_id, inputs)
        return properties | {"functionName": properties["functionArn"], "arn": properties["eventSourceMappingArn"]}


class Schedule(Plain):
    """A schedule of EventBridge Scheduler; the service takes no tags for one."""

    def __init__(self):
        super().__init__("scheduler", "schedule", "Name")

    def create(self, client, inputs, tags):
        """See `Kind`."""
        return f"default/{super().create(client, inputs, tags)}"

    def _named(self, resource_id, inputs):
        return {"Name": resource_id.removeprefix("default/")}


KINDS = {
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:lambda/function:Function": Function(),
    "aws:lambda/alias:Alias": Alias(),
    "aws:lambda/permission:Permission": Permission(),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Mapping(),
    "aws:scheduler/schedule:Schedule": Schedule(),
}
