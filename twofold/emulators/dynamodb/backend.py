"""What stores the items: ministack, or moto's server."""

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from twofold.emulators.dynamodb.errors import JSON
from twofold.emulators.server import Answer

IDLE_SECONDS = 1.0
"""After that the connection is made anew: a server may have closed it."""


class Backend:
    """One connection: one request at a time. Written on a socket, since `http.client` takes longer than all checks together."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._socket: socket.socket | None = None
        self._until = 0.0

    def send(self, target: str, body: bytes, region: str) -> Answer:
        """What it answers."""
        if time.monotonic() > self._until:
            self.close()
        self._socket = self._socket or socket.create_connection(self._address, timeout=60)
        scope = f"Credential=local/20260101/{region}/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
        self._socket.sendall(
            f"POST / HTTP/1.1\r\nHost: {self._address[0]}\r\nContent-Type: {JSON}\r\nX-Amz-Target: {target}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 {scope}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        self._until = 0.0  # until it has answered
        with self._socket.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            headers: dict[bytes, bytes] = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip().lower()
            content = stream.read(int(headers[b"content-length"]))
        if headers.get(b"connection") != b"close":
            self._until = time.monotonic() + IDLE_SECONDS
        return Answer(status, content, {"Content-Type": JSON})

    def call(self, operation: str, request: dict[str, Any], region: str) -> dict[str, Any]:
        """An operation's answer; raises its refusal."""
        answer = self.send(f"DynamoDB_20120810.{operation}", json.dumps(request).encode(), region)
        if answer.status != 200:
            raise answer
        content: dict[str, Any] = json.loads(answer.data)
        return content

    def close(self) -> None:
        """Closes the connection."""
        if self._socket:
            self._socket.close()
            self._socket = None
