"""The local door as a user meets it: a walk, a crash under load, a graceful stop, and mistakes."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.doors import UNLIMITED
from tests.integration.local.service import Service
from tests.integration.tokens import bearer
from tests.integration.walk import ORDER, walk


@pytest.fixture
def service(tmp_path):
    running = Service(tmp_path, **UNLIMITED)  # load is what some of these make
    yield running
    running.kill()


async def eventually(check, timeout=120.0):
    """Awaits `check()` until it is truthy; the last answer is in the failure."""
    deadline = time.monotonic() + timeout
    while not (answer := await check()):
        assert time.monotonic() < deadline, f"still {answer!r} after {timeout} s"
        await asyncio.sleep(0.05)
    return answer


def test_the_walk(service):
    assert service.url + "/docs" in service.announced and "curl" in service.announced
    with httpx.Client(base_url=service.url, headers=bearer(service.folder), timeout=20) as client:
        walk(client, lambda: time.sleep(0.05))


async def test_sigkill_under_load_loses_no_acknowledged_order(service):
    acknowledged: list[str] = []

    async def place(client, worker):
        for n in range(1000):
            try:
                answer = await client.post("/orders", json=ORDER, headers={"Idempotency-Key": f"k-{worker}-{n}"})
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                acknowledged.append(answer.headers["location"])

    async with service.client() as client:
        load = [asyncio.create_task(place(client, worker)) for worker in range(8)]
        while len(acknowledged) < 60:
            await asyncio.sleep(0.01)
        service.kill()
        await asyncio.gather(*load)
    service.start()
    async with service.client() as client:
        for order in acknowledged:
            assert (await client.get(order)).status_code == 200

        async def all_listed():
            listed, cursor = set(), None
            while True:
                params = {"limit": 100} | ({"cursor": cursor} if cursor else {})
                page = (await client.get("/customers/c-1/orders", params=params)).json()
                listed |= {row["id"] for row in page["orders"]}
                if not (cursor := page.get("cursor")):
                    return {order.rsplit("/", 1)[1] for order in acknowledged} <= listed

        await eventually(all_listed)


async def test_sigterm_ends_it_with_work_in_hand_finished_or_returned(service):
    async with service.client() as client:
        orders = [(await client.post("/orders", json=ORDER)).headers["location"] for _ in range(10)]
        await asyncio.gather(*(client.post(f"{order}/payment", json={}) for order in orders))
    assert service.terminate(timeout=60) == 0
    service.start()
    async with service.client() as client:

        async def all_paid():
            return all([(await client.get(order)).json()["status"] == "paid" for order in orders])

        await eventually(all_paid)


@pytest.mark.parametrize(
    ("environ", "arguments", "texts"),
    [
        ({"TWOFOLD_ROLE": "boss", "TWOFOLD_STORE": "x"}, [], ["TWOFOLD_ROLE", "TWOFOLD_STORE is unknown"]),
        ({}, ["--manifest", "api.nothing:SERVICE"], ["api.nothing:SERVICE"]),
    ],
)
def test_a_mistake_is_told_without_a_traceback(tmp_path, environ, arguments, texts):
    (tmp_path / "api").symlink_to(Path(__file__).parents[3] / "api")
    command = [Path(sys.executable).with_name("twofold"), "run", "--port", "0", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert all(text in done.stderr for text in texts), done.stderr


def test_a_taken_port_is_told(service, tmp_path):
    port = service.url.rsplit(":", 1)[1]
    command = [Path(sys.executable).with_name("twofold"), "run", "--port", port]
    done = subprocess.run(command, cwd=service.folder, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and f"port {port}" in done.stderr and "Traceback" not in done.stderr
