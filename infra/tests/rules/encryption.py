"""Whatever stores data is encrypted with keys of ours."""
from .base import fail_if, rule


ENCRYPTED = {
    "aws_memorydb_cluster": lambda r: r["kms_key_arn"],
    "aws_cloudwatch_log_group": lambda r: r["kms_key_id"],
    "aws_secretsmanager_secret": lambda r: r["kms_key_id"],
    # The store publishes to no encrypted topic (rule memorydb-can-tell-its-events).
    "aws_sns_topic": lambda r: r["kms_master_key_id"] or r["name"].endswith("-memorydb-events"),
    "aws_sqs_queue": lambda r: r["kms_master_key_id"] or r["sqs_managed_sse_enabled"],
    "aws_ecr_repository": lambda r: r.block("encryption_configuration").get("encryption_type") == "KMS" and r.block("encryption_configuration").get("kms_key"),
    "aws_eks_cluster": lambda r: r.block("encryption_config").get("provider") and "secrets" in (r.block("encryption_config").get("resources") or []),
    "aws_ebs_volume": lambda r: r["encrypted"] and r["kms_key_id"],
    "aws_prometheus_workspace": lambda r: r["kms_key_arn"],
    "aws_backup_vault": lambda r: r["kms_key_arn"],
    "aws_dynamodb_table": lambda r: r.block("server_side_encryption").get("enabled"),
    "aws_kinesis_firehose_delivery_stream": lambda r: r.block("server_side_encryption").get("enabled"),
    "aws_launch_template": lambda r: all(str((b.get("ebs") or [{}])[0].get("encrypted")).lower() == "true" and (b.get("ebs") or [{}])[0].get("kms_key_id") for b in r.blocks("block_device_mappings")) and r.blocks("block_device_mappings"),
    "aws_lambda_function": lambda r: not r.blocks("environment") or r["kms_key_arn"],
    "aws_sfn_state_machine": lambda r: not r.blocks("encryption_configuration") or r.block("encryption_configuration").get("type") == "CUSTOMER_MANAGED_KMS_KEY",
}


@rule()
def everything_is_encrypted_with_our_keys(env):
    """Whatever stores data names a key of ours."""
    keys = {k for r in env.all("aws_kms_key", "aws_kms_alias", "aws_kms_replica_key") for k in (r["id"], r["arn"], r["name"], r["key_id"], r["target_key_arn"]) if k}
    for r in env.resources:
        check = ENCRYPTED.get(r.type)
        if check:
            yield r, fail_if(not check(r), "is not encrypted with a key of ours")
            for arg in ("kms_key_arn", "kms_key_id", "kms_master_key_id"):
                if r[arg] and check(r):
                    yield r, fail_if(r[arg] not in keys, "names a key that no stack creates: %s" % r[arg])


@rule()
def buckets_are_encrypted(env):
    """Buckets use KMS with a key of ours; only CloudFront's and load balancers' log buckets, to which AWS cannot write otherwise, may use S3's own."""
    for b in env.all("aws_s3_bucket"):
        sse = [r for r in env.all("aws_s3_bucket_server_side_encryption_configuration") if r["bucket"] in (b["id"], b["bucket"])]
        how = [d for r in sse for x in r.blocks("rule") for d in (x.get("apply_server_side_encryption_by_default") or [])]
        log_bucket = "log" in b["bucket"]
        ok = how and all(d["sse_algorithm"].startswith("aws:kms") and d.get("kms_master_key_id") or log_bucket and d["sse_algorithm"] == "AES256" for d in how)
        yield b, fail_if(not ok, "is not encrypted: %s" % how)


@rule()
def keys_rotate_and_outlive_a_mistake(env):
    """Keys rotate yearly or sooner; deletion takes at least a week, in production the full thirty days."""
    for r in env.all("aws_kms_key"):
        days = r["deletion_window_in_days"] or 30
        yield r, (fail_if(r["enable_key_rotation"] is not True and r["customer_master_key_spec"] in (None, "SYMMETRIC_DEFAULT"), "does not rotate")
                  or fail_if((r["rotation_period_in_days"] or 365) > 365, "rotates too rarely")
                  or fail_if(days < (30 if env.production else 7), "would be gone after %d days" % days))
