"""What an Azure role lets its holder do: its actions at the scopes of its assignments, under the assignments' condition.

The condition's language is read as far as the kit writes it ("Azure role assignment condition format and syntax").
"""

import re

_TOKEN = re.compile(r"\s*(\(|\)|AND\b|OR\b|!|ActionMatches\{'[^']+'\}|@\w+\[[^\]]+\] ForAnyOfAnyValues:\w+ \{[^}]*\})")
_ATTRIBUTE = re.compile(r"@(\w+)\[([^\]]+)\] ForAnyOfAnyValues:\w+ \{([^}]*)\}")


def allowed(documents, action, scope, **attributes):
    """Whether the roles as `twofold deployer` prints them, given at the scopes that it prints, allow an action at a scope.

    `attributes` are of the assignment that is written or deleted: RoleDefinitionId, PrincipalType.
    """
    condition = documents.get("condition", {}).get("Condition")
    for name, scopes in documents["scopes"].items():
        role = documents[name]
        assert all(
            any(_below(one, limit) for limit in role["AssignableScopes"]) for one in scopes
        )  # else Azure refuses it
        if not any(_below(scope, one) for one in scopes):
            continue
        if action.lower() not in {one.lower() for one in role["Actions"]}:
            continue
        if condition is None or holds(condition, action, attributes):
            return True
    return False


def _below(scope, limit):
    return f"{scope}/".lower().startswith(f"{limit}/".lower())


def holds(condition, action, attributes):
    """Whether a condition lets an action through."""
    tokens = _TOKEN.findall(condition)
    assert "".join(tokens).replace(" ", "") == condition.replace(" ", ""), condition
    value, rest = _either(tokens, action, attributes)
    assert not rest, rest
    return value


def _either(tokens, *about):
    value, tokens = _both(tokens, *about)
    while tokens and tokens[0] == "OR":
        other, tokens = _both(tokens[1:], *about)
        value = value or other
    return value, tokens


def _both(tokens, *about):
    value, tokens = _one(tokens, *about)
    while tokens and tokens[0] == "AND":
        other, tokens = _one(tokens[1:], *about)
        value = value and other
    return value, tokens


def _one(tokens, action, attributes):
    first, *rest = tokens
    if first == "(":
        value, rest = _either(rest, action, attributes)
        assert rest[0] == ")"
        return value, rest[1:]
    if first == "!":
        value, rest = _one(rest, action, attributes)
        return not value, rest
    if first.startswith("ActionMatches"):
        return first.split("'")[1].lower() == action.lower(), rest
    _, name, values = _ATTRIBUTE.fullmatch(first).groups()
    attribute = attributes.get(name.rpartition(":")[2], "").lower()
    return attribute in {value.strip(" '").lower() for value in values.split(",")}, rest
