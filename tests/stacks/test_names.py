"""Every resource's name with the longest names that config takes is one that its cloud takes; one character more is refused."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from api.manifest import SERVICE
from tests.engine import names
from tests.stacks.options import everything
from tests.stacks.stack import ROOT, config
from twofold.deploy import package, program
from twofold.deploy.config import ConfigError, parse
from twofold.manifest import RESERVED_UNITS, QueueSpec, ScheduleSpec

TABLE = {"aws": names.AWS, "azure": names.AZURE}
OTHERS = ("aws:ec2/", "pulumi:", "pulumi-python:", "random:")
"""AWS makes the ids of a network; the rest is in no cloud."""
DEEP = partial(pytest.param, marks=pytest.mark.deep)
CUSTOMER, ENVIRONMENT = "customername", "environments"


def manifest(*, service=24, unit=9, queue=12, schedule=4):
    """A service whose names have these lengths."""
    return replace(
        SERVICE,
        name="s" * service,
        queues=(QueueSpec("q" * queue, SERVICE.queues[0].handler, unit="u" * unit),),
        schedules=(ScheduleSpec("t" * schedule, SERVICE.schedules[0].handler),),
    )


LONGEST = {  # cloud and config: the lengths of all that is as long as it may be
    ("aws", "all"): {"service": 14, "unit": 23, "queue": 32, "schedule": 14},  # the cache's 40
    ("aws", "prefix"): {"service": 24, "unit": 13, "queue": 22, "schedule": 4},
    ("azure", "all"): {"service": 22, "unit": 11, "queue": 32, "schedule": 24},  # the cache's endpoint's 64
    ("azure", "prefix"): {"service": 24, "unit": 9, "queue": 31, "schedule": 24},
}


def chosen(cloud, kind, **changed):
    extra = everything(cloud) if kind == "all" else {}
    extra.pop("image", None)
    extra |= {"customer": CUSTOMER, "environment": ENVIRONMENT, "maxInstances": "{}", "warmInstances": "{}"}
    return config(cloud, **(extra | changed))


def parsed(cloud, kind, service, **changed):
    return parse(chosen(cloud, kind, **changed), f"{CUSTOMER}-{ENVIRONMENT}-{cloud}", service)


@pytest.fixture(scope="module")
def asked():
    """What the program asks for, with one artifact for all."""
    artifact = package.artifact(SERVICE, parse(config("aws"), "dev-aws", SERVICE), ROOT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "artifact", lambda *_: artifact)
        yield lambda cloud, kind, service, read: program.planned(service, read, ROOT, f"{ENVIRONMENT}-{cloud}")


def test_a_program_is_asked_after_other_event_loops(asked):
    """The first test here: later calls find the root resource that the first one made."""
    asyncio.run(asyncio.sleep(0))  # leaves the thread without a loop
    assert asked("aws", "prefix", manifest(), parsed("aws", "prefix", manifest()))


@pytest.mark.parametrize(("cloud", "kind"), LONGEST)
def test_the_longest_names_are_taken(asked, cloud, kind):
    service = manifest(**LONGEST[cloud, kind])
    resources = asked(cloud, kind, service, parsed(cloud, kind, service))
    unknown = {one.type for one in resources if not one.type.startswith(OTHERS)} - TABLE[cloud].keys() - names.NAMELESS
    assert unknown == set()  # a new type gets its rule
    assert [why for one in resources if (why := names.wrong(one.type, one.inputs, TABLE[cloud]))] == []
    # What is named as a unit would be, and is none, is no unit's name.
    prefix, roles = f"{service.name}-{CUSTOMER}-{ENVIRONMENT}-", {unit.role for unit in service.units}
    types = {one.type for one in resources if one.name == prefix + service.queues[0].unit}
    like = {one.name.removeprefix(prefix) for one in resources if one.type in types and one.name.startswith(prefix)}
    assert like - roles - {spec.name for spec in service.schedules} <= set(RESERVED_UNITS)


def test_a_services_title_is_no_name(asked):
    service = replace(SERVICE, title="Orders: Bob's & co")
    managed = {"issuer": "managed", "oidcIssuer": "", "oidcAudience": "", "machineClient": "true"}
    resources = asked("aws", "prefix", service, parsed("aws", "prefix", service, **managed))
    assert [why for one in resources if (why := names.wrong(one.type, one.inputs, names.AWS))] == []
    assert {one.type for one in resources if one.type.startswith("aws:cognito/")} <= names.AWS.keys()


@pytest.mark.parametrize(
    ("cloud", "kind", "part", "message"),
    [
        ("aws", "all", "service", "a cache's name may have 1 to 40"),
        ("aws", "prefix", "unit", "a function's and its role's name may have 1 to 64"),
        DEEP("aws", "prefix", "queue", "a dead-letter queue's name may have 1 to 80"),
        DEEP("aws", "prefix", "schedule", "a schedule's role's name may have 1 to 64"),
        ("azure", "all", "service", "a private endpoint's name may have 2 to 64"),
        DEEP("azure", "prefix", "unit", "an app's plan's name may have 1 to 60"),
        DEEP("azure", "prefix", "queue", "a dead-letter queue's name may have 1 to 63"),
    ],
)
def test_one_character_more_is_refused_and_by_the_cloud_too(asked, cloud, kind, part, message):
    lengths = LONGEST[cloud, kind]
    longer = manifest(**lengths | {part: lengths[part] + 1})
    with pytest.raises(ConfigError) as refused:
        parsed(cloud, kind, longer)
    assert message in str(refused.value) and "shorten" in str(refused.value)
    read = parsed(cloud, kind, manifest(**lengths))
    assert any(names.wrong(one.type, one.inputs, TABLE[cloud]) for one in asked(cloud, kind, longer, read))


@pytest.mark.parametrize(
    ("service", "unit", "message"),
    [
        ("orders", "w", "a unit's container's name may have 3 to 63 on azure: lengthen"),
        ("login-shop", "worker", "has the word 'login', which Azure reserves"),
        ("my-windows", "worker", "has the word 'windows', which Azure reserves"),
    ],
)
def test_what_azure_alone_refuses(service, unit, message):
    named = replace(SERVICE, name=service, queues=tuple(replace(spec, unit=unit) for spec in SERVICE.queues))
    with pytest.raises(ConfigError, match="stack config is wrong") as refused:
        parse(config("azure"), "dev-azure", named)
    assert message in str(refused.value)
    assert parse(config("aws"), "dev-aws", named).cloud == "aws"


def test_a_workspace_of_three_letters_is_refused():
    with pytest.raises(ConfigError, match="a log workspace's name may have 4 to 63"):
        parse(config("azure", environment="1"), "1-azure", replace(SERVICE, name="a"))
