"""The SecretStore's promises as tests, over any SecretDriver."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from twofold.errors import ProfileError, SecretNotFound
from twofold.portable.secret_store import SecretDriver, SecretStore
from twofold.testing.clock import Clock


class SecretStoreConformance:
    """Subclass it and define `open_driver`."""

    async def open_driver(self) -> SecretDriver:
        """A driver on an empty or shared vault."""
        raise TypeError("define open_driver in the subclass")

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(0)

    @pytest_asyncio.fixture
    async def secrets(self, clock: Clock) -> AsyncIterator[SecretStore]:
        store = SecretStore(await self.open_driver(), ttl=60, clock=clock)
        yield store
        await store.close()

    @pytest.fixture
    def name(self) -> str:
        return f"s{uuid.uuid4().hex}"

    async def test_set_then_get(self, secrets: SecretStore, name: str) -> None:
        """A secret is read as it was set last, of any text up to 25 KiB."""
        with pytest.raises(SecretNotFound):
            await secrets.get(name)
        for value in ("one", "zwei ä 😀\n", "x" * 25 * 1024):
            await secrets.set(name, value)
            assert await secrets.get(name) == value
            assert await secrets.driver.get(name) == value

    async def test_rotation(self, secrets: SecretStore, clock: Clock, name: str) -> None:
        """A value that was rotated elsewhere is seen after the time to live, or at a refresh."""
        await secrets.set(name, "one")
        await secrets.driver.set(name, "two")
        assert await secrets.get(name) == "one"
        assert await secrets.refresh(name, rejected="one") == "two"
        await secrets.driver.set(name, "three")
        clock.advance(61)
        assert await secrets.get(name) == "three"

    @pytest.mark.parametrize("name", ["", "A", "a_b", "a/b", "a-", "x" * 101, "abc-abcdef"])
    async def test_names_are_portable(self, secrets: SecretStore, name: str) -> None:
        """A name that some vault could not take is refused."""
        with pytest.raises(ProfileError):
            await secrets.set(name, "v")

    @pytest.mark.parametrize("value", ["", "x" * (25 * 1024 + 1)])
    async def test_values_are_portable(self, secrets: SecretStore, name: str, value: str) -> None:
        """An empty or too large value is refused."""
        with pytest.raises(ProfileError):
            await secrets.set(name, value)
