"""Who may do what and who may not: role, action, resource, verdict, context. Names in braces are filled from judges/accounts.py."""
from judges.accounts import ALLOW, DENY

OWNED = {"aws:ResourceTag/kubernetes.io/cluster/{prefix}": "owned", "aws:ResourceTag/karpenter.sh/nodepool": "hits"}
HERE = {"aws:RequestedRegion": "{region}"}

# role, action, resource, verdict, context
MATRIX = [
    # External Secrets reads this environment's secrets and no others, and decrypts them only through Secrets Manager.
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "{memorydb_secret}", ALLOW, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "{token_secret}", ALLOW, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{region}:{account}:secret:other/x-AbCdEf", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{region}:999999999999:secret:{prefix}/memorydb/tallyd-AbCdEf", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:PutSecretValue", "{memorydb_secret}", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:DeleteSecret", "{memorydb_secret}", DENY, {}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", ALLOW,
     {"kms:ViaService": "secretsmanager.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/{prefix}-data"]}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", DENY,
     {"kms:ViaService": "s3.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/{prefix}-data"]}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", DENY,
     {"kms:ViaService": "secretsmanager.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/somebody-else"]}),

    # The load balancer controller binds pods to our target groups; it makes and deletes nothing.
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:RegisterTargets", "{blue}", ALLOW, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DeregisterTargets", "{green}", ALLOW, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:RegisterTargets", "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/other-blue/0123456789abcdef", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:CreateLoadBalancer", "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/x/0123456789abcdef", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DeleteTargetGroup", "{blue}", DENY, {}),
    ("{prefix}-load-balancer-controller", "ec2:AuthorizeSecurityGroupIngress", "arn:aws:ec2:{region}:{account}:security-group/sg-0123456789abcdef0", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DescribeTargetHealth", "*", ALLOW, HERE),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DescribeTargetHealth", "*", DENY, {"aws:RequestedRegion": "us-west-2"}),

    # The GitOps controller lists tags and pushes nothing.
    ("{prefix}-image-reflector", "ecr:ListImages", "{repository}", ALLOW, {}),
    ("{prefix}-image-reflector", "ecr:GetAuthorizationToken", "*", ALLOW, {}),
    ("{prefix}-image-reflector", "ecr:PutImage", "{repository}", DENY, {}),
    ("{prefix}-image-reflector", "ecr:BatchDeleteImage", "{repository}", DENY, {}),
    ("{prefix}-image-reflector", "ecr:ListImages", "arn:aws:ecr:{region}:{account}:repository/other", DENY, {}),

    # The daemon: with IAM it connects as its own user to its own cluster, and can do nothing else.
    ("{prefix}-tallyd", "memorydb:Connect", "{memorydb_cluster}", ALLOW, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "{memorydb_user}", ALLOW, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "arn:aws:memorydb:{region}:{account}:cluster/other", DENY, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "arn:aws:memorydb:{region}:{account}:user/admin", DENY, {}),
    ("{prefix}-tallyd", "memorydb:DeleteCluster", "{memorydb_cluster}", DENY, {}),

    # Metrics.
    ("{prefix}-prometheus", "aps:RemoteWrite", "{workspace}", ALLOW, {}),
    ("{prefix}-prometheus", "aps:RemoteWrite", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-keda", "aps:QueryMetrics", "{workspace}", ALLOW, {}),
    ("{prefix}-prometheus", "aps:DeleteWorkspace", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-keda", "aps:RemoteWrite", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-thanos", "s3:PutObject", "{metrics_bucket}/block/meta.json", ALLOW, {}),
    ("{prefix}-thanos", "s3:ListBucket", "{metrics_bucket}", ALLOW, {}),
    ("{prefix}-thanos", "s3:DeleteBucket", "{metrics_bucket}", DENY, {}),
    ("{prefix}-thanos", "s3:PutObject", "arn:aws:s3:::tallyd-state-{account}-{region}/prod/platform.tfstate", DENY, {}),

    # Container Insights sends metrics and logs, and reads nothing of ours.
    ("{prefix}-addon-amazon-cloudwatch-observability", "cloudwatch:PutMetricData", "*", ALLOW, {}),
    ("{prefix}-addon-amazon-cloudwatch-observability", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:/aws/containerinsights/{prefix}/application:log-stream:x", ALLOW, {}),
    ("{prefix}-addon-amazon-cloudwatch-observability", "logs:DeleteLogGroup", "arn:aws:logs:{region}:{account}:log-group:/aws/containerinsights/{prefix}/application:*", DENY, {}),
    ("{prefix}-addon-amazon-cloudwatch-observability", "secretsmanager:GetSecretValue", "{memorydb_secret}", DENY, {}),

    # Karpenter starts only what it tags as this cluster's, ends only its own, and hands on only the nodes' role.
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", ALLOW, OWNED),
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {}),
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY,
     {"aws:ResourceTag/kubernetes.io/cluster/another": "owned", "aws:ResourceTag/karpenter.sh/nodepool": "hits"}),
    ("{prefix}-karpenter", "ec2:RunInstances", "arn:aws:ec2:{region}:{account}:instance/*", ALLOW,
     {"aws:RequestTag/kubernetes.io/cluster/{prefix}": "owned", "aws:RequestTag/eks:eks-cluster-name": "{prefix}", "aws:RequestTag/karpenter.sh/nodepool": "hits"}),
    ("{prefix}-karpenter", "ec2:RunInstances", "arn:aws:ec2:{region}:{account}:instance/*", DENY, {}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter-node", ALLOW, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-node", DENY, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter-node", DENY, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:CreateRole", "arn:aws:iam::{account}:role/x", DENY, {}),
    ("{prefix}-karpenter", "sqs:ReceiveMessage", "{queue}", ALLOW, {}),
    ("{prefix}-karpenter", "sqs:ReceiveMessage", "arn:aws:sqs:{region}:{account}:other", DENY, {}),

    # The rotation function changes its own secrets and users.
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{memorydb_secret}", ALLOW,
     {"secretsmanager:resource/AllowRotationLambdaArn": "{rotation}"}),
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{memorydb_secret}", DENY,
     {"secretsmanager:resource/AllowRotationLambdaArn": "arn:aws:lambda:{region}:{account}:function:another"}),
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{token_secret}", DENY,
     {"secretsmanager:resource/AllowRotationLambdaArn": "{rotation}"}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateUser", "{memorydb_user}", ALLOW, {}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateUser", "arn:aws:memorydb:{region}:{account}:user/somebody", DENY, {}),
    ("{prefix}-rotate-memorydb", "memorydb:DeleteUser", "{memorydb_user}", DENY, {}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateACL", "arn:aws:memorydb:{region}:{account}:acl/{prefix}", DENY, {}),

    # Backups: snapshots of this cluster, into this bucket; nothing is deleted there.
    ("{prefix}-backup", "memorydb:CreateSnapshot", "{memorydb_cluster}", ALLOW, {}),
    ("{prefix}-backup", "memorydb:CreateSnapshot", "arn:aws:memorydb:{region}:{account}:cluster/other", DENY, {}),
    ("{prefix}-backup", "memorydb:DeleteCluster", "{memorydb_cluster}", DENY, {}),
    ("{prefix}-backup", "s3:DeleteObject", "{backup_bucket}/{prefix}-20260101-000000-0001.rdb", DENY, {}),
    ("{prefix}-backup", "s3:DeleteObjectVersion", "{backup_bucket}/{prefix}-20260101-000000-0001.rdb", DENY, {}),

    # Pipelines push images, and cannot delete or apply anything.
    ("{prefix}-ci-push", "ecr:PutImage", "{repository}", ALLOW, {}),
    ("{prefix}-ci-push", "ecr:PutImage", "arn:aws:ecr:{region}:{account}:repository/other", DENY, {}),
    ("{prefix}-ci-push", "ecr:BatchDeleteImage", "{repository}", DENY, {}),
    ("{prefix}-ci-push", "ecr:DeleteRepository", "{repository}", DENY, {}),
    ("{prefix}-ci-push", "eks:UpdateClusterConfig", "arn:aws:eks:{region}:{account}:cluster/{prefix}", DENY, {}),

    # People: each role finds and starts the host and reads the cluster's address; none of them changes AWS.
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-api-tunnel", ALLOW, {}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-session", DENY, {}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {"ssm:resourceTag/Role": "web", "ssm:resourceTag/Environment": "{env}"}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", ALLOW, {"ssm:resourceTag/Role": "ops", "ssm:resourceTag/Environment": "{env}"}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {"ssm:resourceTag/Role": "ops", "ssm:resourceTag/Environment": "other"}),
    ("{prefix}-operate", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-session", ALLOW, {}),
    ("{prefix}-operate", "eks:DescribeCluster", "arn:aws:eks:{region}:{account}:cluster/{prefix}", ALLOW, {}),
    ("{prefix}-operate", "eks:DeleteCluster", "arn:aws:eks:{region}:{account}:cluster/{prefix}", DENY, {}),
    ("{prefix}-break-glass", "iam:CreateRole", "arn:aws:iam::{account}:role/tallyd/x", DENY, {}),
    ("{prefix}-break-glass", "autoscaling:SetDesiredCapacity", "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/{prefix}-ops", ALLOW, {}),
    ("{prefix}-break-glass", "autoscaling:SetDesiredCapacity", "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/eks-hits", DENY, {}),

    # Nobody gets at the state, or out of the boundary.
    ("{prefix}-karpenter", "s3:GetObject", "arn:aws:s3:::tallyd-state-{account}-{region}/{env}/platform.tfstate", DENY, {}),
    ("{prefix}-external-secrets", "iam:CreateUser", "arn:aws:iam::{account}:user/x", DENY, {}),
    ("{prefix}-external-secrets", "sts:AssumeRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter", DENY, {}),
]
# Roles that not every environment has.
OPTIONAL = {"{prefix}-addon-amazon-cloudwatch-observability", "{prefix}-tallyd", "{prefix}-prometheus", "{prefix}-keda", "{prefix}-thanos", "{prefix}-ci-push", "{prefix}-backup", "{prefix}-rotate-memorydb"}
