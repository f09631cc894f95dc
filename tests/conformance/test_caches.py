"""The portability contract of caches: this process's memory, and a real Redis (`TWOFOLD_TEST_REDIS` names another)."""

import pytest

from twofold.local import cache as local
from twofold.testing import CacheConformance


class TestMemory(CacheConformance):
    """A dictionary."""

    async def open_driver(self):
        return local.from_url("memory:")


class TestRedis(CacheConformance):
    """The Redis protocol without login, as a checkout may use it. The logins are in tests/unit/drivers/test_redis_logins.py."""

    @pytest.fixture(autouse=True)
    def _url(self, redis_url):
        self.url = redis_url

    async def open_driver(self):
        return local.from_url(self.url)
