"""What Azure refuses although its provider's schema allows it: each rule with the document or report that says so."""

import re

from tests.engine import names

HOST_ID = re.compile(r"(?=.{1,32}$)[a-z0-9]+(?:-[a-z0-9]+)*")
HOST_ID_LIMIT = 32
ALONE = {
    "azure-native:cosmosdb:SqlResourceSqlRoleAssignment": "accountName",
    "azure-native:redisenterprise:AccessPolicyAssignment": "clusterName",
}
"""What an account takes one at a time (terraform-provider-azurerm#15842, azure-dev#6640), and once the directory knows the
principal (pulumi-azure-native#2816)."""


def refused(operation) -> str | None:
    """The cloud's own words when it would refuse this operation."""
    if why := names.wrong(operation.token, operation.inputs, names.AZURE):
        return why
    return next(
        (why for rule in (_vault, _cache, _query_rule, _saved_search, _host_id) if (why := rule(operation))),
        None,
    )


def _vault(operation):
    """Microsoft's overview of soft delete: the interval can't be changed; azure-rest-api-specs#18106: purge protection is no
    property that takes false. Left out, it stays as it is."""
    if operation.token != "azure-native:keyvault:Vault":
        return None
    now, before = (inputs.get("properties", {}) for inputs in (operation.inputs, operation.before))
    days = "softDeleteRetentionInDays"
    if operation.kind == "update" and now.get(days) != before.get(days):
        return f'BadRequest: The property "{days}" has been set already and it can\'t be modified.'
    if now.get("enablePurgeProtection") is False:
        return 'BadRequest: The property "enablePurgeProtection" cannot be set to false.'


def _cache(operation):
    """terraform-provider-azurerm, azurerm_managed_redis: changing high_availability_enabled forces another one."""
    changed = operation.inputs.get("highAvailability") != operation.before.get("highAvailability")
    if operation.kind == "update" and operation.token == "azure-native:redisenterprise:RedisEnterprise" and changed:
        return "BadRequest: highAvailability can't be changed."


def _query_rule(operation):
    """terraform-provider-azurerm, azurerm_monitor_scheduled_query_rules_alert_v2: changing scopes forces another one."""
    rule = operation.token == "azure-native:monitor:ScheduledQueryRule"
    if rule and operation.kind == "update" and operation.inputs.get("scopes") != operation.before.get("scopes"):
        return "BadRequest: Updating the scopes of a rule is not allowed."


def _saved_search(operation):
    """azure-docs#49275, azure-powershell#3093."""
    search = operation.token == "azure-native:operationalinsights:SavedSearch"
    if search and operation.kind == "update" and not operation.inputs.get("etag"):
        return "409 Conflict: Newer data exists."


def host_of(app):
    """The storage account and the id of an app's Functions host; azure-functions-host, ScriptHostIdProvider."""
    settings = {one["name"]: one["value"] for one in app["siteConfig"]["appSettings"]}
    usual = app["name"][:HOST_ID_LIMIT].lower().rstrip("-")
    return settings.get("AzureWebJobsStorage__accountName"), settings.get("AzureFunctionsWebHost__hostid", usual)


def _host_id(operation):
    """azure-functions-host#7682: a collision is an error since version 4."""
    if operation.token != "azure-native:web:WebApp" or "siteConfig" not in operation.inputs:
        return None
    account, resource_id = host_of(operation.inputs)
    others = [inputs for token, inputs in operation.resources.values() if token == operation.token]
    if not HOST_ID.fullmatch(resource_id):
        return f"a host id is 1 to 32 lower case letters, digits and single hyphens inside: {resource_id!r}"
    if (account, resource_id) in [host_of(one) for one in others if one["name"] != operation.inputs["name"]]:
        return f"A collision for Host ID '{resource_id}' was detected in the configured storage account."


def together(state):
    """Of a stack's state, the pairs that an account would be asked for at once; and what does not wait for its principal."""
    by_urn = {one["urn"]: one for one in state}

    def before(urn):
        earlier, left = set(), [urn]
        while left:
            for needed in by_urn.get(left.pop(), {}).get("dependencies", ()):
                if needed not in earlier:
                    earlier.add(needed)
                    left.append(needed)
        return earlier

    kinds = [one for one in state if one["type"] in ALONE]
    needed = {one["urn"]: before(one["urn"]) for one in kinds}
    pairs = {
        (one["urn"], other["urn"])
        for one in kinds
        for other in kinds
        if one["urn"] < other["urn"]
        and one["type"] == other["type"]
        and one["inputs"][ALONE[one["type"]]] == other["inputs"][ALONE[one["type"]]]
        and other["urn"] not in needed[one["urn"]]
        and one["urn"] not in needed[other["urn"]]
    }
    waited = {one["inputs"]["principal"]: one["urn"] for one in state if "principal" in one.get("inputs", {})}
    unknown = {one["urn"] for one in kinds if waited.get(_principal(one["inputs"])) not in needed[one["urn"]]}
    return pairs, unknown


def _principal(inputs):
    return inputs.get("principalId") or inputs["user"]["objectId"]
