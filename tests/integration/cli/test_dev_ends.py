"""However `twofold dev` ends, nothing of it is left; and what stands in for the cloud is started again when it dies."""

import os
import signal
import time

import httpx
import pytest

from tests.emulators.tool import needing
from tests.integration.cli.development import WAIT, Development, alive, command, taken
from tests.integration.walk import ORDER
from twofold.emulators import azurite

CLOUDS = ("local", "azure", "aws")
EMULATORS = {"azure": ("Azurite", "azurite"), "aws": ("ministack", "ministack")}


def start(cloud, folder, **options):
    if cloud == "azure":
        needing(azurite.fetch)
    return Development(folder, cloud, **options)


def number_of(development, word):
    [number] = [one for one in development.processes() if word in command(one)]
    return number


def eventually(condition):
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def send(number):
    return lambda development: development.process.send_signal(number)


ENDS = {
    "terminal": Development.hang_up,
    "hangup": send(signal.SIGHUP),
    "term": send(signal.SIGTERM),
    "interrupt": send(signal.SIGINT),
    "kill": send(signal.SIGKILL),
}
CHILD = "import subprocess; subprocess.Popen(['sleep', '600']); app = FastAPI("


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left(cloud, end, tmp_path):
    def starts_a_child(folder):
        path = folder / "api/app.py"
        path.write_text(path.read_text().replace("app = FastAPI(", CHILD))

    development = start(cloud, tmp_path, terminal=end == "terminal", before=starts_a_child)
    numbers, ports = development.processes(), development.ports()
    assert any("sleep" in command(one) for one in numbers) and taken(ports) == ports
    ENDS[end](development)
    assert development.process.wait(WAIT) == (-signal.SIGKILL if end == "kill" else 0), development.output
    eventually(lambda: not alive(numbers) and not taken(ports))


@pytest.mark.parametrize("cloud", EMULATORS)
def test_an_emulator_that_dies_is_started_again_at_its_port_and_at_last_ends_it(cloud, tmp_path):
    name, word = EMULATORS[cloud]
    development = start(cloud, tmp_path)
    url = f"{development.url}/orders"
    for _ in range(2):
        ports = development.ports()
        development.heard()
        os.kill(number_of(development, word), signal.SIGKILL)
        answer = development.client.post("/orders", json=ORDER)  # in between, or a moment later
        assert answer.status_code in (201, 503)
        assert development.says(f"{name} has died: it is started again, and .* lost")
        development.says(f"{name} is here again")
        assert development.ports() == taken(ports) == ports
        order = development.client.post("/orders", json=ORDER)
        assert order.status_code == 201
        paid = development.client.post(f"{order.headers['location']}/payment", json={})
        assert paid.status_code == 202, paid.text  # its message is in a queue that was made again
        eventually(lambda: development.client.get(order.headers["location"]).json()["status"] == "paid")  # noqa: B023
    os.kill(number_of(development, word), signal.SIGKILL)
    assert development.process.wait(WAIT) == 2
    assert f"twofold: {name} has died 3 times, each time soon after its start" in development.output.splitlines()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_service_that_dies_is_started_again_and_after_the_third_time_waits_for_a_change(cloud, tmp_path):
    development = start(cloud, tmp_path)
    for _ in range(2):
        development.heard()
        for number in development.serving():
            os.kill(number, signal.SIGKILL)
        development.says("the service has ended: it is started again")
        development.says("live after")
        assert development.client.get("/health/live").status_code == 200
    development.heard()
    for number in development.serving():
        os.kill(number, signal.SIGKILL)
    development.says("the service has ended 3 times")
    assert development.client.get("/health/live").json()["type"] == "urn:twofold:problem:does-not-start"
    development.write("api/app.py", "1.0.0", "1.0.1")
    development.says("live after")
    assert development.version() == "1.0.1"
    assert development.end() == 0
