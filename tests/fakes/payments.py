"""The payment provider of the orders service."""

import json

from twofold.emulators.server import Answer, FakeServer

KEY = "the-providers-key"


class Payments(FakeServer):
    """Takes `KEY`. While `down` it answers 503."""

    def __init__(self):
        super().__init__(tls=False)
        self.down, self.charged, self.refused = False, {}, []

    def serve(self, method, path, query, headers, body):
        if headers["Authorization"] != f"Bearer {KEY}":
            return Answer(401, {})
        key = headers["Idempotency-Key"]
        if self.down:
            self.refused.append(key)
            return Answer(503, {})
        self.charged[key] = json.loads(body)["amount"]
        return Answer(200, {"status": "captured", "reference": key})
