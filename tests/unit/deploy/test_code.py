"""One Deploy as azd, Azure CLI and Core Tools speak it to a Flex Consumption app, against a server that answers as the app does."""

import hashlib
import math

import pytest

from twofold.deploy.azure import code
from twofold.deploy.azure.code import DeploymentFailed, planned, publish
from twofold.deploy.retry import Retry
from twofold.emulators.server import Answer, FakeServer


class App(FakeServer):
    """The app's deployment endpoint. `states` are what it says about each deployment, one after another; the last one stays.

    Divergence: the deployment begins with its acceptance; the service may still show nothing of it for some seconds.
    """

    def __init__(self, *states, text="the build broke"):
        super().__init__(tls=False)
        self.states, self.text, self.published = list(states), text, []

    def serve(self, method, path, raw_query, headers, body):
        if headers.get("Authorization") != "Bearer t":
            raise Answer(401, {"message": "no"})
        if (method, path) == ("POST", "/api/publish"):
            if headers.get("Content-Type") != "application/zip" or "RemoteBuild=false" not in raw_query:
                raise Answer(415, {"message": "a zip is posted as application/zip"})
            self.published.append(body)
            return Answer(202, f"d-{len(self.published)}")
        if method == "GET" and path == f"/api/deployments/d-{len(self.published)}/log":
            return Answer(200, [{"message": "Created blob uri"}, {"message": self.text}])
        if method == "GET" and path == f"/api/deployments/d-{len(self.published)}":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            deployment = {"id": path.rsplit("/", 1)[1], "status": state, "status_text": "" if state == 3 else self.text}
            return Answer(404) if state is None else Answer(200, deployment)
        raise Answer(404)


@pytest.fixture
def artifact(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK-zip")
    return tmp_path / "a.zip"


def deploy(app, artifact, token="t", seconds=30.0):
    return publish(f"http://{app.host}", artifact, lambda: token, Retry(seconds, 0.01))


def test_it_posts_the_zip_and_follows_its_own_deployment_to_the_end(artifact):
    with App(None, 0, 1, 4) as app:
        assert deploy(app, artifact) == "d-1"
        assert app.published == [b"PK-zip"] and len(app.requests) == 5
        assert {path for method, path in app.requests if method == "GET"} == {"/api/deployments/d-1"}


@pytest.mark.parametrize("answer", [Answer(404), Answer(409), Answer(502), Answer(503), None])
def test_an_endpoint_that_is_not_up_yet_is_asked_again(artifact, answer):
    with App(4) as app:
        app.inject(3, answer, when=lambda method, path, headers: method == "POST")
        assert deploy(app, artifact) == "d-1" and app.unspent() == 0


def test_one_that_never_comes_up_says_what_it_answered(artifact):
    with App(4) as app:
        app.inject(math.inf, Answer(503, "Site Unavailable"))
        with pytest.raises(DeploymentFailed, match=r"did not take its artifact in 0 s: 503 .*Site Unavailable"):
            deploy(app, artifact, seconds=0.1)


def test_a_deployment_that_met_another_one_is_made_again(artifact):
    with App(1, 5, 4) as app:
        assert deploy(app, artifact) == "d-2" and len(app.published) == 2


def test_a_container_that_does_not_know_the_new_role_yet_is_tried_again(artifact):
    refused = "Failed to upload because Azure Storage responded with Forbidden"
    with App(3, 4, text=refused) as app:
        assert deploy(app, artifact) == "d-2"
    with App(3, text=refused) as app, pytest.raises(DeploymentFailed, match=refused):
        deploy(app, artifact, seconds=0.1)


def test_an_end_that_nobody_is_left_to_tell_is_a_success(artifact):
    with App(1, 2, None) as app:
        assert deploy(app, artifact) == "d-1"


def test_a_lost_answer_about_it_makes_no_second_deployment(artifact):
    with App(1, 4) as app:
        app.inject(1, None, when=lambda method, path, headers: method == "GET")
        assert deploy(app, artifact) == "d-1" and len(app.published) == 1


@pytest.mark.parametrize(("state", "message"), [(3, "failed"), (-1, "was cancelled"), (6, "in part")])
def test_a_failed_deployment_says_why(artifact, state, message):
    with App(1, state) as app, pytest.raises(DeploymentFailed, match=f"{message}: the build broke"):
        deploy(app, artifact)


def test_a_refused_login_says_so_at_once(artifact):
    with App(4) as app, pytest.raises(DeploymentFailed, match="401"):
        deploy(app, artifact, "wrong")
    assert len(app.requests) == 1


def test_each_request_has_the_token_of_its_time(artifact):
    """An app may take longer to come up than a token is good."""
    tokens = iter(["ended", "t", "t"])
    with App(4) as app:
        app.inject(1, Answer(503), when=lambda method, path, headers: headers["Authorization"] == "Bearer ended")
        assert publish(f"http://{app.host}", artifact, lambda: next(tokens), Retry(30, 0.01)) == "d-1"


def test_another_file_than_the_planned_one_is_not_deployed(artifact):
    with pytest.raises(DeploymentFailed, match="not the artifact that was planned"):
        planned({"path": str(artifact), "digest": "0" * 64})
    with pytest.raises(DeploymentFailed, match="run pulumi up again"):
        planned({"path": str(artifact) + ".gone", "digest": "0" * 64})


def test_the_platform_is_told_of_the_functions_after_the_code_and_a_warning_fails_nothing(artifact, monkeypatch, capfd):
    calls = []
    monkeypatch.setattr(code, "publish", lambda *arguments: calls.append(arguments) or "d-1")
    monkeypatch.setattr(code.triggers, "sync", lambda *arguments: calls.append(arguments) or "nothing wakes it")
    props = {"app": "orders", "site": "/s/orders", "functions": ["feed"], "path": str(artifact)}
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    assert code._Provider().apply(props | {"digest": digest}, {}) == {"deployment": "d-1"}
    assert calls == [
        ("https://orders.scm.azurewebsites.net", artifact, code.token),
        ("/s/orders", ["feed"], code.token),
    ]
    assert capfd.readouterr().err == "warning: nothing wakes it\n"
