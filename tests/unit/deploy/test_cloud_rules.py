"""The rules that the stand-in provider has of the clouds can fail: what each refuses, and what it lets through."""

import pytest

from tests.engine import aws_rules, azure_rules
from tests.engine.operation import Operation

SECRET, STAGE = "aws:secretsmanager/secret:Secret", "aws:apigatewayv2/stage:Stage"
LOGS = {"urn::a-access": ("aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/vendedlogs/apigateway/a"})}
OUTSIDE = {"urn::a-access": ("aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/apigateway/a"})}


def stage(text):
    return {"accessLogSettings": {"destinationArn": "arn:aws:logs:::a-access", "format": text}}


def issuer(url):
    return {"jwtConfiguration": {"issuer": url}}


def firewall(*counted):
    overrides = [{"name": name, "actionToUse": {"count": {}}} for name in counted]
    group = {"name": "AWSManagedRulesCommonRuleSet", "ruleActionOverrides": overrides}
    return {"name": "a-edge", "rules": [{"statement": {"managedRuleGroupStatement": group}}]}


def secret(**changed):
    return {"name": "a/key"} | changed


@pytest.mark.parametrize(
    ("token", "inputs", "resources", "deleted", "message"),
    [
        (STAGE, stage("$context.ip"), LOGS, [], "$context.ip is no variable"),
        (STAGE, stage("$context.identity.sourceIp $context.authorizer.claims.sub"), LOGS, [], None),
        (STAGE, stage("$context.status"), OUTSIDE, [], "Cannot enable logging"),
        ("aws:apigatewayv2/authorizer:Authorizer", issuer("https://issuer.example.com"), {}, [], "Invalid issuer"),
        ("aws:apigatewayv2/authorizer:Authorizer", issuer("https://issuer.example"), {}, [], None),
        ("aws:wafv2/webAcl:WebAcl", firewall("NoUserAgent_HEADER", "SizeRestrictions_QUERYSTRING"), {}, [],
         "403 to requests that the service takes: SizeRestrictions_BODY, SizeRestrictions_URIPATH"),
        (SECRET, secret(), {}, [(SECRET, secret(recoveryWindowInDays=7))], "already scheduled for deletion"),
        (SECRET, secret(), {}, [(SECRET, secret(recoveryWindowInDays=0))], None),
        (SECRET, secret(), {}, [(SECRET, secret(name="a/other"))], None),
        ("aws:iam/role:Role", {"name": "a" * 65}, {}, [], "has 65 characters"),
        ("aws:sqs/queue:Queue", {"name": "a.fifo"}, {}, [], "must match"),
        ("azure-native:storage:Queue", {"queueName": "a" * 64}, {}, [], "has 64 characters"),
        ("azure-native:storage:BlobContainer", {"containerName": "w"}, {}, [], "has 1 characters"),
    ],
)  # fmt: skip
def test_a_rule_refuses(token, inputs, resources, deleted, message):
    rules = aws_rules if token.startswith("aws:") else azure_rules
    why = rules.refused(Operation("create", token, "a", inputs, {}, resources, deleted))
    assert (message in why) if message else why is None
