"""Backups, logs and secrets: what is kept, for how long, and what runs on a schedule."""
import json
import re

from .base import fail_if, rule


def seconds_between(expression):
    """The shortest interval of rate(…) or cron(minute hour day month weekday year), in seconds."""
    m = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression or "")
    if m:
        return int(m.group(1)) * {"minute": 60, "hour": 3600, "day": 86400}[m.group(2)]
    m = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression or "")
    if not m:
        return 0
    minute, hour = m.group(1), m.group(2)
    if not re.fullmatch(r"\d+", minute):
        return 60
    if not re.fullmatch(r"\d+", hour):
        step = re.fullmatch(r"(?:\*|\d+)/(\d+)", hour)
        return int(step.group(1)) * 3600 if step else 3600
    return 86400


@rule(seed="a backup cron that fires every minute")
def schedules_are_sane(env):
    """Whatever runs by schedule runs at most hourly, and backups daily or rarer."""
    for r in env.all("aws_scheduler_schedule", "aws_cloudwatch_event_rule", "aws_secretsmanager_secret_rotation", "aws_backup_plan"):
        found = [r["schedule_expression"]] if r["schedule_expression"] else []
        found += [b.get("schedule_expression") for b in r.blocks("rotation_rules") if b.get("schedule_expression")]
        found += [b.get("schedule") for b in r.blocks("rule") if b.get("schedule")]
        for e in found:
            every = seconds_between(e)
            backup = "backup" in json.dumps([r.address, r["name"]]) or "snapshot" in json.dumps([r.address, r["name"]])
            yield r, fail_if(every < (86400 if backup else 3600), "fires every %d s: %s" % (every, e))


@rule(needs=("prod",))
def backups_are_kept_for_three_years(env):
    """There is a scheduled backup, and its bucket keeps objects for three years and not for ever, behind versions; nothing else may shorten that."""
    buckets = [b for b in env.all("aws_s3_bucket") if "backup" in b["bucket"] or "snapshot" in b["bucket"]]
    for b in buckets:
        rules = [x for r in env.all("aws_s3_bucket_lifecycle_configuration") if r["bucket"] in (b["id"], b["bucket"]) for x in r.blocks("rule")]
        days = [e.get("days") for x in rules if x.get("status") == "Enabled" for e in (x.get("expiration") or []) if e.get("days")]
        yield b, (fail_if(not days, "never expires anything") or fail_if(min(days or [0]) < 1095, "drops backups after %s days" % min(days or [0]))
                  or fail_if(b["force_destroy"] and env.production, "can be destroyed with its backups"))
    if buckets and env.production:
        yield "schedule of backups", fail_if(not [r for r in env.all("aws_scheduler_schedule", "aws_cloudwatch_event_rule", "aws_backup_plan") if "backup" in r.address or "snapshot" in r.address], "there is none")


@rule()
def logs_do_not_last_for_ever(env):
    """Every log group has a retention."""
    for r in env.all("aws_cloudwatch_log_group"):
        yield r, fail_if(not r["retention_in_days"], "keeps logs for ever")


@rule()
def secrets_can_be_recovered_and_rotate(env):
    """Secrets survive a mistaken deletion (a week or more, in production the full 30 days) and those of MemoryDB rotate."""
    rotated = {r["secret_id"] for r in env.all("aws_secretsmanager_secret_rotation")}
    for r in env.all("aws_secretsmanager_secret"):
        days = r["recovery_window_in_days"]
        # a null window is the service's default of 30; 0 deletes at once
        yield r, (fail_if(days is not None and days < (30 if env.production else 7), "is gone after %s days" % days)
                  or fail_if(re.search("memorydb|redis", r["name"]) and r["id"] not in rotated and r["arn"] not in rotated, "does not rotate"))


@rule()
def secret_parameters_are_secure(env):
    """Parameters that hold secrets are SecureString; others hold none."""
    for r in env.all("aws_ssm_parameter"):
        hot = re.search(r"pass(word)?$|secret$|token$|private.?key", r["name"], re.I)
        yield r, fail_if(hot and r["type"] != "SecureString", "holds a secret in plain text")


@rule(needs=("prod",))
def locks_are_on_both_sides(env):
    """S3 replicates from a locked bucket into a locked one only, and the role that copies must read each object's retention and legal hold."""
    buckets = {b["arn"]: b for b in env.all("aws_s3_bucket")}
    by_name = {b["bucket"]: b for b in buckets.values()}
    for r in env.all("aws_s3_bucket_replication_configuration"):
        source = by_name[r["bucket"]]
        role = next(x for x in env.all("aws_iam_role") if x["arn"] == r["role"])
        text = "".join(p["policy"] for p in env.all("aws_iam_role_policy") if p["role"] in (role["name"], role["id"]))
        for x in r.blocks("rule"):
            target = buckets[x["destination"][0]["bucket"]]
            yield r, (fail_if(bool(source["object_lock_enabled"]) != bool(target["object_lock_enabled"]), "has a lock on one side only")
                      or fail_if(source["object_lock_enabled"] and not ("s3:GetObjectRetention" in text and "s3:GetObjectLegalHold" in text), "its role reads no locks"))


@rule(needs=("prod",))
def last_snapshots_have_names_of_their_own(env):
    """The last snapshot is named after this life of the cluster: a constant name is taken when the next cluster of that name goes."""
    for r in env.all("aws_memorydb_cluster"):
        yield r, fail_if(not re.search(r"-[0-9]{12}$", r["final_snapshot_name"] or ""), "its last snapshot is always %s" % r["final_snapshot_name"])


@rule()
def functions_reserve_nothing(env):
    """A young account may run ten functions at once and must leave them unreserved: a reservation is refused there."""
    for r in env.all("aws_lambda_function"):
        yield r, fail_if((r["reserved_concurrent_executions"] or -1) >= 0, "reserves %s" % r["reserved_concurrent_executions"])


def sdk_errors(service):
    """Names of a service's errors as Step Functions spells them: those of the Java SDK, which turns the ending Fault into Exception."""
    from botocore.session import Session
    model = Session().get_service_model(service)
    return {re.sub(r"(Fault|Exception)$", "", s) + "Exception" for op in model.operation_names for s in (e.name for e in model.operation_model(op).error_shapes)}


MACHINE_SERVICES = {"MemoryDb": "memorydb", "S3": "s3"}


@rule(needs=("prod",))
def machines_name_errors_as_the_sdk_does(env):
    """Each error that a state retries or catches is one of Step Functions' own or one that the SDK really raises; a misspelt name never matches."""
    for r in env.all("aws_sfn_state_machine"):
        for name, state in json.loads(r["definition"])["States"].items():
            for error in [e for part in ("Retry", "Catch") for x in state.get(part, []) for e in x["ErrorEquals"]]:
                service, _, rest = error.partition(".")
                known = service == "States" or rest in sdk_errors(MACHINE_SERVICES[service]) if service in MACHINE_SERVICES or service == "States" else False
                yield "%s %s" % (r, name), fail_if(not known, "waits for %s, which nobody raises" % error)
