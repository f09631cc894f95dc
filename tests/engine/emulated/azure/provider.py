"""The stand-in provider before an emulated Azure subscription: what the engine asks for is made on the fakes, on Azurite and as
processes of the Functions worker's library, out of the inputs.

What a resource puts out is what stands there; `lost` has, by type, which inputs nothing here goes by. Dynamic resources are the
SDK's own provider's, and reach the subscription as they would reach Azure: under its hosts' names.
"""

from google.protobuf import empty_pb2

from tests.engine.emulated.azure import compute, data, gateway, storage
from tests.engine.emulated.azure.kind import Attached, Kind
from tests.engine.emulated.provider import Emulated
from tests.engine.provider import StandIn, plain, struct

STATE_ALONE = {
    "azure-native:applicationinsights:Workbook": Kind("Microsoft.Insights/workbooks/{resourceName}"),
    "azure-native:monitor:DiagnosticSetting": Attached("resourceUri", "Microsoft.Insights/diagnosticSettings/{name}"),
    "azure-native:monitor:ScheduledQueryRule": Kind("Microsoft.Insights/scheduledQueryRules/{ruleName}"),
    "azure-native:operationalinsights:SavedSearch": Kind(
        "Microsoft.OperationalInsights/workspaces/{workspaceName}/savedSearches/{savedSearchId}"
    ),
    "azure-native:operationalinsights:Workspace": Kind("Microsoft.OperationalInsights/workspaces/{workspaceName}"),
    "azure-native:web:WebAppFtpAllowed": Kind("Microsoft.Web/sites/{name}/basicPublishingCredentialsPolicies/ftp"),
    "azure-native:web:WebAppScmAllowed": Kind("Microsoft.Web/sites/{name}/basicPublishingCredentialsPolicies/scm"),
}
"""What watches, which nothing here does."""


MANAGEMENT = {
    "management.azure.com": compute.resource_manager,
    "graph.microsoft.com": compute.directory,
    "api.loganalytics.azure.com": compute.logs,
}
"""What the kit itself speaks to, besides the resources."""


class EmulatedAzure(Emulated):
    """Makes the types of `kinds` in `account`."""

    kinds = data.KINDS | storage.KINDS | compute.KINDS | gateway.KINDS | STATE_ALONE

    def __init__(self, account):
        super().__init__()
        self.account = account
        account.front.hosts |= {host: serve(account) for host, serve in MANAGEMENT.items()}

    def debug_providers(self):
        return f"azure-native:{self.port}"

    def Configure(self, request, context):
        return StandIn.Configure(self, request, context)

    def Delete(self, request, context):
        if request.id in self.account.held:
            super().Delete(request, context)
        return empty_pb2.Empty()

    def _at(self, token, inputs):
        if token not in self.kinds:
            raise NotImplementedError(f"{token} is not made here")
        return self.kinds[token], self.account

    def _outputs(self, urn, resource_id, inputs):
        outputs = plain(super()._outputs(urn, resource_id, inputs))
        if isinstance(assigned := outputs.get("identity", {}).get("userAssignedIdentities"), list):
            outputs["identity"]["userAssignedIdentities"] = {one: {} for one in assigned}  # a map by id coming out
        return struct(outputs)
