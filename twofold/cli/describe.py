"""`twofold describe` for people: a stack's units, routes and resources as tables; `--json` has every value."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def show(description: Mapping[str, Any]) -> None:
    """Prints what `twofold.deploy.description.describe` returned."""
    console = Console(soft_wrap=True, highlight=False)
    artifact = description["artifact"]
    console.print(f"{description['service']} as {description['stack']} in {description['region']}")
    console.print(f"artifact {artifact.get('image') or artifact['digest']}\n", markup=False)
    units = Table("unit", "runs as", "triggers", "variables", "permissions", title="Units", title_justify="left")
    for unit in description["units"]:
        triggers = "\n".join(f"{one['kind']} {one.get('name', '')}" for one in unit["triggers"])
        counts = (str(len(unit[what])) for what in ("environment", "permissions"))
        units.add_row(unit["role"], unit["runs"], triggers, *counts)
    console.print(units)
    routes = Table("route", "who", title="Routes", title_justify="left")
    for route in description["routes"]:
        who = "anybody" if route["open"] else " or ".join(route["scopes"]) or "any token"
        routes.add_row(f"{route['method']} {route['path']}", who)
    console.print(routes)
    resources = Table("type", "how many", title="Resources", title_justify="left")
    for type, count in sorted(Counter(one["type"] for one in description["resources"]).items()):
        resources.add_row(type, str(count))
    console.print(resources)
    for note in description["notes"]:
        console.print(f"note: {note}", markup=False)
