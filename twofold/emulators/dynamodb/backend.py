"""What stores the items: ministack, or moto's server."""

import json
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from twofold.emulators.dynamodb.errors import JSON
from twofold.emulators.server import Answer

IDLE_SECONDS = 1.0
"""After that the connection is made anew: a server may have closed it."""


class Backend:
    """One connection: one request at a time."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._used = 0.0

    def send(self, target: str, body: bytes, region: str) -> Answer:
        """What it answers."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
        scope = f"Credential=local/20260101/{region}/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
        headers = {"X-Amz-Target": target, "Content-Type": JSON, "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
        try:
            self._connection.request("POST", "/", body, headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.read(), {"Content-Type": JSON})
        except (OSError, HTTPException):
            self._connection.close()
            raise
        finally:
            self._used = time.monotonic()

    def call(self, operation: str, request: dict[str, Any], region: str) -> dict[str, Any]:
        """An operation's answer; raises its refusal."""
        answer = self.send(f"DynamoDB_20120810.{operation}", json.dumps(request).encode(), region)
        if answer.status != 200:
            raise answer
        content: dict[str, Any] = json.loads(answer.data)
        return content

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
