"""What the Functions host is told of each trigger, as the library indexes it."""

from api.manifest import SERVICE
from twofold.azure.door import build
from twofold.runtime import Runtime

ENVIRON = {
    "TWOFOLD_STORE_URL": "cosmos://account.documents.azure.com/shop",
    "TWOFOLD_QUEUE_URL": "storagequeue://account.queue.core.windows.net/shop",
}


def test_the_feed_alone_is_retried_for_ever(tmp_path):
    """The host keeps the Cosmos lease where it is until the policy ends; without one it would move on after a failure."""
    functions = build(Runtime(SERVICE, root=tmp_path, environ=ENVIRON)).get_functions()
    policies = {function.get_function_name(): function.get_settings_dict("retry_policy") for function in functions}
    feed = policies.pop("feed")
    assert (feed["strategy"], feed["max_retry_count"]) == ("fixed_delay", "-1")
    assert policies == {"http": None, "queue_payments": None, "expire_unpaid": None}
