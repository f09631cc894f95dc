"""`twofold dev`: the walk at each place, changes live by a process that waits for them, mistakes told, nothing left running."""

import re
import socket
import subprocess
import sys
import time

import pytest

from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tests.integration.cli.development import TWOFOLD, WAIT, Development, taken
from tests.integration.walk import ORDER, eventually, walk
from twofold.emulators import azurite


@pytest.fixture(params=["local", "azure", "aws"])
def development(request, tmp_path):
    if request.param == "azure":
        needing(azurite.fetch)
    started = Development(tmp_path, request.param)
    yield started
    if started.process.poll() is None:
        started.end()


def test_the_walk_changes_mistakes_and_the_end(development):
    """One start for all of it."""
    walk(development.client, lambda: time.sleep(0.05))
    order = development.client.post("/orders", json=ORDER).headers["location"]

    before, changed = development.serving(), time.monotonic()
    development.write("api/app.py", "1.0.0", "1.0.1")
    eventually(lambda: development.version() == "1.0.1", lambda: time.sleep(0.02), WAIT)
    print(f"live after {time.monotonic() - changed:.2f} s", end=" ")
    # What serves now was there before the change, and had imported what does not change; what served then has ended.
    assert development.serving() & before
    assert development.client.get(order).json()["status"] == "placed"  # what is stored outlives a change

    development.write("api/app.py", "return app", "return app +")
    development.says(r"api/app\.py: it (ended before it answered|answers 500)")
    development.says("SyntaxError")
    development.write("api/app.py", "return app +", "return app")
    development.says("api/app.py is live after")

    development.write("api/orders/payment.py", "import httpx", "import nothing_here, httpx")  # of a worker alone
    development.says(r"api/orders/payment\.py: (it|the function) (ended before it answered|did not start|answers 500)")
    development.says(r"queue payments: api\.orders\.payment:pay: ModuleNotFoundError: No module named 'nothing_here'")
    development.write("api/orders/payment.py", "import nothing_here, httpx", "import httpx")
    development.says("api/orders/payment.py is live after")

    development.write(
        "api/app.py", "app = FastAPI(", "import os, signal; os.kill(os.getpid(), signal.SIGKILL); app = FastAPI("
    )
    development.says("it ended before it answered|the service has ended")
    development.write("api/app.py", "import os, signal; os.kill(os.getpid(), signal.SIGKILL); app", "app")
    development.says("api/app.py is live after")

    development.write("api/manifest.py", "queues=(", "queues=(QueueSpec(1),")
    development.says(r"can't read the manifest api\.manifest:SERVICE: .*missing")
    development.write(
        "api/manifest.py", "queues=(QueueSpec(1),", 'queues=(QueueSpec("mails", handler="api.orders.payment:pay"),'
    )
    development.says(r"api/manifest\.py changed: all of it starts anew")
    assert development.says(r"its docs are at +(http://127\.0\.0\.1:\d+)/docs")[1] == development.url
    assert development.client.get("/health/live").status_code == 200

    assert development.end() == 0 and "Traceback" not in development.output.rpartition("starts anew")[2]
    assert taken(development.ports()) == set()


SAVES = """
import sys
from pathlib import Path
SAVED = Path(__file__).with_name("saved.py")
if "twofold.http.pipeline" in sys.modules and not SAVED.exists():
    SAVED.write_text("")
"""


def test_what_is_saved_while_it_starts_is_seen(tmp_path):
    """The first import of the service saves a file."""

    def saving(folder):
        with (folder / "api/__init__.py").open("a") as file:
            file.write(SAVES)

    (development := Development(tmp_path, "local", before=saving)).says(r"api/saved\.py is live")
    assert development.end() == 0


@pytest.mark.parametrize("cloud", ["local", "azure", "aws"])
def test_a_mend_ends_the_wait_for_what_never_comes_up(tmp_path, cloud):
    """A loop at import has no end; nothing else would start before a minute is over."""
    if cloud == "azure":
        needing(azurite.fetch)
    development = Development(tmp_path, cloud)
    loops = tmp_path / "loops"
    endless = f"import pathlib\npathlib.Path({str(loops)!r}).touch()\nwhile True:\n    pass\n"
    development.write("api/app.py", "def create_app", f"{endless}def create_app")
    while not loops.exists():
        time.sleep(0.02)
    development.write("api/app.py", endless, "")
    development.says(r"api/app\.py is live")
    assert "does not answer within" not in development.output
    assert development.client.get("/health/live").status_code == 200
    development.end()


@pytest.mark.parametrize("cloud", ["azure", "aws"])
def test_other_commands_reach_the_emulators(cloud, tmp_path):
    if cloud == "azure":
        needing(azurite.fetch)
    development = Development(tmp_path, cloud, TWOFOLD_APP_PAYMENT_URL="http://127.0.0.1:9")
    order = development.client.post("/orders", json=ORDER).headers["location"]
    development.client.post(f"{order}/payment", json={})
    development.says("PaymentUnavailable")
    command = f". .build/dev-{cloud}.env && exec {TWOFOLD} secret list"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"payment-api-key.*set", done.stdout), done.stdout + done.stderr
    assert development.end() == 0


def dev(*options, code="from twofold.cli.main import main; main()"):
    return subprocess.run(
        [sys.executable, "-c", code, "dev", *options], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("cloud", ["local", "azure", "aws"])
def test_a_port_that_is_taken_is_told(cloud):
    if cloud == "azure":
        needing(azurite.fetch)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = dev("--cloud", cloud, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2 and "choose another with --port" in done.stderr and "Traceback" not in done.stderr


def test_what_is_missing_is_told_in_a_line():
    done = dev("--cloud", "gcp")
    assert (done.returncode, done.stderr) == (2, "twofold: --cloud 'gcp' is not one of local, azure, aws\n")
    without = "import sys; sys.modules['ministack'] = None; from twofold.cli.main import main; main()"
    done = dev("--cloud", "aws", code=without)
    message = "ministack can't be imported; run: make dev CLOUD=aws (or install twofold[emulators,aws])"
    assert (done.returncode, done.stderr) == (2, f"twofold: {message}\n")
