"""What the API calls behind each type of resource on AWS take of permissions; reviewed as a table.

Read from what the provider calls for each type (hashicorp/terraform-provider-aws, `internal/service`), what AWS' own full-access
policies add for calls that a service makes as its caller, and the Service Authorization Reference: `tests/policy/aws_actions.json`
has its facts, and a test holds this table to them. What has a name is restricted to the stack's names; what AWS itself names (APIs,
distributions, networks) to its kind in the account.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Grant(NamedTuple):
    """Actions of one service on resources, as ARNs behind `arn:<partition>:`, or `*` where the action knows no resource.

    `{p}` is the stack's prefix, `{b}` and `{u}` as its buckets' and cache users' names begin, `{r}` region, `{a}` account, `{s}`
    partition, `{z}` the zone, `{boundary}` the boundary's ARN.
    """

    service: str
    actions: str
    resources: str
    condition: Mapping[str, Any] | None = None


_TAGS = "ListTagsForResource TagResource UntagResource"
WITHIN = {"StringLike": {"iam:PermissionsBoundary": "{boundary}"}}
_DELIVERY = Grant(
    "logs",
    "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries PutResourcePolicy "
    "DescribeResourcePolicies DescribeLogGroups",
    "*",
)
_API_LOGS = "logs:{r}:{a}:log-group:/aws/vendedlogs/apigateway/{p}*"
_API_TAGS = Grant("apigateway", "GET POST PUT DELETE", "apigateway:{r}::/tags/*")
_APIS = (
    Grant("apigateway", "POST", "apigateway:{r}::/apis apigateway:{r}::/apis/*"),
    Grant("apigateway", "GET PATCH DELETE", "apigateway:{r}::/apis/*"),
    _API_TAGS,
)
_DOMAINS = (
    Grant("apigateway", "POST", "apigateway:{r}::/domainnames apigateway:{r}::/domainnames/*"),
    Grant("apigateway", "GET PATCH DELETE", "apigateway:{r}::/domainnames/*"),
    _API_TAGS,
)
_CERTIFICATES = "acm:{r}:{a}:certificate/* acm:us-east-1:{a}:certificate/*"
_FUNCTIONS = "lambda:{r}:{a}:function:{p}-*"
_OF_FUNCTIONS = {"ArnLike": {"lambda:FunctionArn": f"arn:{{s}}:{_FUNCTIONS}"}}
_ROLES = "iam::{a}:role/{p}-*"
_BUCKET = "s3:::{b}-static-*"
_POOLS = "cognito-idp:{r}:{a}:userpool/*"
_DESCRIBED = Grant(
    "ec2",
    "DescribeVpcs DescribeSubnets DescribeRouteTables DescribeInternetGateways DescribeNatGateways DescribeAddresses "
    "DescribeAddressesAttribute DescribeSecurityGroups DescribeSecurityGroupRules DescribeVpcEndpoints DescribePrefixLists "
    "DescribeAvailabilityZones DescribeNetworkInterfaces DescribeNetworkAcls DescribeTags",
    "*",
)


def _linked(service: str) -> Grant:
    condition = {"StringEquals": {"iam:AWSServiceName": service}}
    return Grant("iam", "CreateServiceLinkedRole", "iam::{a}:role/aws-service-role/*", condition)


def _ec2(own: str, *actions: tuple[str, str]) -> tuple[Grant, ...]:
    """Actions with the kinds that they are allowed on, and the tags of the type's own kind."""
    pairs = (("CreateTags DeleteTags", own), *actions)
    kinds = ((names, " ".join(f"ec2:{{r}}:{{a}}:{kind}/*" for kind in on.split())) for names, on in pairs)
    return (*(Grant("ec2", names, resources) for names, resources in kinds), _DESCRIBED)


_ENDPOINTS = (
    ("CreateVpcEndpoint", "vpc-endpoint vpc route-table subnet security-group"),
    ("ModifyVpcEndpoint", "vpc-endpoint route-table subnet security-group"),
    ("DeleteVpcEndpoints", "vpc-endpoint"),
)
_INTERFACES = (
    # Functions leave theirs behind; the provider ends them with the group or subnet that they are in (deleteLingeringENIs).
    ("DetachNetworkInterface", "network-interface instance"), ("DeleteNetworkInterface", "network-interface"),
)  # fmt: skip
_RULES = (
    ("AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress", "security-group security-group-rule"),
    ("RevokeSecurityGroupIngress RevokeSecurityGroupEgress UpdateSecurityGroupRuleDescriptionsIngress "
     "UpdateSecurityGroupRuleDescriptionsEgress", "security-group"),
)  # fmt: skip
ALWAYS = (
    Grant("lambda", "GetAccountSettings", "*"), Grant("ec2", "DescribeRegions", "*"), Grant("iam", "GetPolicy", "{boundary}"),
)  # fmt: skip
"""What `twofold preflight` reads."""
GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "aws:acm/certificate:Certificate": (
        Grant("acm", "RequestCertificate", "*"),
        Grant("acm", "DescribeCertificate DeleteCertificate ListTagsForCertificate AddTagsToCertificate "
              "RemoveTagsFromCertificate", _CERTIFICATES),
    ),
    "aws:acm/certificateValidation:CertificateValidation": (Grant("acm", "DescribeCertificate", _CERTIFICATES),),
    "aws:apigatewayv2/api:Api": (*_APIS, _linked("ops.apigateway.amazonaws.com")),
    "aws:apigatewayv2/apiMapping:ApiMapping": _DOMAINS,
    "aws:apigatewayv2/authorizer:Authorizer": _APIS,
    "aws:apigatewayv2/domainName:DomainName": (*_DOMAINS, _linked("ops.apigateway.amazonaws.com")),
    "aws:apigatewayv2/integration:Integration": _APIS,
    "aws:apigatewayv2/route:Route": _APIS,
    "aws:apigatewayv2/stage:Stage": (
        *_APIS, _DELIVERY, Grant("logs", "DescribeLogStreams GetLogEvents FilterLogEvents", _API_LOGS),
        _linked("ops.apigateway.amazonaws.com"),
    ),
    "aws:budgets/budget:Budget": (
        Grant("budgets", f"ViewBudget ModifyBudget {_TAGS}", "budgets::{a}:budget/{p}*"),
    ),
    "aws:cloudfront/distribution:Distribution": (
        Grant("cloudfront", "CreateDistribution", "*"),
        Grant("cloudfront", f"GetDistribution GetDistributionConfig UpdateDistribution DeleteDistribution {_TAGS}",
              "cloudfront::{a}:distribution/*"),
    ),
    "aws:cloudfront/originAccessControl:OriginAccessControl": (
        Grant("cloudfront", "CreateOriginAccessControl", "*"),
        Grant("cloudfront", "GetOriginAccessControl UpdateOriginAccessControl DeleteOriginAccessControl",
              "cloudfront::{a}:origin-access-control/*"),
    ),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (
        Grant("cloudfront", "CreateResponseHeadersPolicy", "*"),
        Grant("cloudfront", "GetResponseHeadersPolicy UpdateResponseHeadersPolicy DeleteResponseHeadersPolicy",
              "cloudfront::{a}:response-headers-policy/*"),
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        Grant("cloudwatch", "PutDashboard GetDashboard DeleteDashboards", "cloudwatch::{a}:dashboard/{p}"),
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": (
        Grant("events", "CreateApiDestination DescribeApiDestination",
              "events:{r}:{a}:api-destination/{p}-* events:{r}:{a}:connection/{p}-*"),
        Grant("events", "UpdateApiDestination DeleteApiDestination", "events:{r}:{a}:api-destination/{p}-*"),
    ),
    "aws:cloudwatch/eventBus:EventBus": (
        Grant("events", f"CreateEventBus DescribeEventBus UpdateEventBus DeleteEventBus {_TAGS}", "events:{r}:{a}:event-bus/{p}"),
    ),
    "aws:cloudwatch/eventConnection:EventConnection": (
        Grant("events", "CreateConnection DescribeConnection UpdateConnection DeleteConnection", "events:{r}:{a}:connection/{p}-*"),
        # EventBridge keeps the connection's login there, as its caller (AmazonEventBridgeFullAccess).
        Grant("secretsmanager", "CreateSecret UpdateSecret DeleteSecret DescribeSecret GetSecretValue PutSecretValue",
              "secretsmanager:{r}:{a}:secret:events!connection/{p}-*"),
        _linked("apidestinations.events.amazonaws.com"),
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        Grant("events", f"PutRule DescribeRule DeleteRule {_TAGS}", "events:{r}:{a}:rule/{p}-*"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        Grant("events", "PutTargets RemoveTargets ListTargetsByRule", "events:{r}:{a}:rule/{p}-*"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        Grant("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey DisassociateKmsKey "
              f"{_TAGS}", f"logs:{{r}}:{{a}}:log-group:/aws/lambda/{{p}}-* {_API_LOGS} "
              "logs:us-east-1:{a}:log-group:aws-waf-logs-{p}-*"),
        Grant("logs", "DescribeLogGroups", "*"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Grant("cloudwatch", f"PutMetricAlarm DeleteAlarms {_TAGS}", "cloudwatch:{r}:{a}:alarm:{p}-*"),
        Grant("cloudwatch", "DescribeAlarms", "cloudwatch:{r}:{a}:alarm:*"),  # it is asked for none less
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": (
        Grant("logs", "PutQueryDefinition DescribeQueryDefinitions DeleteQueryDefinition", "*"),
    ),
    "aws:cognito/resourceServer:ResourceServer": (
        Grant("cognito-idp", "CreateResourceServer DescribeResourceServer UpdateResourceServer DeleteResourceServer", _POOLS),
    ),
    "aws:cognito/userPool:UserPool": (
        Grant("cognito-idp", "CreateUserPool", "*"),
        Grant("cognito-idp", f"DescribeUserPool UpdateUserPool DeleteUserPool AddCustomAttributes GetUserPoolMfaConfig "
              f"SetUserPoolMfaConfig {_TAGS}", _POOLS),
    ),
    "aws:cognito/userPoolClient:UserPoolClient": (
        Grant("cognito-idp", "CreateUserPoolClient DescribeUserPoolClient UpdateUserPoolClient DeleteUserPoolClient", _POOLS),
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": (
        Grant("cognito-idp", "DescribeUserPoolDomain", "*"),
        Grant("cognito-idp", "CreateUserPoolDomain UpdateUserPoolDomain DeleteUserPoolDomain", _POOLS),
    ),
    "aws:dynamodb/table:Table": (
        Grant("dynamodb", "CreateTable DescribeTable UpdateTable DeleteTable DescribeContinuousBackups UpdateContinuousBackups "
              "DescribeTimeToLive UpdateTimeToLive ListTagsOfResource TagResource UntagResource", "dynamodb:{r}:{a}:table/{p}-*"),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2("security-group", *_RULES),
    "aws:ec2/eip:Eip": _ec2(
        "elastic-ip", ("AllocateAddress ReleaseAddress", "elastic-ip"), ("DisassociateAddress", "elastic-ip network-interface"),
    ),
    "aws:ec2/internetGateway:InternetGateway": _ec2(
        "internet-gateway", ("CreateInternetGateway DeleteInternetGateway", "internet-gateway"),
        ("AttachInternetGateway DetachInternetGateway", "internet-gateway vpc"),
    ),
    "aws:ec2/natGateway:NatGateway": _ec2(
        "natgateway", ("CreateNatGateway", "natgateway elastic-ip subnet vpc"), ("DeleteNatGateway", "natgateway")
    ),
    "aws:ec2/routeTable:RouteTable": _ec2(
        "route-table", ("CreateRouteTable", "route-table vpc"), ("DisassociateRouteTable", "route-table subnet"),
        ("DeleteRouteTable CreateRoute ReplaceRoute DeleteRoute", "route-table"),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _ec2(
        "route-table", ("AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation", "route-table subnet")
    ),
    "aws:ec2/securityGroup:SecurityGroup": _ec2(
        "security-group", ("CreateSecurityGroup", "security-group vpc"), ("DeleteSecurityGroup", "security-group"),
        *_RULES, *_INTERFACES,
    ),
    "aws:ec2/securityGroupRule:SecurityGroupRule": _ec2("security-group", *_RULES),
    "aws:ec2/subnet:Subnet": _ec2(
        "subnet", ("CreateSubnet", "subnet vpc"), ("DeleteSubnet ModifySubnetAttribute", "subnet"), *_INTERFACES
    ),
    "aws:ec2/vpc:Vpc": _ec2("vpc", ("CreateVpc DeleteVpc ModifyVpcAttribute DescribeVpcAttribute", "vpc")),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        *_ec2("vpc-endpoint", *_ENDPOINTS),
        Grant("route53", "AssociateVPCWithHostedZone", "route53:::hostedzone/*"),  # its private name
    ),
    "aws:elasticache/serverlessCache:ServerlessCache": (
        Grant("elasticache", "CreateServerlessCache ModifyServerlessCache",
              "elasticache:{r}:{a}:serverlesscache:{p} elasticache:{r}:{a}:usergroup:{p}"),
        Grant("elasticache", "DeleteServerlessCache AddTagsToResource RemoveTagsFromResource ListTagsForResource",
              "elasticache:{r}:{a}:serverlesscache:{p}"),
        Grant("elasticache", "DescribeServerlessCaches", "elasticache:{r}:{a}:serverlesscache:*"),
        # The cache's endpoints are made as its caller, in subnets that exist as well (AmazonElastiCacheFullAccess).
        *_ec2("vpc-endpoint", *_ENDPOINTS),
        _linked("elasticache.amazonaws.com"),
    ),
    "aws:elasticache/user:User": (
        Grant("elasticache", "CreateUser ModifyUser DeleteUser AddTagsToResource RemoveTagsFromResource ListTagsForResource",
              "elasticache:{r}:{a}:user:{u}*"),
        Grant("elasticache", "DescribeUsers", "elasticache:{r}:{a}:user:*"),
    ),
    "aws:elasticache/userGroup:UserGroup": (
        Grant("elasticache", "CreateUserGroup ModifyUserGroup", "elasticache:{r}:{a}:usergroup:{p} elasticache:{r}:{a}:user:{u}*"),
        Grant("elasticache", "DeleteUserGroup AddTagsToResource RemoveTagsFromResource ListTagsForResource",
              "elasticache:{r}:{a}:usergroup:{p}"),
        Grant("elasticache", "DescribeUserGroups", "elasticache:{r}:{a}:usergroup:*"),
    ),
    "aws:iam/role:Role": (
        Grant("iam", "CreateRole PutRolePermissionsBoundary UpdateAssumeRolePolicy", _ROLES, WITHIN),
        Grant("iam", "GetRole DeleteRole UpdateRole UpdateRoleDescription TagRole UntagRole ListRolePolicies GetRolePolicy "
              "ListAttachedRolePolicies ListInstanceProfilesForRole", _ROLES),
        Grant("iam", "PassRole", _ROLES, {"StringEquals": {
              "iam:PassedToService": ["lambda.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"]}}),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        Grant("iam", "PutRolePolicy", _ROLES, WITHIN),
        Grant("iam", "GetRolePolicy DeleteRolePolicy", _ROLES),
    ),
    "aws:lambda/alias:Alias": (  # with its release: a version is published and asked how it is before it is live
        Grant("lambda", "CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases PublishVersion InvokeFunction", _FUNCTIONS),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        Grant("lambda", "CreateEventSourceMapping", "*", _OF_FUNCTIONS),
        Grant("lambda", "GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping",
              "lambda:{r}:{a}:event-source-mapping:*", _OF_FUNCTIONS),
        Grant("lambda", "ListTags TagResource UntagResource", "lambda:{r}:{a}:event-source-mapping:*"),
    ),
    "aws:lambda/function:Function": (
        Grant("lambda", "CreateFunction GetFunction GetFunctionConfiguration GetFunctionCodeSigningConfig GetFunctionConcurrency "
              "PutFunctionConcurrency DeleteFunctionConcurrency UpdateFunctionCode UpdateFunctionConfiguration PublishVersion "
              "DeleteFunction ListVersionsByFunction ListTags TagResource UntagResource", _FUNCTIONS),
    ),
    "aws:lambda/functionUrl:FunctionUrl": (
        Grant("lambda", "CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig DeleteFunctionUrlConfig", _FUNCTIONS),
    ),
    "aws:lambda/permission:Permission": (Grant("lambda", "AddPermission RemovePermission GetPolicy", _FUNCTIONS),),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": (
        Grant("lambda", "PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig",
              _FUNCTIONS),
    ),
    "aws:route53/record:Record": (
        Grant("route53", "GetHostedZone ChangeResourceRecordSets ListResourceRecordSets", "route53:::hostedzone/{z}"),
        Grant("route53", "GetChange", "route53:::change/*"),
    ),
    "aws:s3/bucket:Bucket": (
        Grant("s3", f"CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketTagging PutBucketTagging {_TAGS} "
              "GetBucketAcl GetBucketCORS GetBucketWebsite GetBucketVersioning PutBucketVersioning GetAccelerateConfiguration "
              "GetBucketRequestPayment GetBucketLogging GetLifecycleConfiguration GetReplicationConfiguration "
              "GetEncryptionConfiguration PutEncryptionConfiguration GetBucketObjectLockConfiguration GetBucketPolicy", _BUCKET),
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": (
        Grant("s3", "GetObject PutObject DeleteObject GetObjectTagging PutObjectTagging AbortMultipartUpload", f"{_BUCKET}/*"),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (Grant("s3", "GetBucketPolicy PutBucketPolicy DeleteBucketPolicy", _BUCKET),),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        Grant("s3", "GetBucketPublicAccessBlock PutBucketPublicAccessBlock", _BUCKET),
    ),
    "aws:scheduler/schedule:Schedule": (
        Grant("scheduler", "CreateSchedule GetSchedule UpdateSchedule DeleteSchedule", "scheduler:{r}:{a}:schedule/default/{p}-*"),
    ),
    "aws:secretsmanager/secret:Secret": (
        Grant("secretsmanager", "CreateSecret DescribeSecret UpdateSecret DeleteSecret GetResourcePolicy TagResource "
              "UntagResource", "secretsmanager:{r}:{a}:secret:{p}/*"),
    ),
    "aws:sns/topic:Topic": (
        Grant("sns", f"CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic {_TAGS}", "sns:{r}:{a}:{p}-*"),
    ),
    "aws:sns/topicSubscription:TopicSubscription": (
        Grant("sns", "Subscribe", "sns:{r}:{a}:{p}-*"),
        Grant("sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe", "*"),
    ),
    "aws:sqs/queue:Queue": (
        Grant("sqs", "CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue ListQueueTags TagQueue "
              "UntagQueue", "sqs:{r}:{a}:{p}-*"),
    ),
    "aws:wafv2/webAcl:WebAcl": (
        Grant("wafv2", "CreateWebACL UpdateWebACL",
              "wafv2:us-east-1:{a}:global/webacl/{p}-*/* wafv2:us-east-1:{a}:global/managedruleset/*/*"),
        Grant("wafv2", f"GetWebACL DeleteWebACL {_TAGS}", "wafv2:us-east-1:{a}:global/webacl/{p}-*/*"),
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        Grant("wafv2", "PutLoggingConfiguration GetLoggingConfiguration DeleteLoggingConfiguration",
              "wafv2:us-east-1:{a}:global/webacl/{p}-*/*"),
        _DELIVERY, _linked("wafv2.amazonaws.com"),
    ),
}  # fmt: skip
"""A line for each type of resource that the kit's components make."""
