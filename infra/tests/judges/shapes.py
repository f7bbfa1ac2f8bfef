"""Which calls make each planned type, and what becomes of the arguments that are spelt otherwise there (read by judges/models.py).

An argument that is called as its member is not mentioned: `cidr_block` is CidrBlock.
"""


class call:
    """One API call.

    at     where the arguments belong, as a path of members below the call's input
    names  argument → path of members from there (or a function from its value to paths and values)
    top    the same for arguments that belong beside `at`, as a path from the input
    adds   path from the input → what the provider adds by itself
    only   the arguments that this call takes from the first one; with a plus sign: that both take
    each   one call for every block of this name
    turns  a function that the arguments go through first, where one decides what becomes of another
    """

    def __init__(self, api, at="", names=None, adds=None, only="", each="", top=None, turns=None):
        self.service, self.operation = api.split(".")
        self.at, self.names, self.adds, self.each, self.top, self.turns = at, names or {}, adds or {}, each, top or {}, turns or (lambda values: values)
        self.only = {n.lstrip("+") for n in only.split()}
        self.taken = {n for n in only.split() if not n.startswith("+")} | ({each} if each else set())


def joined(member):
    return lambda v: {member: ",".join(v)}


ROLE = {"name": "RoleName", "role": "RoleName", "policy": "PolicyDocument", "permissions_boundary": "PermissionsBoundary", "assume_role_policy": "AssumeRolePolicyDocument"}
REFERENCE = "tallyd-0123456789"
ID = "x-0123456789abcdef0"
LIST_ENTRY = {"action": "RuleAction", "rule_no": "RuleNumber", "from_port": "PortRange.From", "to_port": "PortRange.To", "icmp_type": "IcmpTypeCode.Type", "icmp_code": "IcmpTypeCode.Code"}


def bucket_part(operation, at, adds=None, **names):
    return [call("s3." + operation, at, names, adds, top={"bucket": "Bucket"})]


# Whom a security group's rule is about, and where that stands in the call.
PEERS = {"cidr_ipv4": "IpRanges", "cidr_ipv6": "Ipv6Ranges", "referenced_security_group_id": "UserIdGroupPairs", "prefix_list_id": "PrefixListIds"}


def described_peer(values):
    """The description of a rule belongs to its peer."""
    peer = next((p for p in PEERS if values.get(p)), "cidr_ipv4")
    return {"%s's description" % peer if k == "description" else k: v for k, v in values.items()}


def group_rule(direction):
    p = "IpPermissions."
    return [call("ec2.AuthorizeSecurityGroup" + direction, names={
        "security_group_id": "GroupId", "ip_protocol": p + "IpProtocol", "from_port": p + "FromPort", "to_port": p + "ToPort", "cidr_ipv4": p + "IpRanges.CidrIp",
        "cidr_ipv6": p + "Ipv6Ranges.CidrIpv6", "referenced_security_group_id": p + "UserIdGroupPairs.GroupId", "prefix_list_id": p + "PrefixListIds.PrefixListId",
        **{"%s's description" % peer: p + place + ".Description" for peer, place in PEERS.items()}}, turns=described_peer)]


