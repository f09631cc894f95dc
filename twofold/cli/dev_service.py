"""The service of `twofold dev` in its life: started, asked whether it answers, ended by a mistake or a death, started again."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from select import select
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from twofold.emulators.output import Output
from twofold.errors import TwofoldError

if TYPE_CHECKING:
    from twofold.emulators.dev_environment import DevEnvironment, Emulator

START_SECONDS = 60
SHORT_SECONDS = 60
"""A life that counts as a failure."""
LIVES = 3
"""So many short ones, one after another, are the last."""
MEND = "mend it: the next change starts it again"

console = Console(stderr=True, soft_wrap=True)


class Lives:
    """How long something lived: `short` is how many of its last lives were."""

    def __init__(self) -> None:
        self.short = 0

    def ended(self, started: float) -> bool:
        """Counts one, from a time of `time.monotonic`; whether it was the last."""
        self.short = self.short + 1 if time.monotonic() - started < SHORT_SECONDS else 1
        return self.short >= LIVES


class _Superseded(Exception):
    """What is being started is no longer what there is."""


class Service:
    """`fine` is whether it serves. `wrong` says in a line why its manifest can't be read, or nothing; `changed` whether there is
    something newer to start, which ends the wait for what does not come up."""

    def __init__(
        self, environment: "DevEnvironment", output: Output, wrong: Callable[[], str], changed: Callable[[], bool]
    ) -> None:
        self._environment, self._output, self._wrong, self._changed = environment, output, wrong, changed
        self.fine, self._started = False, 0.0
        self._lives: dict[str, Lives] = {}

    def start(self, changed: str = "") -> None:
        """Starts it, or starts it anew after a change; waits until it answers, and tells how long that took. Why it does not is
        told here, and to whoever asks for anything."""
        begun, self.fine = time.monotonic(), False
        host = self._environment.host
        host.stop()
        self._output.begin()
        try:
            host.start()
            while (status := self._status(begun)) == 0:
                time.sleep(0.02)
            if status >= 500:
                raise TwofoldError(f"it answers {status}")
        except _Superseded:
            return
        except TwofoldError as exc:
            self._fail(f"{changed or 'the service'}: {str(exc).splitlines()[0]}")
            return
        self.fine, self._started = True, time.monotonic()
        if changed:
            console.print(f"[green]{escape(changed)}[/] is live after {self._started - begun:.2f} s")
        host.prepare()

    def refuse(self, wrong: str) -> None:
        """Answers every request with what is wrong with the manifest."""
        self.fine = False
        self._environment.host.show(wrong)
        console.print(f"[red]{escape(wrong)}[/]\n{MEND}")

    def look(self) -> None:
        """Starts again what has died. Raises TwofoldError for an emulator that dies again and again."""
        for emulator in self._environment.emulators:
            if emulator.server.ended:
                self._revive(emulator)
        if self.fine and self._environment.host.ended:
            if self._lives.setdefault("", Lives()).ended(self._started):
                del self._lives[""]  # a change begins anew
                self._fail(f"the service has ended {LIVES} times, each time soon after its start")
                return
            console.print("[red]the service has ended[/]: it is started again")
            self.start("the service")

    def _revive(self, emulator: "Emulator") -> None:
        fine, self.fine = self.fine, False
        if self._lives.setdefault(emulator.name, Lives()).ended(emulator.server.started):
            raise TwofoldError(f"{emulator.name} has died {LIVES} times, each time soon after its start")
        console.print(f"[red]{emulator.name} has died[/]: it is started again, and {emulator.lost}")
        emulator.server.start()
        try:
            emulator.restore()
        except Exception:
            if emulator.server.ended:
                return  # the next look counts it
            raise
        console.print(f"[green]{emulator.name}[/] is here again")
        self.fine = fine
        if not fine:  # which may have been why
            self.start("the service")

    def _fail(self, why: str) -> None:
        self.fine = False
        text = f"{why}\n{self._output.tail()}"
        self._environment.host.show(text)
        console.print(f"[red]{escape(why)}[/]; what it said is above")
        if wrong := self._wrong():  # a cloud's runtime may not say where
            self._environment.host.show(f"{wrong}\n{text}")
            console.print(f"[red]{escape(wrong)}[/]")
        console.print(MEND)

    def _status(self, begun: float) -> int:
        """What it answers; 0 as long as it breaks off. One question: each may make it say why it does not start."""
        address = urlsplit(self._environment.url)
        with (
            closing(HTTPConnection(address.hostname or "", address.port)) as connection,
            suppress(OSError, HTTPException),
        ):
            connection.request("GET", "/health/live")
            while not select([connection.sock], [], [], 0.02)[0]:
                self._require_life(begun)
            return connection.getresponse().status
        self._require_life(begun)
        return 0

    def _require_life(self, begun: float) -> None:
        if self._environment.host.ended:
            raise TwofoldError("it ended before it answered")
        if time.monotonic() - begun > START_SECONDS:
            raise TwofoldError(f"it does not answer within {START_SECONDS} seconds of its start")
        if self._changed():
            raise _Superseded
