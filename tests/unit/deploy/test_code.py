"""One Deploy as the Azure CLI speaks it to a Flex Consumption app, against a server that answers as the app does."""

import pytest

from tests.fakes.server import Answer, FakeServer
from twofold.deploy.azure.code import DeploymentFailed, publish


class App(FakeServer):
    """The app's deployment endpoint: `states` are what it says about the deployment, one after another."""

    def __init__(self, *states):
        super().__init__(tls=False)
        self.states, self.published = list(states), None

    def serve(self, method, path, raw_query, headers, body):
        if headers.get("Authorization") != "Bearer t":
            raise Answer(401, {"message": "no"})
        if (method, path) == ("POST", "/api/publish"):
            if headers.get("Content-Type") != "application/zip" or "RemoteBuild=false" not in raw_query:
                raise Answer(400, {"message": "a zip is posted as application/zip"})
            self.published = body
            return Answer(202)
        if (method, path) == ("GET", "/api/deployments/latest"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return (
                Answer(404)
                if state is None
                else Answer(200, {"id": "d-1", "status": state, "status_text": "the build broke"})
            )
        raise Answer(404)


@pytest.fixture
def artifact(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK-zip")
    return tmp_path / "a.zip"


def test_it_posts_the_zip_and_waits_until_the_app_runs_it(artifact):
    with App(None, 0, 1, 4) as app:
        assert publish(f"http://{app.host}", artifact, "t", pause=0.01) == "d-1"
        assert app.published == b"PK-zip" and len(app.requests) == 5


@pytest.mark.parametrize("state", [3, -1])
def test_a_failed_deployment_says_why(artifact, state):
    with App(1, state) as app, pytest.raises(DeploymentFailed, match="the build broke"):
        publish(f"http://{app.host}", artifact, "t", pause=0.01)


def test_a_refused_login_says_so(artifact):
    with App(4) as app, pytest.raises(DeploymentFailed, match="401"):
        publish(f"http://{app.host}", artifact, "wrong", pause=0.01)
