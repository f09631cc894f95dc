"""The ways in: what did not come through the edge or the gateway is refused, and whose address and token count."""

import hashlib

import httpx
import pytest
from azure.functions import HttpRequest

from twofold.azure.gateway import through_gateway
from twofold.azure.http_request import serve
from twofold.http.client_address import client_address
from twofold.http.edge import only_through_edge
from twofold.http.problem import boundary
from twofold.settings import CALLER_HEADER, EDGE_HEADER

VALUE = "r4nd0m" * 8
DIGEST = hashlib.sha256(VALUE.encode()).hexdigest()
GATEWAY = "0b7e5a54-0000-4000-8000-00000000000a"


async def seen(scope, receive, send):
    """Answers with what the application sees: its headers, one a line, and the client."""
    lines = [f"{name.decode()}: {value.decode()}" for name, value in scope["headers"]]
    body = "\n".join([*lines, f"client={(scope.get('client') or ('none',))[0]}"]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


def ask(app, headers):
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://test").get("/x", headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(EDGE_HEADER, "")],
        [(EDGE_HEADER, DIGEST)],
        [(EDGE_HEADER, VALUE + "x")],
        [(EDGE_HEADER, VALUE), (EDGE_HEADER, VALUE)],
        [("X-Azure-FDID", VALUE)],
    ],
)
async def test_past_the_edge_nobody_comes(headers):
    answer = await ask(boundary(only_through_edge(seen, DIGEST)), headers)
    assert answer.status_code == 403 and answer.json()["detail"] == "reach this service through its edge"
    assert VALUE not in answer.text and DIGEST not in answer.text


async def test_through_the_edge_the_application_sees_no_secret():
    answer = await ask(only_through_edge(seen, DIGEST), [(EDGE_HEADER, VALUE), ("Accept", "text/plain")])
    assert answer.status_code == 200 and "accept: text/plain" in answer.text and VALUE not in answer.text


def functions_request(headers):
    return HttpRequest("GET", "https://app.azurewebsites.net/x", headers=headers, params={}, route_params={}, body=b"")


async def test_behind_api_management_the_callers_token_is_restored():
    """`Authorization` is the gateway's, which the host has verified; the service gets what the caller sent."""
    sent = {
        "Authorization": "Bearer the-gateways", CALLER_HEADER: "Bearer the-users", "X-MS-CLIENT-PRINCIPAL-ID": GATEWAY,
        "X-MS-CLIENT-PRINCIPAL": "e30=", "X-MS-TOKEN-AAD-ACCESS-TOKEN": "t", "If-Match": "1",
    }  # fmt: skip
    answer = await serve(through_gateway(seen, GATEWAY), functions_request(sent))
    assert sorted(answer.get_body().decode().splitlines()) == [
        "authorization: Bearer the-users",
        "client=none",
        "if-match: 1",
    ]


async def test_an_anonymous_caller_does_not_get_the_gateways_token():
    sent = {"Authorization": "Bearer the-gateways", CALLER_HEADER: "", "X-MS-CLIENT-PRINCIPAL-ID": GATEWAY}
    answer = await serve(through_gateway(seen, GATEWAY), functions_request(sent))
    assert answer.status_code == 200 and b"authorization" not in answer.get_body()


@pytest.mark.parametrize("principal", [None, "", "somebody-else", GATEWAY + "x"])
async def test_beside_the_gateway_nobody_comes(principal):
    sent = {"Authorization": "Bearer forged", CALLER_HEADER: "Bearer the-users"}
    if principal is not None:
        sent["X-MS-CLIENT-PRINCIPAL-ID"] = principal
    answer = await serve(through_gateway(seen, GATEWAY), functions_request(sent))
    assert answer.status_code == 403 and b"through its gateway" in answer.get_body()


async def test_without_a_gateway_a_request_stays_as_it_is():
    sent = {"Authorization": "Bearer the-users", CALLER_HEADER: "x", "X-MS-CLIENT-PRINCIPAL-ID": "forged"}
    answer = await serve(through_gateway(seen, ""), functions_request(sent))
    assert b"authorization: Bearer the-users" in answer.get_body()


async def test_a_forged_field_of_its_own_counts_as_entries_further_left():
    forged = [("X-Forwarded-For", "6.6.6.6, 7.7.7.7"), ("X-Forwarded-For", "203.0.113.9, 10.0.0.7")]
    assert (await ask(client_address(seen, deployed=True, hops=2), forged)).text.endswith("client=203.0.113.9")


@pytest.mark.parametrize(
    ("hops", "forwarded", "client"),
    [
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.7", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.7:443", "203.0.113.9"),
        (2, "6.6.6.6", "127.0.0.1"),  # fewer than our own proxies write: none of it counts
        (2, "6.6.6.6, junk, 10.0.0.7", "127.0.0.1"),
    ],
)
async def test_only_our_own_proxies_tell_the_client(hops, forwarded, client):
    answer = await ask(client_address(seen, deployed=True, hops=hops), {"X-Forwarded-For": forwarded})
    assert answer.text.endswith(f"client={client}")
