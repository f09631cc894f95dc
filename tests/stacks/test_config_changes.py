"""What a changed config does: a mistake stops before any resource, and no key touches data."""

import pytest
from pulumi import automation

from api.manifest import SERVICE
from tests.stacks.changes import CHANGES, IN_PLACE
from tests.stacks.options import BOTH, ENCRYPTION, ON, everything
from tests.stacks.stack import HELD, config, started
from twofold.deploy.config import KEYS, ConfigError, parse

MISTAKES = [
    ({"cloud": "gcp"}, "dev-aws", "twofold:cloud is 'gcp'; allowed: aws, azure"),
    ({}, "dev-azure", "its name must end in '-aws'"),
    ({"memory": "1"}, "dev-aws", "twofold:memory is unknown"),
    ({"memoryMb": "7", "logLevel": "loud"}, "dev-aws", "twofold:logLevel is 'loud'; allowed: debug"),
    ({"settings": "{}"}, "dev-aws", "twofold:settings.payment_url is missing"),
    ({"oidcIssuer": ""}, "dev-aws", "twofold:oidcIssuer is missing"),
    ({"cache": "memcached"}, "dev-aws", "twofold:cache is 'memcached'; allowed: none, redis"),
    ({"limits": '{"reads": "5/week"}'}, "dev-aws", "twofold:limits.reads is '5/week': it must be like 600/minute"),
    ({"limits": '{"all": "5/day"}'}, "dev-aws", "twofold:limits has 'all'; it may have reads, writes, anonymous"),
    ({"gateway": "some"}, "dev-aws", "twofold:gateway is 'some'; allowed: managed, existing, none"),
    ({"gateway": "existing"}, "dev-aws", "'existing', which is Azure's"),
    ({"apimSku": "Basic"}, "dev-aws", "twofold:apimSku is Azure's"),
    ({"gateway": "none", "edge": "waf"}, "dev-aws", "twofold:edge needs a gateway behind it"),
    ({"gateway": "none", "gatewayRate": "5"}, "dev-aws", "twofold:gatewayRate needs a gateway"),
    ({"gatewayRate": "0"}, "dev-aws", "requests per second, 1 to 10000"),
    ({"cloud": "azure", "gatewayRate": "5"}, "dev-azure", "Consumption tier counts only subscription keys"),
    ({"cloud": "azure", "gateway": "existing"}, "dev-azure", "twofold:apim names the existing service"),
    ({"cloud": "azure", "apim": "company"}, "dev-azure", "the resource id of an API Management service"),
    (
        {"corsOrigins": "https://shop.example,*"},
        "dev-aws",
        "twofold:corsOrigins is 'https://shop.example,*'; allowed: origins",
    ),
]


@pytest.mark.parametrize(("changed", "stack", "message"), MISTAKES)
def test_a_config_mistake_is_told(changed, stack, message):
    with pytest.raises(ConfigError) as refused:
        parse(config("aws", **changed), stack, SERVICE)
    assert message in str(refused.value)


def test_a_config_mistake_stops_before_any_resource(tmp_path):
    engine = started(tmp_path, "aws")
    for changed, message in (({"cloud": "gcp"}, "allowed: aws, azure"), ({"gatewayRate": "0"}, "1 to 10000")):
        engine.configure(config("aws", **changed))
        with pytest.raises(automation.CommandError) as failed:
            engine.up()
        assert message in str(failed.value) and "Traceback" not in str(failed.value)
    assert engine.standin.resources == {}
    engine.close()


INSTEAD = {"aws": {"warmInstances": "", "image": "", "snapStart": "true"}, "azure": {}}
"""What can't be had with the others: switched on before them."""
EXISTING = {"apim": "/subscriptions/s/resourceGroups/shared/providers/Microsoft.ApiManagement/service/company"}
LATER = {
    "aws": {"protect": "false", "network": "none", "subnets": "", "encryptionKey": "", "domain": "other.example.com"},
    "azure": {"protect": "false", "network": "none", "subnets": "", "logWorkspace": "", "domain": "other.example.com"},
}
"""What comes and goes while everything else is there: it changes what is made."""
CONTAINERS = {"image", "registry"}
"""See `test_an_image_runs_in_containers_with_what_the_zip_had` in tests/stacks/test_units_azure.py."""
ISSUER = {"issuer", "machineClient"}
"""Whose users are data of their own: tests/stacks/test_issuer.py."""
OWN = {"artifact": "of the stack itself, when it has one"}
ACCOUNTS = {"account", "assumeRole", "externalId", "subscription", "tenant", "customer", "deployer"}
"""Who and where, which test_accounts.py, test_logins.py and tests/unit/deploy/test_config.py hold: another one is refused."""
SEEN = {
    *BOTH,
    *ON["aws"],
    *ON["azure"],
    *ENCRYPTION["azure"],
    *EXISTING,
    *CONTAINERS,
    *ISSUER,
    *OWN,
    *ACCOUNTS,
    "cloud",
}
PLACES = {"region": {"aws": "eu-west-1", "azure": "northeurope"}, "environment": {"aws": "stage", "azure": "stage"}}


def test_every_config_key_is_either_harmless_to_data_or_refused():
    assert {*SEEN, *PLACES} == set(KEYS)


def test_no_config_change_replaces_data_and_protected_data_survives_a_destroy(tmp_path, cloud):
    engine = started(tmp_path, cloud)
    engine.up()
    data = {urn for urn, (token, _) in engine.standin.resources.items() if token in HELD}
    assert len(data) == {"aws": 5, "azure": 9}[cloud]
    own = {"artifact": engine.outputs["artifact"]}
    # An image is no artifact of a zip: the one that names both is refused.
    on = everything(cloud)
    open_ = on | INSTEAD[cloud] | LATER[cloud]
    for values in (open_, on | INSTEAD[cloud] | own, open_, on | {"artifact": ""}):
        engine.configure(config(cloud, **values))
        engine.up()
        assert not data & engine.standin.deleted
    assert {change: how for change, how in engine.standin.changed.items() if change[1] != "tags"} == {
        (token, path): verdict == IN_PLACE for token, paths in CHANGES[cloud].items() for path, verdict in paths.items()
    }
    engine.standin.deleted.clear()
    for key, values in PLACES.items():
        # A KMS key has to be in the stack's region.
        moved = {name: text.replace("eu-central-1", values["aws"]) for name, text in on.items()}
        engine.configure(config(cloud, **(moved if key == "region" else on) | {key: values[cloud]}))
        with pytest.raises(automation.CommandError, match=r"can't move|name must be") as refused:
            engine.up()
        assert "Traceback" not in str(refused.value) and key in str(refused.value)
    engine.configure(config(cloud, **on))
    with pytest.raises(automation.CommandError, match="protect"):
        engine.destroy()
    assert engine.standin.deleted == set() and data <= set(engine.standin.resources)
    engine.close()
