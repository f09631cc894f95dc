"""The outcome of each test of a run, kept in `.build/test-results.json`: what the parity matrix is made of."""

import json

import pytest

from tests.parity.matrix import RESULTS


class Recorder:
    """A pytest plugin. A test has failed when its setup, call or teardown has; it is skipped when one was, and none failed."""

    def __init__(self, whole):
        self.whole, self.outcomes = whole, {}

    def pytest_runtest_logreport(self, report):
        before = self.outcomes.get(report.nodeid)
        if before != "failed" and (report.outcome != "passed" or before is None):
            self.outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        """A run of a part renews its own; the whole suite leaves nothing of what is no longer there."""
        kept = {} if self.whole or not RESULTS.is_file() else json.loads(RESULTS.read_text())
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(dict(sorted((kept | self.outcomes).items())), indent=0))


def install(config):
    """Records this run, unless it only collects. Workers tell the process that started them."""
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    whole = config.args_source is config.ArgsSource.TESTPATHS and not config.option.keyword
    config.pluginmanager.register(Recorder(whole), "twofold-parity")
