"""What every request gets in place of a service that does not start: why, for a program and for a browser."""

import html
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler

from twofold.http.openapi import MEDIA_TYPE
from twofold.http.problem import Problem

type Page = tuple[int, Iterable[tuple[str, str]], bytes]

STATUS = 500


def page(accept: str, failure: str) -> Page:
    """Status, headers and body."""
    body, kind = Problem(STATUS, "does-not-start", failure).body(), MEDIA_TYPE
    if "text/html" in accept:
        text = html.escape(failure)
        body, kind = (
            f"<!doctype html><title>It does not start</title><pre>{text}</pre>".encode(),
            "text/html; charset=utf-8",
        )
    return STATUS, [("Content-Type", kind), ("Cache-Control", "no-store"), ("Connection", "close")], body


def answer(request: BaseHTTPRequestHandler, failure: str) -> None:
    """Sends it, and ends the connection: the next request is for the service."""
    request.rfile.read(int(request.headers.get("Content-Length") or 0))
    status, headers, body = page(request.headers.get("Accept", ""), failure)
    request.send_response_only(status)
    for name, value in (*headers, ("Content-Length", str(len(body)))):
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(b"" if request.command == "HEAD" else body)
    request.close_connection = True
