"""Each rule of the ledger: behind the layer both backends answer as AWS does; alone, as the ledger says."""

import uuid

import pytest
import yaml

from tests.emulators.dynamodb.ledger import ALONE, LEFT, ROWS, answers

BACKENDS = {"ministack": "dynamodb", "moto": "dynamodb_moto"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_behind_the_layer_it_answers_as_aws(request, backend):
    texts = answers(request.getfixturevalue(BACKENDS[backend]), f"ledger-{uuid.uuid4().hex[:8]}")
    assert texts.keys() == LEFT.get(backend, {}).keys(), texts


@pytest.mark.parametrize("backend", BACKENDS)
def test_alone_it_answers_as_the_ledger_says(request, backend):
    texts = answers(request.getfixturevalue(backend), f"ledger-{uuid.uuid4().hex[:8]}")
    assert texts == yaml.safe_load(ALONE.read_text())[backend], "python -m tests.emulators.dynamodb.ledger rewrites it"


def test_each_rule_is_there_once_and_says_where_aws_says_it():
    assert len({row.rule for row in ROWS}) == len(ROWS)
    assert [row.rule for row in ROWS if "https://" not in row.source] == []
