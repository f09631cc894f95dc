"""What Prometheus and Grafana are given: valid, of metrics that exist, with the alarms of the stacks."""

import json
import re
import subprocess

import yaml

from api.manifest import SERVICE
from tests.copies.copy import ROOT
from tests.emulators.tool import needing
from tools import prometheus
from twofold.deploy.alarms import RUNBOOK, alarms
from twofold.local.metrics import PrometheusSink

FOLDER = ROOT / "observe"


def promtool(*arguments, cwd=FOLDER):
    command = [needing(lambda: prometheus.find("promtool")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def known():
    """The names of all series that the service exposes."""
    series = set()
    for family in PrometheusSink().registry.collect():
        suffixes = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}[family.type]
        series |= {family.name + suffix for suffix in suffixes}
    return series


def expressions():
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
    yield from (rule["expr"] for rule in rules)
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_promtool_accepts_config_and_rules_and_their_tests_pass():
    for arguments in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_notice(tmp_path):
    worse = (FOLDER / "rules.yml").read_text().replace("> 0.01", "> 0.9")
    (tmp_path / "rules.yml").write_text(worse)
    (tmp_path / "rules_test.yml").write_text((FOLDER / "rules_test.yml").read_text())
    assert promtool("test", "rules", "rules_test.yml", cwd=tmp_path).returncode == 1


def test_every_expression_is_one_and_of_metrics_that_exist(tmp_path):
    everything = list(expressions())
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "1m")} for number, text in enumerate(everything)
    ]  # fmt: skip
    (tmp_path / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    done = promtool("check", "rules", "all.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    used = {name for text in everything for name in re.findall(r"\b(?:http|twofold|messaging)_\w+", text)}
    assert len(used) > 8 and used <= known(), used - known()


def test_prometheus_has_the_alarms_of_the_stacks():
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
    kinds = {alarm.kind for alarm in alarms(SERVICE)}
    assert {rule["alert"] for rule in rules} == kinds
    for rule in rules:
        [urgent] = {alarm.urgent for alarm in alarms(SERVICE) if alarm.kind == rule["alert"]}
        assert rule["labels"]["severity"] == ("urgent" if urgent else "ticket")
        assert rule["annotations"]["runbook"] == f"{RUNBOOK}#{rule['alert']}"


def test_each_alarm_has_its_section_in_the_runbook():
    sections = set(re.findall(r"^## (\S+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE))
    assert {alarm.kind for alarm in alarms(SERVICE)} | {"budget"} == sections
    assert all(f"{RUNBOOK}#{alarm.kind}" in alarm.text for alarm in alarms(SERVICE))


def test_the_dashboards_panels_are_whole():
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) >= 12
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24 and panel["targets"] and panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
