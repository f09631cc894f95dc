"""The check after an update: whose answer it takes, how long it waits, and what it says when the service stays down."""

import math

import pytest

from twofold.deploy.azure.health import explain, look, verify
from twofold.deploy.retry import Retry
from twofold.deploy.user_errors import Unhealthy
from twofold.emulators.server import Answer, FakeServer

READY = {"status": "ready", "dependencies": []}
APP = "/subscriptions/s/resourceGroups/orders-dev/providers/Microsoft.Web/sites/orders-dev-http-1"


class Service(FakeServer):
    """A service behind its gateway: `releases` are the ones that answer, one after another; the last one stays."""

    def __init__(self, *releases, ready=(200, READY)):
        super().__init__(tls=False)
        self.releases, self.ready = list(releases), ready

    def serve(self, method, path, query, headers, body):
        if (method, path) == ("GET", "/health/live"):
            running = self.releases.pop(0) if len(self.releases) > 1 else self.releases[0]
            return Answer(200 if headers.get("If-Match") in (None, f'"{running}"') else 412, {"status": "live"})
        if (method, path) == ("GET", "/health/ready"):
            return Answer(*self.ready)
        raise Answer(404, {"statusCode": 404, "message": "Resource not found"})


def check(service, release="new", why="because", seconds=30.0):
    return verify(f"http://{service.host}", release, lambda: why, Retry(seconds, 0.01))


def test_the_old_instances_answer_is_not_taken_for_the_new_ones():
    with Service("old", "old", "new") as service:
        assert check(service) == READY
        assert [path for _, path in service.requests] == ["/health/live"] * 3 + ["/health/ready"]


def test_degraded_is_not_down():
    """`pulumi up` comes before `twofold secret set`."""
    degraded = {
        "status": "degraded",
        "dependencies": [{"name": "secrets", "status": "down", "critical": False, "ms": 1}],
    }
    with Service("new", ready=(200, degraded)) as service:
        assert check(service)["status"] == "degraded"


@pytest.mark.parametrize("answer", [None, Answer(401), Answer(404), Answer(502, b"<html>"), Answer(200, b"<html>")])
def test_what_is_not_there_yet_is_asked_again(answer):
    with Service("new") as service:
        service.inject(2, answer)
        assert check(service) == READY and service.unspent() == 0


def test_a_service_that_stays_down_fails_with_its_answer_and_the_reason():
    down = {"status": "down", "dependencies": [{"name": "store", "status": "down", "critical": True, "ms": 2000.0}]}
    with Service("new", ready=(503, down)) as service, pytest.raises(Unhealthy) as failed:
        check(service, seconds=0.1)
    assert "/health/ready answered 503" in str(failed.value) and '"name": "store"' in str(failed.value)
    assert str(failed.value).endswith("because")


def test_an_update_that_never_arrives_fails():
    with Service("old") as service, pytest.raises(Unhealthy, match="/health/live answered 412"):
        check(service, seconds=0.1)


class Gateway(Service):
    """A gateway behind a Front Door: who does not show its id is kept out."""

    def serve(self, method, path, query, headers, body):
        if headers.get("X-Azure-FDID") != "the-front-doors":
            raise Answer(403, {"statusCode": 403, "message": "reach this service through its front door"})
        return super().serve(method, path, query, headers, body)


def test_a_gateway_behind_an_edge_is_asked_itself():
    """The edge takes up to 90 minutes to know what is new."""
    with Gateway("old", "new") as gateway:
        url = f"http://{gateway.host}"
        assert verify(url, "new", str, Retry(30, 0.01), front_door="the-front-doors") == READY
        with pytest.raises(Unhealthy, match="answered 403"):
            verify(url, "new", str, Retry(0.05, 0.01))


def test_an_edge_that_does_not_answer_yet_is_told_and_fails_nothing(capsys):
    with Service("new") as edge:
        look(f"http://{edge.host}")
        assert capsys.readouterr().err == "" and [path for _, path in edge.requests] == ["/health/live"]
        edge.inject(1, Answer(404, b"<html>"))
        look(f"http://{edge.host}")
    message = capsys.readouterr().err
    assert (
        message.startswith("warning: the service is healthy")
        and "(answered 404)" in message
        and "90 minutes" in message
    )
    look(f"http://{edge.host}")
    assert "does not answer yet (" in capsys.readouterr().err


def test_an_edge_whose_answer_is_not_understood_fails_nothing(capsys):
    with Service("new") as edge:
        edge.inject(1, Answer(200, b"<html>", {"Content-Encoding": "gzip"}))
        look(f"http://{edge.host}")
    assert "does not answer yet (" in capsys.readouterr().err


class Cloud(FakeServer):
    """Resource Manager's way to the host, and Log Analytics, as far as they are asked."""

    def __init__(self, status, rows):
        super().__init__(tls=False)
        self.status, self.rows, self.queries = status, rows, []

    def serve(self, method, path, query, headers, body):
        if path == f"{APP}/hostruntime/admin/host/status" and "api-version=" in query:
            if headers.get("Authorization") != "Bearer for https://management.azure.com/.default":
                raise Answer(401)
            return Answer(200, self.status)
        if (method, path) == ("POST", f"/v1{APP}/query"):
            if headers.get("Authorization") != "Bearer for https://api.loganalytics.io/.default":
                raise Answer(401)
            self.queries.append(body.decode())
            columns = [{"name": "Line", "type": "string"}]
            return Answer(200, {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": self.rows}]})
        raise Answer(404)


def explained(cloud):
    url = f"http://{cloud.host}"
    return explain(APP, APP, lambda scope: f"for {scope}", arm=url, logs=url)


def test_the_hosts_error_and_the_logs_last_line_are_told():
    trace = (
        "Traceback (most recent call last):\n  File x\ntwofold.errors.SettingsError: TWOFOLD_OIDC_ISSUER is missing\n "
    )
    with Cloud(
        {"state": "Error", "errors": ["Worker was unable to load entry point\nfunction_app.py"]}, [[trace]]
    ) as cloud:
        text = explained(cloud)
        assert "FunctionAppLogs" in cloud.queries[0]
    assert "The host says: function_app.py" in text
    assert (
        "The log says: twofold.errors.SettingsError: TWOFOLD_OIDC_ISSUER is missing" in text and "Traceback" not in text
    )


def test_a_line_of_the_kits_own_is_told_by_its_message():
    with Cloud({"state": "Running"}, [['{"log.level": "error", "message": "settings are wrong"}']]) as cloud:
        assert "The log says: settings are wrong. " in explained(cloud)


def test_a_log_that_is_late_is_said_to_be_with_where_to_look():
    with Cloud({"state": "Running"}, []) as cloud:
        text = explained(cloud)
    assert "The host is Running. The log has no error yet; it may be minutes late" in text
    assert text.endswith(f"Look into: table FunctionAppLogs in https://portal.azure.com/#@/resource{APP}/logs")


def test_a_table_that_is_not_there_yet_is_no_error():
    with Cloud({"state": "Running"}, []) as cloud:
        semantic = Answer(
            400, {"error": {"code": "BadArgumentError", "message": "Failed to resolve table 'FunctionAppLogs'"}}
        )
        cloud.inject(1, semantic, when=lambda method, path, headers: method == "POST")
        assert "The log has no error yet" in explained(cloud)


def test_what_can_not_be_asked_hides_no_answer():
    with Cloud({}, []) as cloud:
        cloud.inject(math.inf, None)
        text = explained(cloud)
    assert "The host's status could not be read" in text and "The log could not be read" in text
