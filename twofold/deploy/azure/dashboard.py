"""The dashboard of a stack, a workbook, and its saved queries: what somebody opens first who was told."""

import json
import uuid
from typing import Any

import pulumi
from pulumi_azure_native import applicationinsights, operationalinsights

from twofold.deploy.queries import QUERIES, field, lines
from twofold.manifest import ServiceManifest


class Dashboard(pulumi.ComponentResource):
    """A workbook `<prefix>` over the workspace, and a saved query for each of `QUERIES`. `url` is the workbook's."""

    def __init__(
        self, name: str, *, manifest: ServiceManifest, environment: str, group: pulumi.Input[str], location: str,
        table: str, workspace: pulumi.Input[str], workspace_group: pulumi.Input[str], workspace_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__("twofold:azure:Dashboard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        workbook = applicationinsights.Workbook(
            name, resource_name_=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}-dashboard")), resource_group_name=group,
            location=location, kind="shared", category="workbook", display_name=name, source_id=workspace,
            serialized_data=json.dumps(_workbook(manifest.name, environment, table)), opts=child,
        )  # fmt: skip
        for query in QUERIES:
            operationalinsights.SavedSearch(
                f"{name}-{query.name}", saved_search_id=f"{name}-{query.name}", workspace_name=workspace_name,
                resource_group_name=workspace_group, category=name, display_name=query.name, version=2,
                query=f"{lines(table)}\n{query.kusto}",
                # An update would need the etag of the one that is there, and is a conflict without (azure-docs#49275).
                opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["*"], delete_before_replace=True),
            )  # fmt: skip
        self.url = pulumi.Output.concat("https://portal.azure.com/#resource", workbook.id, "/workbook")
        self.register_outputs({"url": self.url})


def _workbook(service: str, environment: str, table: str) -> dict[str, Any]:
    own = f'{field("service.name")} == "{service}" and {field("service.environment")} == "{environment}"'
    mine = f"{lines(table)} | where {own}"

    def of(action: str) -> str:
        return f'{mine} and {field("event.action")} == "{action}"'

    def chart(title: str, source: str, measured: str, *by: str) -> tuple[str, str]:
        return title, f"{source} | summarize {measured} by {', '.join(('bin(TimeGenerated, 5m)', *by))}"

    seconds = f"{field('event.duration', 'long')} / 1e9"
    shares = ", ".join(f"p{share}=percentile({seconds}, {share})" for share in (50, 95, 99))
    letters = 'StorageQueueLogs | where OperationName == "PutMessage" and Uri contains "-poison/"'
    consumer, queue = field("labels.consumer"), field("labels.queue")
    charts = [
        chart("Requests by route", of("request"), "count()", field("labels.route")),
        chart("Requests by status", of("request"), "count()", field("http.response.status_code")),
        chart("Duration of requests, s", of("request"), shares),
        chart("Attempts at messages", of("message"), "count()", queue, field("event.outcome")),
        chart("Age of messages, s", of("message"), f"max({field('twofold.age', 'double')})", queue),
        chart("Dead letters", letters, "count()"),
        chart("Lag of consumers, s", of("commit"), f"max({field('twofold.lag', 'double')})", consumer),
        chart("Streams parked", of("parked"), "count()", consumer),
        chart("Store throttles", of("store-throttled"), "count()"),
        chart("Breakers opened", of("breaker-opened"), "count()", field("labels.dependency")),
    ]
    items = [
        {
            "type": 3, "name": title, "customWidth": "50",
            "content": {
                "version": "KqlItem/1.0", "query": query, "size": 0, "title": title, "queryType": 0,
                "timeContext": {"durationMs": 14_400_000}, "visualization": "timechart",
                "resourceType": "microsoft.operationalinsights/workspaces",
            },
        }
        for title, query in charts
    ]  # fmt: skip
    return {
        "version": "Notebook/1.0",
        "items": items,
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }
