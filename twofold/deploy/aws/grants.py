"""What the API calls behind each type of resource on AWS take of permissions; reviewed as a table.

Derived from the API calls that the provider makes for each type; not yet tried on a real account. What has a name is restricted
to the stack's names; what AWS itself names (APIs, distributions, networks) to its kind in the account.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Grant(NamedTuple):
    """Actions of one service on resources; `{p}` is the stack's prefix, `{u}` as cache users begin, `{r}` region, `{a}` account."""

    service: str
    actions: str
    resources: str
    condition: Mapping[str, Any] | None = None


_TAGS = "ListTagsForResource TagResource UntagResource"
_LOG_DELIVERY = Grant(
    "logs",
    "CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries PutResourcePolicy "
    "DescribeResourcePolicies DescribeLogGroups",
    "*",  # none of them has a resource-level permission that delivery would work with
)
_APIS = Grant(
    "apigateway", "GET POST PUT PATCH DELETE", "apigateway:{r}::/apis apigateway:{r}::/apis/* apigateway:{r}::/tags/*"
)
_FUNCTIONS = "lambda:{r}:{a}:function:{p}-*"
_NETWORK = Grant(
    "ec2",
    "DescribeVpcs DescribeVpcAttribute DescribeSubnets DescribeRouteTables DescribeInternetGateways DescribeNatGateways "
    "DescribeAddresses DescribeAddressesAttribute DescribeSecurityGroups DescribeSecurityGroupRules DescribeVpcEndpoints "
    "DescribePrefixLists DescribeAvailabilityZones DescribeNetworkInterfaces DescribeNetworkAcls",
    "*",  # describing has no resource-level permission
)


def _ec2(actions: str, *kinds: str) -> tuple[Grant, ...]:
    found = " ".join(f"ec2:{{r}}:{{a}}:{kind}/*" for kind in kinds)
    return (Grant("ec2", f"{actions} CreateTags DeleteTags", found), _NETWORK)


def _linked(service: str) -> Grant:
    condition = {"StringEquals": {"iam:AWSServiceName": service}}
    return Grant("iam", "CreateServiceLinkedRole", "iam::{a}:role/aws-service-role/*", condition)


_DOMAINS = Grant(
    "apigateway",
    "GET POST PATCH DELETE",
    "apigateway:{r}::/domainnames apigateway:{r}::/domainnames/* apigateway:{r}::/domainnames/*/apimappings",
)
_BUCKET = "s3:::{p}-*"
_POOLS = "cognito-idp:{r}:{a}:userpool/*"

GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "aws:acm/certificate:Certificate": (
        Grant("acm", "RequestCertificate DescribeCertificate DeleteCertificate ListTagsForCertificate AddTagsToCertificate "
              "RemoveTagsFromCertificate", "acm:{r}:{a}:certificate/* acm:us-east-1:{a}:certificate/*"),
    ),
    "aws:acm/certificateValidation:CertificateValidation": (
        Grant("acm", "DescribeCertificate", "acm:{r}:{a}:certificate/* acm:us-east-1:{a}:certificate/*"),
    ),
    "aws:apigatewayv2/api:Api": (_APIS,),
    "aws:apigatewayv2/apiMapping:ApiMapping": (_DOMAINS,),
    "aws:apigatewayv2/authorizer:Authorizer": (_APIS,),
    "aws:apigatewayv2/domainName:DomainName": (_DOMAINS,),
    "aws:apigatewayv2/integration:Integration": (_APIS,),
    "aws:apigatewayv2/route:Route": (_APIS,),
    "aws:apigatewayv2/stage:Stage": (_APIS, _LOG_DELIVERY, _linked("ops.apigateway.amazonaws.com")),
    "aws:budgets/budget:Budget": (
        Grant("budgets", "ViewBudget ModifyBudget ListTagsForResource TagResource UntagResource", "budgets::{a}:budget/{p}*"),
    ),
    "aws:cloudfront/distribution:Distribution": (
        Grant("cloudfront", "CreateDistribution GetDistribution GetDistributionConfig UpdateDistribution DeleteDistribution "
              f"{_TAGS}", "cloudfront::{a}:distribution/*"),
    ),
    "aws:cloudfront/originAccessControl:OriginAccessControl": (
        Grant("cloudfront", "CreateOriginAccessControl GetOriginAccessControl UpdateOriginAccessControl "
              "DeleteOriginAccessControl", "cloudfront::{a}:origin-access-control/*"),
    ),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (
        Grant("cloudfront", "CreateResponseHeadersPolicy GetResponseHeadersPolicy UpdateResponseHeadersPolicy "
              "DeleteResponseHeadersPolicy", "cloudfront::{a}:response-headers-policy/*"),
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        Grant("cloudwatch", "PutDashboard GetDashboard DeleteDashboards", "cloudwatch::{a}:dashboard/{p}"),
    ),
    "aws:cloudwatch/eventApiDestination:EventApiDestination": (
        Grant("events", "CreateApiDestination DescribeApiDestination UpdateApiDestination DeleteApiDestination",
              "events:{r}:{a}:api-destination/{p}-*"),
    ),
    "aws:cloudwatch/eventBus:EventBus": (
        Grant("events", f"CreateEventBus DescribeEventBus UpdateEventBus DeleteEventBus {_TAGS}", "events:{r}:{a}:event-bus/{p}"),
    ),
    "aws:cloudwatch/eventConnection:EventConnection": (
        Grant("events", "CreateConnection DescribeConnection UpdateConnection DeleteConnection", "events:{r}:{a}:connection/{p}-*"),
        Grant("secretsmanager", "CreateSecret UpdateSecret DeleteSecret DescribeSecret PutSecretValue",
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
        Grant("logs", f"CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy {_TAGS}",
              "logs:{r}:{a}:log-group:/aws/lambda/{p}-* logs:{r}:{a}:log-group:/aws/apigateway/{p}* "
              "logs:us-east-1:{a}:log-group:aws-waf-logs-{p}-*"),
        Grant("logs", "DescribeLogGroups", "logs:{r}:{a}:log-group:* logs:us-east-1:{a}:log-group:*"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Grant("cloudwatch", f"PutMetricAlarm DescribeAlarms DeleteAlarms {_TAGS}", "cloudwatch:{r}:{a}:alarm:{p}-*"),
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": (
        # None of them has a resource-level permission.
        Grant("logs", "PutQueryDefinition DescribeQueryDefinitions DeleteQueryDefinition", "*"),
    ),
    "aws:cognito/resourceServer:ResourceServer": (
        Grant("cognito-idp", "CreateResourceServer DescribeResourceServer UpdateResourceServer DeleteResourceServer", _POOLS),
    ),
    "aws:cognito/userPool:UserPool": (  # CreateUserPool and a domain's description have no resource-level permission
        Grant("cognito-idp", "CreateUserPool", "*"),
        Grant("cognito-idp", f"DescribeUserPool GetUserPoolMfaConfig UpdateUserPool DeleteUserPool {_TAGS}", _POOLS),
    ),
    "aws:cognito/userPoolClient:UserPoolClient": (
        Grant("cognito-idp", "CreateUserPoolClient DescribeUserPoolClient UpdateUserPoolClient DeleteUserPoolClient", _POOLS),
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": (
        Grant("cognito-idp", "CreateUserPoolDomain UpdateUserPoolDomain DeleteUserPoolDomain", _POOLS),
        Grant("cognito-idp", "DescribeUserPoolDomain", "*"),
    ),
    "aws:dynamodb/table:Table": (
        Grant("dynamodb", "CreateTable DescribeTable UpdateTable DeleteTable DescribeContinuousBackups UpdateContinuousBackups "
              "DescribeTimeToLive UpdateTimeToLive ListTagsOfResource TagResource UntagResource", "dynamodb:{r}:{a}:table/{p}-*"),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2(
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress",
        "security-group", "security-group-rule",
    ),
    "aws:ec2/eip:Eip": _ec2("AllocateAddress ReleaseAddress DisassociateAddress", "elastic-ip"),
    "aws:ec2/internetGateway:InternetGateway": _ec2(
        "CreateInternetGateway DeleteInternetGateway AttachInternetGateway DetachInternetGateway", "internet-gateway", "vpc"
    ),
    "aws:ec2/natGateway:NatGateway": _ec2("CreateNatGateway DeleteNatGateway", "natgateway", "elastic-ip", "subnet"),
    "aws:ec2/routeTable:RouteTable": _ec2(
        "CreateRouteTable DeleteRouteTable CreateRoute ReplaceRoute DeleteRoute", "route-table", "vpc"
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _ec2(
        "AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation", "route-table", "subnet"
    ),
    "aws:ec2/securityGroup:SecurityGroup": _ec2(
        "CreateSecurityGroup DeleteSecurityGroup AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress "
        "RevokeSecurityGroupIngress RevokeSecurityGroupEgress",
        "security-group", "security-group-rule", "vpc",
    ),
    "aws:ec2/securityGroupRule:SecurityGroupRule": _ec2(
        "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress", "security-group", "security-group-rule"
    ),
    "aws:ec2/subnet:Subnet": _ec2("CreateSubnet DeleteSubnet ModifySubnetAttribute", "subnet", "vpc"),
    "aws:ec2/vpc:Vpc": _ec2("CreateVpc DeleteVpc ModifyVpcAttribute", "vpc"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2(
        "CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints", "vpc-endpoint", "vpc", "route-table", "subnet", "security-group"
    ),
    "aws:elasticache/serverlessCache:ServerlessCache": (
        Grant("elasticache", "CreateServerlessCache DescribeServerlessCaches ModifyServerlessCache DeleteServerlessCache "
              "AddTagsToResource RemoveTagsFromResource ListTagsForResource",
              "elasticache:{r}:{a}:serverlesscache:{p} elasticache:{r}:{a}:usergroup:{p}"),
        _linked("elasticache.amazonaws.com"),
    ),
    "aws:elasticache/user:User": (
        Grant("elasticache", "CreateUser DescribeUsers ModifyUser DeleteUser AddTagsToResource RemoveTagsFromResource "
              "ListTagsForResource", "elasticache:{r}:{a}:user:{u}*"),
    ),
    "aws:elasticache/userGroup:UserGroup": (
        Grant("elasticache", "CreateUserGroup DescribeUserGroups ModifyUserGroup DeleteUserGroup AddTagsToResource "
              "RemoveTagsFromResource ListTagsForResource", "elasticache:{r}:{a}:usergroup:{p} elasticache:{r}:{a}:user:{u}*"),
    ),
    "aws:iam/role:Role": (
        Grant("iam", "CreateRole PutRolePermissionsBoundary", "iam::{a}:role/{p}-*", {"boundary": True}),
        Grant("iam", "GetRole DeleteRole UpdateRole UpdateAssumeRolePolicy TagRole UntagRole ListRolePolicies "
              "ListAttachedRolePolicies ListInstanceProfilesForRole", "iam::{a}:role/{p}-*"),
        Grant("iam", "PassRole", "iam::{a}:role/{p}-*", {"StringEquals": {
              "iam:PassedToService": ["lambda.amazonaws.com", "scheduler.amazonaws.com", "events.amazonaws.com"]}}),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        Grant("iam", "PutRolePolicy", "iam::{a}:role/{p}-*", {"boundary": True}),
        Grant("iam", "GetRolePolicy DeleteRolePolicy", "iam::{a}:role/{p}-*"),
    ),
    "aws:lambda/alias:Alias": (  # with its release: a version is published and asked how it is before it is live
        Grant("lambda", "CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases PublishVersion InvokeFunction", _FUNCTIONS),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        Grant("lambda", "CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping", "*",
              {"ArnLike": {"lambda:FunctionArn": _FUNCTIONS}}),
        Grant("lambda", "ListTags TagResource UntagResource", "lambda:{r}:{a}:event-source-mapping:*"),
    ),
    "aws:lambda/function:Function": (
        Grant("lambda", "CreateFunction GetFunction GetFunctionConfiguration GetFunctionCodeSigningConfig UpdateFunctionCode "
              "UpdateFunctionConfiguration DeleteFunction ListVersionsByFunction ListTags TagResource UntagResource", _FUNCTIONS),
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
        Grant("s3", "CreateBucket DeleteBucket ListBucket GetBucketLocation GetBucketTagging PutBucketTagging GetBucketAcl "
              "GetBucketCORS GetBucketWebsite GetBucketVersioning PutBucketVersioning GetAccelerateConfiguration "
              "GetBucketRequestPayment GetBucketLogging GetLifecycleConfiguration GetReplicationConfiguration "
              "GetEncryptionConfiguration PutEncryptionConfiguration GetBucketObjectLockConfiguration GetBucketPolicy", _BUCKET),
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": (
        Grant("s3", "GetObject PutObject DeleteObject GetObjectTagging PutObjectTagging", "s3:::{p}-*/*"),
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
        Grant("sns", "Subscribe GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe", "sns:{r}:{a}:{p}-*"),
    ),
    "aws:sqs/queue:Queue": (
        Grant("sqs", "CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue ListQueueTags TagQueue "
              "UntagQueue", "sqs:{r}:{a}:{p}-*"),
    ),
    "aws:wafv2/webAcl:WebAcl": (
        Grant("wafv2", f"CreateWebACL GetWebACL UpdateWebACL DeleteWebACL {_TAGS}",
              "wafv2:us-east-1:{a}:global/webacl/{p}-*/* wafv2:us-east-1:{a}:global/managedruleset/*/*"),
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        Grant("wafv2", "PutLoggingConfiguration GetLoggingConfiguration DeleteLoggingConfiguration",
              "wafv2:us-east-1:{a}:global/webacl/{p}-*/*"),
        _LOG_DELIVERY, _linked("wafv2.amazonaws.com"),
    ),
}  # fmt: skip
"""A line for each type of resource that the kit's components make."""
