"""`twofold rebuild` and `twofold catchup` as an operator uses them: on the embedded store, while the service goes on answering."""

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.copies.copy import ROOT
from tests.integration.tokens import bearer
from twofold.emulators.process import free_port, serving

limits = itertools.cycle(range(10, 100))
"""A first page may be cached for five seconds: one of another length is another page."""
TWOFOLD = str(Path(sys.executable).with_name("twofold"))
ORDER = {"customer_id": "c-1", "currency": "EUR", "lines": [{"sku": "A1", "quantity": 1, "unit_price": 100}]}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").symlink_to(ROOT / "api")
    return tmp_path


def rebuild(folder, *arguments, code=0):
    return twofold(folder, "rebuild", *arguments, code=code)


def twofold(folder, *arguments, code=0):
    done = subprocess.run(
        [TWOFOLD, *arguments], cwd=folder, env=os.environ | {"COLUMNS": "160"}, capture_output=True, text=True,
        timeout=90,
    )  # fmt: skip
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def listed(client):
    return {row["id"] for row in client.get(f"/customers/c-1/orders?limit={next(limits)}").json()["orders"]}


def test_a_damaged_read_model_is_whole_again_while_the_service_runs(folder):
    port = free_port()
    with (
        serving([TWOFOLD, "run", "--port", str(port)], port, folder=folder) as url,
        httpx.Client(base_url=url, headers=bearer(folder)) as client,
    ):
        placed = {client.post("/orders", json=ORDER).json()["id"] for _ in range(5)}
        until(lambda: listed(client) == placed)
        with sqlite3.connect(folder / ".data/twofold.db") as database:
            database.execute("DELETE FROM documents WHERE partition = ?", (b"model:orders@0:customer:c-1",))
        assert listed(client) == set()
        assert "rebuilt from 5 streams, and live" in rebuild(folder, "orders")
        assert listed(client) == placed
        done = json.loads(rebuild(folder, "orders", "--json"))
        assert done == {"projection": "orders", "streams": 5} and listed(client) == placed
        placed.add(client.post("/orders", json=ORDER).json()["id"])
        until(lambda: listed(client) == placed)


def test_consumers_catch_up_with_what_no_feed_delivered(folder):
    port = free_port()
    with (
        serving([TWOFOLD, "run", "--port", str(port)], port, folder=folder) as url,
        httpx.Client(base_url=url, headers=bearer(folder)) as client,
    ):
        placed = {client.post("/orders", json=ORDER).json()["id"] for _ in range(3)}
        until(lambda: listed(client) == placed)
        with sqlite3.connect(folder / ".data/twofold.db") as database:  # as if those commits had never been delivered
            kept = "CAST(partition AS TEXT) NOT LIKE 'model:%' AND CAST(partition AS TEXT) NOT LIKE 'feed:%'"
            assert database.execute(f"DELETE FROM documents WHERE NOT ({kept})").rowcount >= 12
        assert listed(client) == set()
        assert "3 streams, 3 consumers: up to date" in twofold(folder, "catchup")
        report = json.loads(twofold(folder, "catchup", "--json"))
        consumers = ["order-events", "payment-outbox", "orders@0"]
        assert report == {"streams": 3, "consumers": consumers, "parked": []}
        assert listed(client) == placed


def test_what_cannot_be_done_is_said(folder):
    assert "no projection 'mails' in the manifest; it has orders" in rebuild(folder, "mails", code=2)
    assert "no unfinished rebuild of orders to resume" in rebuild(folder, "orders", "--resume", code=2)


def until(holds):
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
