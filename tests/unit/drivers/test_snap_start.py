"""What survives a SnapStart restore, with the real runtime client's hooks: copies of one process stand for restored instances."""

import os
import subprocess
import sys
import textwrap

from tests.copies.copy import ROOT

PROGRAM = textwrap.dedent(
    """
    import ctypes, os, random, socket, sys, threading, uuid
    opened = []
    sys.addaudithook(lambda event, args: opened.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
    import lambda_function
    from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot

    assert "fastapi" not in sys.modules
    run_before_snapshot()
    assert not opened, opened
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
    assert lambda_function.lambda_handler._runtime._lifespan is None  # the application starts in the copy
    assert {"fastapi", "mangum", "boto3", "api.app", "api.orders.payment"} <= set(sys.modules)
    for _ in range(2):
        read, write = os.pipe()
        if ctypes.PyDLL(None).fork() == 0:  # not os.fork, after which Python itself seeds anew
            if sys.argv[1] == "restored":
                run_after_restore()
            drawn = f"{random.getrandbits(64)} {uuid.uuid4()}"
            answer = lambda_function.lambda_handler({"twofold": {"health": "ready"}}, None)
            os.write(write, f"{drawn} {answer['status']}".encode())
            os._exit(0)
        os.close(write)
        print(os.fdopen(read).read(), flush=True)
    """
)


def copies(tmp_path, kind):
    environ = os.environ | {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "TWOFOLD_STORE_URL": f"sqlite:///{tmp_path}/{kind}.db",
        "TWOFOLD_SECRETS_URL": f"file:///{tmp_path}/secrets", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_nothing_is_open_in_a_snapshot_and_copies_draw_different_numbers(tmp_path):
    (one, own_id, healthy), (other, another, too) = copies(tmp_path, "restored")
    assert one != other and own_id != another and healthy == too == "ready"


def test_without_the_hook_copies_would_draw_the_same(tmp_path):
    """So the test above can fail; names and tokens come from the system and differ in any case."""
    (one, own_id, _), (other, another, _) = copies(tmp_path, "copied")
    assert one == other and own_id != another