SHAPES = {
    "aws_acm_certificate": [call("acm.RequestCertificate")],
    "aws_autoscaling_group": [call("autoscaling.CreateAutoScalingGroup", names={"name": "AutoScalingGroupName", "vpc_zone_identifier": joined("VPCZoneIdentifier"), "launch_template.name": "", "launch_template.id": "LaunchTemplateId"})],
    "aws_autoscaling_schedule": [call("autoscaling.PutScheduledUpdateGroupAction")],
    "aws_budgets_budget": [
        call("budgets.CreateBudget", "Budget", {"name": "BudgetName", "limit_amount": "BudgetLimit.Amount", "limit_unit": "BudgetLimit.Unit"}, {"AccountId": "123456789012"}),
        call("budgets.CreateNotification", names={"subscriber_email_addresses": lambda v: {"Subscribers": [{"subscription_type": "EMAIL", "address": a} for a in v]}, "subscriber_sns_topic_arns": lambda v: {"Subscribers": [{"subscription_type": "SNS", "address": a} for a in v]},
                                                  **{n: "Notification." + m for n, m in (("comparison_operator", "ComparisonOperator"), ("notification_type", "NotificationType"), ("threshold", "Threshold"), ("threshold_type", "ThresholdType"))}},
             adds={"AccountId": "123456789012", "BudgetName": ID}, each="notification")],
    "aws_ce_anomaly_monitor": [call("ce.CreateAnomalyMonitor", "AnomalyMonitor", {"name": "MonitorName"})],
    "aws_ce_anomaly_subscription": [call("ce.CreateAnomalySubscription", "AnomalySubscription", {"name": "SubscriptionName", "threshold_expression.dimension": "Dimensions"})],
    "aws_cloudfront_cache_policy": [call("cloudfront.CreateCachePolicy", "CachePolicyConfig")],
    "aws_cloudfront_distribution": [call("cloudfront.CreateDistribution", "DistributionConfig", {
        "is_ipv6_enabled": "IsIPV6Enabled", "origin.origin_id": "Id", "default_cache_behavior.allowed_methods": "AllowedMethods", "default_cache_behavior.cached_methods": "AllowedMethods.CachedMethods",
        "viewer_certificate.acm_certificate_arn": "ACMCertificateArn", "viewer_certificate.cloudfront_default_certificate": "CloudFrontDefaultCertificate", "viewer_certificate.ssl_support_method": "SSLSupportMethod"},
        {"DistributionConfig.CallerReference": REFERENCE})],
    "aws_cloudfront_monitoring_subscription": [call("cloudfront.CreateMonitoringSubscription")],
    "aws_cloudfront_origin_request_policy": [call("cloudfront.CreateOriginRequestPolicy", "OriginRequestPolicyConfig")],
    "aws_cloudfront_response_headers_policy": [call("cloudfront.CreateResponseHeadersPolicy", "ResponseHeadersPolicyConfig")],
    "aws_cloudfront_vpc_origin": [call("cloudfront.CreateVpcOrigin", names={"vpc_origin_endpoint_config.http_port": "HTTPPort", "vpc_origin_endpoint_config.https_port": "HTTPSPort"})],
    "aws_cloudwatch_composite_alarm": [call("cloudwatch.PutCompositeAlarm")],
    "aws_cloudwatch_dashboard": [call("cloudwatch.PutDashboard")],
    "aws_cloudwatch_event_rule": [call("events.PutRule")],
    "aws_cloudwatch_event_target": [call("events.PutTargets", names={"target_id": "Targets.Id", "arn": "Targets.Arn"})],
    "aws_cloudwatch_log_delivery": [call("logs.CreateDelivery", names={"s3_delivery_configuration": "s3DeliveryConfiguration"})],
    "aws_cloudwatch_log_delivery_destination": [call("logs.PutDeliveryDestination")],
    "aws_cloudwatch_log_delivery_source": [call("logs.PutDeliverySource")],
    "aws_cloudwatch_log_group": [call("logs.CreateLogGroup", names={"name": "logGroupName"}), call("logs.PutRetentionPolicy", names={"name": "logGroupName"}, only="+name retention_in_days")],
    "aws_cloudwatch_metric_alarm": [call("cloudwatch.PutMetricAlarm")],
    "aws_ebs_encryption_by_default": [call("ec2.EnableEbsEncryptionByDefault")],
    "aws_ec2_instance_connect_endpoint": [call("ec2.CreateInstanceConnectEndpoint")],
    "aws_ec2_instance_metadata_defaults": [call("ec2.ModifyInstanceMetadataDefaults")],
    "aws_ecr_lifecycle_policy": [call("ecr.PutLifecyclePolicy", names={"policy": "lifecyclePolicyText", "repository": "repositoryName"})],
    "aws_ecr_registry_scanning_configuration": [call("ecr.PutRegistryScanningConfiguration")],
    "aws_ecr_replication_configuration": [call("ecr.PutReplicationConfiguration")],
    "aws_ecr_repository": [call("ecr.CreateRepository", names={"name": "repositoryName"})],
    "aws_eip": [call("ec2.AllocateAddress")],
    "aws_eks_access_entry": [call("eks.CreateAccessEntry")],
    "aws_eks_access_policy_association": [call("eks.AssociateAccessPolicy")],
    "aws_eks_addon": [call("eks.CreateAddon", names={"resolve_conflicts_on_create": "resolveConflicts"}),
                      call("eks.UpdateAddon", names={"resolve_conflicts_on_update": "resolveConflicts"}, only="+cluster_name +addon_name resolve_conflicts_on_update")],
    "aws_eks_cluster": [call("eks.CreateCluster", names={"vpc_config": "resourcesVpcConfig", "enabled_cluster_log_types": lambda v: {"logging.clusterLogging": [{"types": v, "enabled": True}]}})],
    "aws_eks_node_group": [call("eks.CreateNodegroup", names={"node_group_name": "nodegroupName", "node_role_arn": "nodeRole", "subnet_ids": "subnets"})],
    "aws_eks_pod_identity_association": [call("eks.CreatePodIdentityAssociation")],
    "aws_flow_log": [call("ec2.CreateFlowLogs", names={"vpc_id": "ResourceIds", "iam_role_arn": "DeliverLogsPermissionArn"}, adds={"ResourceType": "VPC"})],
    "aws_globalaccelerator_accelerator": [call("globalaccelerator.CreateAccelerator", adds={"IdempotencyToken": REFERENCE})],
    "aws_globalaccelerator_endpoint_group": [call("globalaccelerator.CreateEndpointGroup", names={"endpoint_configuration": "EndpointConfigurations"}, adds={"IdempotencyToken": REFERENCE})],
    "aws_globalaccelerator_listener": [call("globalaccelerator.CreateListener", adds={"IdempotencyToken": REFERENCE})],
    "aws_iam_instance_profile": [call("iam.CreateInstanceProfile", names={"name": "InstanceProfileName"}), call("iam.AddRoleToInstanceProfile", names={"name": "InstanceProfileName", "role": "RoleName"}, only="+name role")],
    "aws_iam_openid_connect_provider": [call("iam.CreateOpenIDConnectProvider")],
    "aws_iam_policy": [call("iam.CreatePolicy", names={"name": "PolicyName", "policy": "PolicyDocument"})],
    "aws_iam_role": [call("iam.CreateRole", names=ROLE)],
    "aws_iam_role_policy": [call("iam.PutRolePolicy", names=dict(ROLE, name="PolicyName"))],
    "aws_iam_role_policy_attachment": [call("iam.AttachRolePolicy", names=ROLE)],
    "aws_iam_service_linked_role": [call("iam.CreateServiceLinkedRole")],
    "aws_internet_gateway": [call("ec2.CreateInternetGateway")],
    "aws_kms_alias": [call("kms.CreateAlias", names={"name": "AliasName"})],
    "aws_kms_key": [call("kms.CreateKey"), call("kms.EnableKeyRotation", only="rotation_period_in_days", adds={"KeyId": ID}), call("kms.ScheduleKeyDeletion", names={"deletion_window_in_days": "PendingWindowInDays"}, only="deletion_window_in_days", adds={"KeyId": ID})],
    "aws_lambda_function": [call("lambda.CreateFunction", adds={"Code": {}})],
    "aws_lambda_permission": [call("lambda.AddPermission")],
    "aws_launch_template": [call("ec2.CreateLaunchTemplate", "LaunchTemplateData", {"vpc_security_group_ids": "SecurityGroupIds", "network_interfaces.security_groups": "Groups"}, top={"name": "LaunchTemplateName"}),
                            call("ec2.CreateLaunchTemplateVersion", names={"description": "VersionDescription"}, only="description", adds={"LaunchTemplateId": ID, "LaunchTemplateData": {}})],
    "aws_lb": [call("elbv2.CreateLoadBalancer", names={"internal": lambda v: {"Scheme": "internal" if v else "internet-facing"}, "load_balancer_type": "Type"})],
    "aws_lb_listener": [call("elbv2.CreateListener", names={"certificate_arn": "Certificates.CertificateArn", "default_action.forward": "ForwardConfig", "default_action.forward.target_group.arn": "TargetGroupArn"})],
    "aws_lb_target_group": [call("elbv2.CreateTargetGroup", names={"health_check": lambda v: {
        "HealthCheckEnabled": v[0].get("enabled"), "HealthCheckPath": v[0].get("path"), "HealthCheckPort": v[0].get("port"), "HealthCheckProtocol": v[0].get("protocol"), "HealthCheckIntervalSeconds": v[0].get("interval"),
        "HealthCheckTimeoutSeconds": v[0].get("timeout"), "HealthyThresholdCount": v[0].get("healthy_threshold"), "UnhealthyThresholdCount": v[0].get("unhealthy_threshold"), "Matcher.HttpCode": v[0].get("matcher")}})],
    "aws_memorydb_acl": [call("memorydb.CreateACL", names={"name": "ACLName"})],
    "aws_memorydb_cluster": [call("memorydb.CreateCluster", names={"name": "ClusterName", "tls_enabled": "TLSEnabled", "kms_key_arn": "KmsKeyId"}), call("memorydb.DeleteCluster", names={"name": "ClusterName"}, only="+name final_snapshot_name")],
    "aws_memorydb_parameter_group": [call("memorydb.CreateParameterGroup", names={"name": "ParameterGroupName"}), call("memorydb.UpdateParameterGroup", names={"name": "ParameterGroupName", "parameter": "ParameterNameValues", "parameter.name": "ParameterName", "parameter.value": "ParameterValue"}, only="+name parameter")],
    "aws_memorydb_subnet_group": [call("memorydb.CreateSubnetGroup", names={"name": "SubnetGroupName"})],
    "aws_memorydb_user": [call("memorydb.CreateUser")],
    "aws_nat_gateway": [call("ec2.CreateNatGateway")],
    "aws_network_acl": [call("ec2.CreateNetworkAcl"), *[call("ec2.CreateNetworkAclEntry", names=LIST_ENTRY, adds={"NetworkAclId": ID, "Egress": way == "egress"}, each=way) for way in ("ingress", "egress")]],
    "aws_prometheus_workspace": [call("amp.CreateWorkspace"), call("amp.CreateLoggingConfiguration", adds={"workspaceId": ID}, names={"logging_configuration": "", "log_group_arn": "logGroupArn"}, each="logging_configuration")],
    "aws_route": [call("ec2.CreateRoute")],
    "aws_route53_health_check": [call("route53.CreateHealthCheck", "HealthCheckConfig", {"fqdn": "FullyQualifiedDomainName", "enable_sni": "EnableSNI"}, {"CallerReference": REFERENCE})],
    "aws_route53_record": [call("route53.ChangeResourceRecordSets", "ChangeBatch.Changes.ResourceRecordSet", {
        "records": lambda v: {"ResourceRecords": [{"value": r} for r in v]}, "alias": "AliasTarget", "alias.name": "DNSName", "alias.zone_id": "HostedZoneId", "ttl": "TTL"},
        {"ChangeBatch.Changes.Action": "UPSERT"}, top={"zone_id": "HostedZoneId"})],
    "aws_route_table": [call("ec2.CreateRouteTable")],
    "aws_route_table_association": [call("ec2.AssociateRouteTable")],
    "aws_s3_account_public_access_block": [call("s3control.PutPublicAccessBlock", "PublicAccessBlockConfiguration", {"account_id": ""}, {"AccountId": "123456789012"})],
    "aws_s3_bucket": [call("s3.CreateBucket", names={"object_lock_enabled": "ObjectLockEnabledForBucket"})],
    "aws_s3_bucket_lifecycle_configuration": bucket_part("PutBucketLifecycleConfiguration", "LifecycleConfiguration", **{"rule.id": "ID"}),
    "aws_s3_bucket_object_lock_configuration": bucket_part("PutObjectLockConfiguration", "ObjectLockConfiguration", {"ObjectLockConfiguration.ObjectLockEnabled": "Enabled"}),
    "aws_s3_bucket_ownership_controls": bucket_part("PutBucketOwnershipControls", "OwnershipControls"),
    "aws_s3_bucket_policy": [call("s3.PutBucketPolicy")],
    "aws_s3_bucket_public_access_block": bucket_part("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
    "aws_s3_bucket_replication_configuration": bucket_part("PutBucketReplication", "ReplicationConfiguration", **{"rule.id": "ID", "rule.destination.encryption_configuration.replica_kms_key_id": "ReplicaKmsKeyID"}),
    "aws_s3_bucket_server_side_encryption_configuration": bucket_part("PutBucketEncryption", "ServerSideEncryptionConfiguration", **{
        "rule.apply_server_side_encryption_by_default.sse_algorithm": "SSEAlgorithm", "rule.apply_server_side_encryption_by_default.kms_master_key_id": "KMSMasterKeyID"}),
    "aws_s3_bucket_versioning": bucket_part("PutBucketVersioning", "VersioningConfiguration", versioning_configuration=lambda v: {"Status": v[0]["status"]}),
    "aws_scheduler_schedule": [call("scheduler.CreateSchedule")],
    "aws_secretsmanager_secret": [call("secretsmanager.CreateSecret"), call("secretsmanager.DeleteSecret", only="recovery_window_in_days", adds={"SecretId": "x"})],
    "aws_secretsmanager_secret_policy": [call("secretsmanager.PutResourcePolicy", names={"secret_arn": "SecretId", "policy": "ResourcePolicy"})],
    "aws_secretsmanager_secret_rotation": [call("secretsmanager.RotateSecret")],
    "aws_secretsmanager_secret_version": [call("secretsmanager.PutSecretValue")],
    "aws_security_group": [call("ec2.CreateSecurityGroup", names={"name": "GroupName"})],
    "aws_sfn_state_machine": [call("stepfunctions.CreateStateMachine", names={"logging_configuration.log_destination": "destinations.cloudWatchLogsLogGroup.logGroupArn"})],
    "aws_sns_topic": [call("sns.CreateTopic", names={"kms_master_key_id": "Attributes.KmsMasterKeyId"})],
    "aws_sns_topic_policy": [call("sns.SetTopicAttributes", names={"arn": "TopicArn", "policy": "AttributeValue"}, adds={"AttributeName": "Policy"})],
    "aws_sns_topic_subscription": [call("sns.Subscribe")],
    "aws_sqs_queue": [call("sqs.CreateQueue", names={"name": "QueueName", "kms_master_key_id": "Attributes.KmsMasterKeyId", "message_retention_seconds": "Attributes.MessageRetentionPeriod", "visibility_timeout_seconds": "Attributes.VisibilityTimeout"})],
    "aws_sqs_queue_policy": [call("sqs.SetQueueAttributes", names={"policy": "Attributes.Policy"})],
    "aws_ssm_document": [call("ssm.CreateDocument")],
    "aws_ssm_parameter": [call("ssm.PutParameter")],
    "aws_subnet": [call("ec2.CreateSubnet"), *[call("ec2.ModifySubnetAttribute", names={n: m + ".Value"}, only=n, adds={"SubnetId": ID}) for n, m in (
        ("map_public_ip_on_launch", "MapPublicIpOnLaunch"), ("assign_ipv6_address_on_creation", "AssignIpv6AddressOnCreation"), ("enable_dns64", "EnableDns64"))]],
    "aws_vpc": [call("ec2.CreateVpc"), *[call("ec2.ModifyVpcAttribute", names={n: m + ".Value"}, only=n, adds={"VpcId": ID}) for n, m in (
        ("enable_dns_hostnames", "EnableDnsHostnames"), ("enable_dns_support", "EnableDnsSupport"), ("enable_network_address_usage_metrics", "EnableNetworkAddressUsageMetrics"))]],
    "aws_vpc_endpoint": [call("ec2.CreateVpcEndpoint", names={"policy": "PolicyDocument"})],
    "aws_vpc_security_group_egress_rule": group_rule("Egress"),
    "aws_vpc_security_group_ingress_rule": group_rule("Ingress"),
    "aws_wafv2_web_acl": [call("wafv2.CreateWebACL")],
    "aws_wafv2_web_acl_association": [call("wafv2.AssociateWebACL")],
    "aws_wafv2_web_acl_logging_configuration": [call("wafv2.PutLoggingConfiguration", "LoggingConfiguration")],
}

BALANCER = "an attribute of ModifyLoadBalancerAttributes, which the model leaves open"
TARGETS = "an attribute of ModifyTargetGroupAttributes, which the model leaves open"
TERRAFORM = "the provider's own, never sent"

# Arguments that no call's model knows, and why that is so.
ELSEWHERE = {
    "aws_ebs_encryption_by_default": {"enabled": "decides between two calls without arguments"},
    "aws_ecr_repository": {"force_delete": TERRAFORM},
    "aws_eks_addon": {"preserve": "goes with the call that deletes"},
    "aws_iam_role": {"force_detach_policies": TERRAFORM},
    "aws_kms_key": {"enable_key_rotation": "decides between two calls", "is_enabled": "decides between two calls"},
    "aws_lambda_function": {"filename": "a path: the code itself is sent", "source_code_hash": TERRAFORM},
    "aws_launch_template": {"update_default_version": "a further call with the number that the first answered"},
    "aws_lb": {n: BALANCER for n in ("access_logs", "desync_mitigation_mode", "drop_invalid_header_fields", "enable_cross_zone_load_balancing", "enable_deletion_protection", "enable_http2",
                                     "enable_zonal_shift", "idle_timeout", "xff_header_processing_mode")},
    "aws_lb_listener": {"tcp_idle_timeout_seconds": "an attribute of ModifyListenerAttributes, which the model leaves open"},
    "aws_lb_target_group": {n: TARGETS for n in ("connection_termination", "deregistration_delay", "load_balancing_algorithm_type", "load_balancing_cross_zone_enabled", "preserve_client_ip", "proxy_protocol_v2", "slow_start")},
    "aws_network_acl": {"subnet_ids": "the provider exchanges each subnet's association, by its id"},
    "aws_route53_record": {"allow_overwrite": "decides between CREATE and UPSERT"},
    "aws_security_group": {"revoke_rules_on_delete": TERRAFORM},
}
# Types that no call makes.
UNMAPPED = {
    "aws_acm_certificate_validation": "waits for the certificate, sends nothing",
    "aws_default_security_group": "takes the rules of a group that is there, and the plan gives it none",
}
