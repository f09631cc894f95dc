"""Processes that may die at any call to the outside, and a home that outlives them: its store, its queues, time.

A crash is a BaseException out of a call, after which every further call fails too: so nothing that the dying code does (releasing
a claim, say) reaches the outside. It strikes between the kit and a driver; behind are the real drivers, SDKs and emulators. The
wire is not cut: an SDK that lives sends again, a dead process does not, and `tests/unit/drivers` has those faults.

Emulators of queues have clocks that can't be moved: so no message has a delay here, and what a dead process had in hand is
released, as the end of its visibility would.
"""

from twofold.testing import Clock

READS = ("get", "query", "scan", "depth")


class Crashed(BaseException):
    """The process is gone."""


class CrashPoint:
    """Counts the calls that change something; the `at`th crashes, before it is done or after.

    A read changes nothing: to die before or after it is to die before the next call that does. And to die before a call is to die
    after the one that ended last, unless others are under way: `abreast` tells before which it is something else.
    """

    def __init__(self, at=None, *, after=False):
        self.at, self.after, self.calls, self.dead = at, after, 0, False
        self.abreast, self._under_way = {1}, 0
        self.first = {}
        """Of each kind of call the number of the first."""

    async def __call__(self, work, kind, *, reads=False):
        if reads:
            return await self._done(work, False)
        self.calls += 1
        self.first.setdefault(kind, self.calls)
        due = self.calls == self.at
        self.dead = self.dead or (due and not self.after)
        if self._under_way:
            self.abreast.add(self.calls)
        self._under_way += 1
        try:
            return await self._done(work, due)
        finally:
            self._under_way -= 1

    async def _done(self, work, due):
        if self.dead:
            raise Crashed
        try:
            return await work()
        finally:
            self.dead = self.dead or due
            if self.dead:
                raise Crashed


def kind(name, subject, *more):
    """What a call is for: of a store's writes that is how their partition's name begins: `feed` of `feed:order-events:order-1`."""
    if name == "commit":
        [partition, _] = more
        return name, subject, partition.partition(":")[0].partition("-")[0]
    return name, getattr(subject, "queue", None)


class CrashingDriver:
    """A driver as one process has it. Its connections outlive the process."""

    def __init__(self, driver, crash_point):
        self._driver, self._crash_point, self.system = driver, crash_point, driver.system

    def __getattr__(self, name):
        method = getattr(self._driver, name)

        async def call(*arguments, **options):
            return await self._crash_point(
                lambda: method(*arguments, **options), kind(name, *arguments), reads=name in READS
            )

        return call

    async def close(self):
        pass


class CrashingQueueDriver(CrashingDriver):
    """A queue's driver, without delays. What is received stands in `held` too, whether the process lived to see it or not."""

    def __init__(self, driver, crash_point, held):
        super().__init__(driver, crash_point)
        self._held = held

    async def send(self, queue, body, *, delay):
        await self._crash_point(lambda: self._driver.send(queue, body, delay=0), ("send", queue))

    async def receive(self, queue, **options):
        async def take():
            deliveries = await self._driver.receive(queue, **options)
            self._held.extend(deliveries)
            return deliveries

        return await self._crash_point(take, ("receive", queue))


class Home:
    """Drivers, and what delivers: commits and messages come again until they have been worked off.

    `changes()` gives what the events' feed has anew; `clocks` are those that go with the kit's.
    """

    def __init__(self, documents, queue, changes, *clocks):
        self.clock = Clock(1_800_000_000.0)
        self._documents, self._queue, self._changes = documents, queue, changes
        self._clocks = (self.clock, *clocks)
        self._undelivered, self._held = [], []

    def drivers(self, crash_point):
        """Those of one process."""
        return {
            "document_driver": CrashingDriver(self._documents, crash_point),
            "queue_driver": CrashingQueueDriver(self._queue, crash_point, self._held),
        }

    async def deliver(self, runtime):
        """Hands over what waits; False when nothing did."""
        self._undelivered += await self._changes()
        if fed := bool(self._undelivered):
            await runtime.process_feed(self._undelivered)
            self._undelivered = []
        [spec] = runtime.manifest.queues
        deliveries = await runtime.services.queue.receive(spec.name)
        for delivery in deliveries:
            await runtime.handle_delivery(spec, delivery)
        return fed or bool(deliveries)

    def advance(self, seconds):
        """Lets time pass."""
        for clock in self._clocks:
            clock.advance(seconds)

    async def bury(self):
        """Ends a dead process's hold on its messages."""
        for delivery in self._held:
            await self._queue.release(delivery)
        self._held.clear()
