"""The committed document is what the service says of itself, and each route of it is there."""

import json
import subprocess
import sys

from tests.copies.copy import ROOT


def test_openapi_json_is_current():
    command = [sys.executable, "-m", "twofold.cli.main", "openapi", "--check", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"path": "openapi.json", "paths": 9}


def test_every_route_of_the_design_is_in_it():
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes == {
        "POST /orders", "GET /orders/{order_id}", "GET /orders/{order_id}/events", "POST /orders/{order_id}/payment",
        "POST /orders/{order_id}/shipment", "POST /orders/{order_id}/cancellation",
        "GET /customers/{customer_id}/orders", "GET /health/live", "GET /health/ready",
    }  # fmt: skip
    placed = paths["/orders"]["post"]["responses"]
    assert {"201", "409", "422", "503"} <= set(placed)
    assert set(placed["422"]["content"]) == {"application/problem+json"}
