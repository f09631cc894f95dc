"""Whether what a server has accepted sends each answer at once: an application that tells it of the process it runs in."""

import os
import socket

from fastapi import FastAPI, Request

from twofold import ServiceManifest


def accepted(port: int) -> list[bool]:
    """Of this process's connections at its own port: whether TCP_NODELAY is set."""
    options = []
    for name in os.listdir("/dev/fd"):
        try:
            connection = socket.socket(fileno=os.dup(int(name)))
        except OSError:  # no socket
            continue
        with connection:
            try:
                connection.getpeername()
                if connection.getsockname()[1] == port:
                    options.append(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            except (OSError, IndexError):  # it listens, or is none of TCP
                continue
    return options


def create_app(services: object) -> FastAPI:
    """`/accepted?port=…` answers what `accepted` returns."""
    app = FastAPI()

    @app.get("/accepted")
    def nodelay(port: int, request: Request) -> list[bool]:
        return accepted(port)

    return app


SERVICE = ServiceManifest("accepted", app="tests.integration.accepted:create_app")
