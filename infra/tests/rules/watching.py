"""Alarms, dashboards, money and tags."""
import json
import re

from .base import fail_if, rule


NAMES_FOR_DIMENSION = {
    "ClusterName": ("aws_memorydb_cluster", "aws_eks_cluster"), "LoadBalancer": ("aws_lb",), "TargetGroup": ("aws_lb_target_group",), "DistributionId": ("aws_cloudfront_distribution",),
    "WebACL": ("aws_wafv2_web_acl",), "FunctionName": ("aws_lambda_function",), "StateMachineArn": ("aws_sfn_state_machine",), "QueueName": ("aws_sqs_queue",),
    "NatGatewayId": ("aws_nat_gateway",), "HealthCheckId": ("aws_route53_health_check",), "Accelerator": ("aws_globalaccelerator_accelerator",), "SecretId": ("aws_secretsmanager_secret",),
    "BucketName": ("aws_s3_bucket",), "TopicName": ("aws_sns_topic",), "Workspace": ("aws_prometheus_workspace",), "ScheduleGroup": ("aws_scheduler_schedule_group",),
    "RuleName": ("aws_cloudwatch_event_rule",),
}
# One name, several kinds: the namespace says which is meant.
BY_NAMESPACE = {("AWS/MemoryDB", "ClusterName"): ("aws_memorydb_cluster",), ("ContainerInsights", "ClusterName"): ("aws_eks_cluster",), ("AWS/EKS", "ClusterName"): ("aws_eks_cluster",)}


def meant(namespace, dimension):
    return BY_NAMESPACE.get((namespace, dimension)) or NAMES_FOR_DIMENSION.get(dimension)


NAMING = ("name", "id", "arn", "arn_suffix", "function_name", "bucket", "cluster_name")


def all_dimensions(alarm):
    yield alarm["namespace"], alarm["dimensions"] or {}
    for q in alarm.blocks("metric_query"):
        for m in q.get("metric") or []:
            yield m.get("namespace"), m.get("dimensions") or {}


@rule()
def alarms_name_existing_resources(env):
    """Each dimension of each alarm is the name of a resource that exists; a misspelt one would never ring."""
    for a in env.all("aws_cloudwatch_metric_alarm"):
        for namespace, dims in all_dimensions(a):
            for k, v in dims.items():
                types = meant(namespace, k)
                if types:
                    have = {str(r[n]) for r in env.all(*types) for n in NAMING if r[n]} | {str(r["arn"]).split(":", 5)[-1].split("/", 1)[-1] for r in env.all(*types) if r["arn"]}
                    yield "%s %s" % (a, k), fail_if(v not in have, "watches %s, which does not exist" % v)
    for r in env.all("aws_cloudwatch_composite_alarm"):
        names = {x["alarm_name"] for x in env.all("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")}
        for n in re.findall(r"ALARM\(\"?([^\")]+)\"?\)", r["alarm_rule"] or ""):
            yield r, fail_if(n not in names, "combines %s, which does not exist" % n)


@rule()
def alarms_tell_somebody(env):
    """Each alarm is switched on and goes to a topic that exists (in its own region) and has a subscriber or a variable for one."""
    topics = {r["arn"] for r in env.all("aws_sns_topic")}
    for a in env.all("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"):
        actions = [x for x in a.get("alarm_actions", []) if ":sns:" in x]
        scaling = [x for x in a.get("alarm_actions", []) if ":sns:" not in x]
        region = a["arn"].split(":")[3]
        yield a, (fail_if(a["actions_enabled"] is False, "is switched off")
                  or fail_if(not actions and not scaling, "tells nobody")
                  or fail_if(set(actions) - topics, "tells %s, which does not exist" % sorted(set(actions) - topics))
                  or fail_if(any(x.split(":")[3] != region for x in actions), "is in another region than its topic"))


@rule()
def dashboards_show_what_exists(env):
    """Dashboards are valid JSON, and the resources that their widgets name exist."""
    for d in env.all("aws_cloudwatch_dashboard"):
        body = json.loads(d["dashboard_body"])
        yield d, fail_if(not body.get("widgets"), "is empty")
        for w in body.get("widgets", []):
            for m in (w.get("properties") or {}).get("metrics") or []:
                for k, v in zip(m[1:], m[2:]):
                    if isinstance(k, str) and k in NAMES_FOR_DIMENSION and isinstance(v, str) and not v.startswith("$") and v != ".":
                        known = {str(r[n]) for r in env.all(*meant(m[0], k)) for n in NAMING if r[n]}
                        yield "%s %s" % (d, k), fail_if(v not in known, "shows %s, which does not exist" % v)


@rule()
def money_is_watched(env):
    """A budget per environment, which tells somebody before it is spent."""
    found = env.all("aws_budgets_budget")
    yield "budget of %s" % env.name, fail_if(not found, "there is none")
    for b in found:
        notes = b.blocks("notification")
        yield b, fail_if(not notes, "tells nobody") or fail_if(not any((n.get("threshold") or 0) <= 100 for n in notes), "tells too late")


@rule()
def everything_is_tagged(env):
    """Whatever takes tags says whose it is: project, environment and Terraform."""
    for r in env.resources:
        if "tags_all" in r.values:
            tags = {k.lower(): v for k, v in (r["tags_all"] or {}).items()}
            yield r, fail_if(not {"project", "environment", "managedby"} <= set(tags), "has tags %s" % sorted(tags)) or fail_if(
                tags.get("environment") != env.name, "says it belongs to %s" % tags.get("environment"))


@rule()
def names_say_the_environment(env):
    """Clusters, load balancers and stores carry the environment's name, so that two environments fit into one account."""
    for r in env.all("aws_eks_cluster", "aws_lb", "aws_memorydb_cluster", "aws_ecr_repository") if len(env.resources) else []:
        if r.type == "aws_ecr_repository":
            continue
        yield r, fail_if(env.name not in (r["name"] or ""), "is called %s" % r["name"])
