"""Policies as IAM takes them, in JSON."""

import json


def policy(*statements: dict[str, object]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: list[str], resources: list[str]) -> dict[str, object]:
    """The statement that allows these actions on these resources."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def trust(service: str) -> str:
    """The policy of a role that a service of AWS takes."""
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
