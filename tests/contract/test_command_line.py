"""The command line as a whole: what every command promises to programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.copies.copy import ROOT
from twofold import __version__
from twofold.cli.main import app

WITHOUT_JSON = {"run": "it serves until it is ended", "dev": "it serves until it is ended"}


def commands(command, *path):
    if not hasattr(command, "commands"):
        return {" ".join(path): command}
    return {key: one for name, sub in command.commands.items() for key, one in commands(sub, *path, name).items()}


COMMANDS = commands(get_command(app))


def twofold(*arguments, code=0):
    done = subprocess.run(
        [Path(sys.executable).with_name("twofold"), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_every_command_has_json_and_says_what_is_in_it():
    lacking = {name for name, one in COMMANDS.items() if "--json" not in [opt for p in one.params for opt in p.opts]}
    assert lacking == set(WITHOUT_JSON)
    assert [name for name, one in COMMANDS.items() if name not in lacking and "With --json: " not in one.help] == []
    assert len(COMMANDS) > 20


def test_the_version_is_one_too():
    assert json.loads(twofold("--version", "--json").stdout) == {"version": __version__}
    assert twofold("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "--json stands behind a command"),
        ("build --cloud gcp", "'gcp' is no cloud; allowed: aws, azure"),
        ("secret list --cloud gcp", "'gcp' is no cloud"),
        ("describe --cloud aws --env nowhere", "Pulumi.nowhere-aws.yaml is missing"),
        ("token --scope orders.all", "no scope orders.all"),
        ("token --manifest nowhere:SERVICE", "can't read the manifest nowhere:SERVICE"),
        ("openapi --check --path nowhere.json", "nowhere.json is not current"),
        ("rebuild mails", "no projection 'mails'"),
        ("dlq list mails", "'mails' is neither a queue"),
        ("dlq show payments m-9", "no dead letter 'm-9'"),
        ("secret set mail-key", "no secret 'mail-key'"),
    ],
)
def test_a_mistake_is_one_line_for_a_program_too(arguments, message):
    done = twofold(*arguments.split(), "--json", code=2)
    *where, last = done.stderr.splitlines()
    assert done.stdout == "" and last.startswith("twofold: ") and message in last
    assert [line for line in where if not line.startswith("acts ")] == [] and len(where) < 2
