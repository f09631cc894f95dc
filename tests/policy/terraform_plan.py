"""A captured AWS stack as the Terraform plan that asks for the same, for a scanner to read.

pulumi-aws is Terraform's own provider behind another spelling: camelCase for snake_case, a plural for a repeated block, an object
for a block that stands once. Here it is spelled back. Nothing is added that the stack does not say.
"""

import re

from tests.engine.answers import computed

SINGULAR = {"attributes": "attribute", "origins": "origin", "custom_headers": "custom_header", "rules": "rule"}
MAPS = ("variables", "dimensions", "tags", "tags_all", "default_tags", "request_parameters")
"""Objects that are maps of the user's, not blocks."""
RENAMED = {"aws_s3_bucket_objectv2": "aws_s3_object"}
"""Types that Terraform names otherwise."""
LEFT_OUT = ("pulumi:", "pulumi-python:", "random:")


def convert(resources):
    """The plan, and the logical name of each of its resources by its address as the scanner names it."""
    planned, configured, names = [], [], {}
    references = _references(resources)
    for urn, (token, inputs) in resources.items():
        if token.startswith(LEFT_OUT):
            continue
        address = _address(token, urn)
        kind, name = address.split(".")
        linked = {key: _named(value, references) for key, value in inputs.items()}
        # What another resource has to give is not known in a plan: there stands a reference.
        known = {key: value for key, value in inputs.items() if not key.startswith("__") and not linked[key]}
        values = _block(known)
        planned.append({"address": address, "mode": "managed", "type": kind, "name": name, "values": values})
        expressions = {_snake(key): {"references": sources} for key, sources in linked.items() if sources}
        configured.append(
            {"address": address, "mode": "managed", "type": kind, "name": name, "expressions": expressions}
        )
        names[address] = f"{token} {urn.rpartition('::')[2]}"
    changes = [
        {"address": one["address"], "type": one["type"], "name": one["name"], "mode": "managed",
         "change": {"actions": ["create"], "before": None, "after": one["values"], "after_unknown": {}}}
        for one in planned
    ]  # fmt: skip
    plan = {
        "format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes, "configuration": {"root_module": {"resources": configured}},
    }  # fmt: skip
    return plan, names


def _address(token, urn):
    module, kind = token.split(":")[1].split("/")
    logical = re.sub(r"[^A-Za-z0-9]+", "_", urn.rpartition("::")[2])
    type = f"aws_{module}_{_snake(kind)}"
    return f"{RENAMED.get(type, type)}.{logical}"


def _snake(text):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), text)


def _block(inputs):
    result = {}
    for key, value in inputs.items():
        name = SINGULAR.get(_snake(key), _snake(key))
        if isinstance(value, dict) and name in MAPS:
            result[name] = value
        elif isinstance(value, dict):
            result[name] = [_block(value)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            result[name] = [_block(one) for one in value]
        else:
            result[name] = value
    return result


def _references(resources):
    """Which resource's attribute a value is: ids and ARNs, as the stand-in gives them."""
    sources = {}
    for urn, (token, inputs) in resources.items():
        if not token.startswith(LEFT_OUT):
            logical, address = urn.rpartition("::")[2], _address(token, urn)
            outputs = computed(token, logical, inputs) | {"id": f"/{token}/{logical}".replace(" ", "-")}
            for attribute in ("arn", "id", "streamArn", "invokeArn"):
                if attribute in outputs:
                    # The stand-in gives alike names alike ARNs: what is referred to was made first.
                    sources.setdefault(outputs[attribute], [f"{address}.{_snake(attribute)}", address])
    return sources


def _named(value, references):
    values = value if isinstance(value, list) else [value]
    return [name for one in values if isinstance(one, str) for name in references.get(one, ())]
