"""`python -m bench.access`: what access control costs a warm request, and what loading it costs a process.

Prints microseconds (the least of several runs, so that a busy machine tells little) and the milliseconds of processor time that the
first token's imports take. The numbers are this machine's.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from rich.console import Console
from rich.table import Table

from twofold.http.auth import admit, authenticate
from twofold.portable.access_token import TokenVerifier
from twofold.portable.issuer_keys import IssuerKeys

ROUNDS, TIMES = 7, 500
KEYS: dict[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048, {"kid": "k"}),
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "k"}),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519", {"kid": "k"}),
}
IMPORTS = {
    "joserfc": "import joserfc.jws, joserfc.jwt",
    "httpx, for an issuer on the network": "import httpx",
    "FastAPI, to compare": "import fastapi",
}


class _Published:
    def __init__(self, key: Key) -> None:
        self._key = key

    async def fetch(self) -> Iterable[Mapping[str, Any]]:
        return [dict(self._key.as_dict(private=False))]


async def _microseconds(work: Callable[[], Awaitable[object]]) -> float:
    best = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(TIMES):
            await work()
        best.append((time.perf_counter() - begun) / TIMES * 1e6)
    return min(best)


async def _nothing(*_: Any) -> None: ...


async def main() -> None:
    """Measures and prints."""
    table = Table("a warm request", "µs")
    for algorithm, generate in KEYS.items():
        key = generate()
        tokens = TokenVerifier(IssuerKeys(_Published(key)), issuer="i", audience="a", service="s")
        claims = {"iss": "i", "aud": "a", "sub": "c-1", "exp": int(time.time()) + 3600, "scope": "orders.read"}
        token = jwt.encode({"alg": algorithm, "kid": "k", "typ": "at+jwt"}, claims, key, algorithms=[algorithm])
        layers = authenticate(admit(_nothing), tokens)
        field = [(b"authorization", f"Bearer {token}".encode())]

        async def signed(layers: Any = layers, field: Any = field) -> None:
            await layers({"type": "http", "headers": field}, _nothing, _nothing)

        async def anonymous(layers: Any = layers) -> None:
            await layers({"type": "http", "headers": []}, _nothing, _nothing)

        table.add_row(f"with a token, {algorithm}", f"{await _microseconds(signed):.0f}")
    table.add_row("without one", f"{await _microseconds(anonymous):.1f}")
    loading = Table("loading", "ms of processor time")
    for name, code in IMPORTS.items():
        timed = f"import time; t = time.process_time(); {code}; print(time.process_time() - t)"
        command = [sys.executable, "-c", timed]
        took = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(5)]  # noqa: S603
        loading.add_row(name, f"{statistics.median(took) * 1000:.0f}")
    console = Console()
    console.print(table)
    console.print(loading)


if __name__ == "__main__":
    asyncio.run(main())
