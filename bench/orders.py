"""`make bench`: orders through the local service, from the request to the read model and the captured payment.

Places and pays for ORDERS orders over ASGI, with the embedded store and queue and their loops beside it, and checks that none is
lost and none is done twice. Prints what a second brought; the numbers are this machine's.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.manifest import SERVICE
from twofold.local.issuer import DevelopmentIssuer
from twofold.local.loops import Loops
from twofold.runtime import Runtime

CONCURRENT, CUSTOMERS = 50, 100
UNLIMITED = {f"TWOFOLD_LIMIT_{kind}": "" for kind in ("READS", "WRITES", "ANONYMOUS")}
LINES = [{"sku": "A1", "quantity": 2, "unit_price": 1250}]


async def main(orders: int) -> None:
    """Runs it and prints the table; AssertionError when an order is lost or doubled."""
    logging.disable(logging.WARNING)
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        runtime = Runtime(SERVICE, root=Path(folder), environ=UNLIMITED)
        await runtime.start()
        loops = Loops(runtime)
        loops.start()
        transport = httpx.ASGITransport(runtime.asgi)
        headers = {"Authorization": f"Bearer {DevelopmentIssuer().token(SERVICE)}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://bench", headers=headers, timeout=60
        ) as client:
            gate, begun = asyncio.Semaphore(CONCURRENT), time.perf_counter()

            async def order(number: int) -> str:
                async with gate:
                    body = {"customer_id": f"c-{number % CUSTOMERS}", "currency": "EUR", "lines": LINES}
                    placed = await client.post("/orders", json=body)
                    paid = await client.post(f"{placed.headers['location']}/payment", json={})
                    assert (placed.status_code, paid.status_code) == (201, 202)
                    return placed.json()["id"]

            work = [asyncio.create_task(order(number)) for number in range(orders)]
            placed = [await task for task in track(work, "place and pay", console=console)]
            accepted = time.perf_counter() - begun
            await loops.stop()
            await loops.drain()
            while await runtime.services.queue.driver.depth("payments"):  # second attempts wait
                await asyncio.sleep(0.05)
                await loops.drain()
            drained = time.perf_counter() - begun
            listed: Counter[tuple[str, str]] = Counter()
            for customer in track(range(CUSTOMERS), "read back", console=console):
                cursor: str | None = None
                while True:
                    params = {"limit": 100} | ({"cursor": cursor} if cursor else {})
                    page = (await client.get(f"/customers/c-{customer}/orders", params=params)).json()
                    listed.update((row["id"], row["status"]) for row in page["orders"])
                    if (cursor := page["cursor"]) is None:
                        break
        await runtime.stop()
    assert listed == Counter((order_id, "paid") for order_id in placed), "orders were lost, doubled or not paid"
    table = Table("orders", "accepted /s", "projected and paid /s", "lost", "double")
    table.add_row(str(orders), f"{orders / accepted:.0f}", f"{orders / drained:.0f}", "0", "0")
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
