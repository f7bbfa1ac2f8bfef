"""An environment made again, call by call, at a server that others wrote (moto): in the order of its dependencies, with that server's own ids.

What the plan calls vpc-0abc the server calls otherwise, so each call is composed from the plan and every id of ours in it is exchanged for the one
that the server answered with. A call that names something which nobody has made yet, or that the server refuses, is a finding. What the server
does not know at all is counted apart, and stands in UNKNOWN: a list that is exact.
"""
import json
import logging
import os
import re
import urllib.request

import stack

from . import models, shapes

ACCOUNT = "123456789012"
# Calls that moto 5.2.5 does not know (of S3 Control it knows this one, but at a name that only AWS has).
UNKNOWN = {
    "ce.CreateAnomalyMonitor", "ce.CreateAnomalySubscription", "cloudfront.CreateCachePolicy", "cloudfront.CreateMonitoringSubscription",
    "cloudfront.CreateOriginRequestPolicy", "cloudfront.CreateResponseHeadersPolicy", "cloudfront.CreateVpcOrigin", "cloudwatch.PutCompositeAlarm",
    "ec2.CreateInstanceConnectEndpoint", "ec2.ModifyInstanceMetadataDefaults", "eks.AssociateAccessPolicy", "eks.CreateAccessEntry", "eks.CreateAddon",
    "eks.CreatePodIdentityAssociation", "globalaccelerator.CreateAccelerator", "globalaccelerator.CreateEndpointGroup",
    "globalaccelerator.CreateListener", "memorydb.CreateACL", "memorydb.CreateParameterGroup", "s3control.PutPublicAccessBlock",
}
# Ids that the answer spells otherwise than the plan: type → attribute → path.
ANSWERS = {
    "aws_sqs_queue": {"id": "QueueUrl", "url": "QueueUrl"}, "aws_kms_key": {"id": "KeyMetadata.KeyId", "key_id": "KeyMetadata.KeyId", "arn": "KeyMetadata.Arn"},
    "aws_secretsmanager_secret": {"id": "ARN", "arn": "ARN"}, "aws_lb": {"id": "LoadBalancers.0.LoadBalancerArn", "arn": "LoadBalancers.0.LoadBalancerArn", "dns_name": "LoadBalancers.0.DNSName"},
    "aws_cloudwatch_log_delivery_destination": {"arn": "deliveryDestination.arn"}, "aws_wafv2_web_acl": {"id": "Summary.Id", "arn": "Summary.ARN"},
    "aws_globalaccelerator_accelerator": {"id": "Accelerator.AcceleratorArn"},
}
# Arguments that the plan does not know yet and the configuration gives all the same: another resource's ARN.
REFERRED = {"aws_flow_log": ("log_destination",), "aws_autoscaling_group": ("launch_template",)}
# Types whose id is the provider's own.
NAMELESS = {"aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"}
# Calls of an object's end; nothing is deleted here.
ENDINGS = ("Delete", "ScheduleKeyDeletion")
VARIES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![A-Za-z])[A-Z0-9]{13,}|[0-9a-f]{8,}")


def likeness(text):
    """A name without what differs from one object of a kind to the next."""
    return VARIES.sub("#", text)


class Server:
    """moto's server on a free port of the loopback, and clients of it."""

    def __init__(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        from moto.server import ThreadedMotoServer
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.url, self.clients = "http://%s:%d" % (host, port), {}
        urllib.request.urlopen(urllib.request.Request(self.url + "/moto-api/reset", method="POST")).close()     # two servers of one process share what they hold

    def client(self, service, region):
        import boto3
        from botocore.config import Config
        key = service, region
        if key not in self.clients:
            self.clients[key] = boto3.client(service, region_name=region, endpoint_url=self.url, aws_access_key_id="test", aws_secret_access_key="test",
                                             config=Config(retries={"total_max_attempts": 1}, read_timeout=None, s3={"addressing_style": "path"}, parameter_validation=False, inject_host_prefix=False))
        return self.clients[key]

    def stop(self):
        self.server.stop()


def snake(name):
    import botocore
    return botocore.xform_name(name)


class Replay:
    """One environment at one server."""

    def __init__(self, env, server):
        self.env, self.server = env, server
        cluster = env.all("aws_eks_cluster")[0]
        self.region, self.account = cluster["arn"].split(":")[3:5]
        self.ours = {}        # our id → the server's
        self.waiting = {}     # our id → the address of who will have it
        self.made, self.calls, self.unknown, self.findings = 0, 0, {}, []
        self.planned = {a.stack + ":" + c["address"]: c["change"]["after"] for e in (env.bootstrap, env) for a in e.applied for c in a.plan.get("resource_changes", [])}

    def run(self):
        parts = [self.env.bootstrap, self.env]
        resources = [r for e in parts for r in in_order(e) if r.type.startswith("aws_")]
        for r in resources:
            for name in identities(r):
                self.waiting.setdefault(name, r)
        self.given_from_outside()
        for r in resources:
            if r.type in shapes.SHAPES:
                self.make(r)
        return self

    def given_from_outside(self):
        """What is there before: zones that variables name, and CloudFront's list of addresses."""
        for zone in sorted({r["zone_id"] for r in self.env.all("aws_route53_record") if r["zone_id"]} - {z["zone_id"] for z in self.env.all("aws_route53_zone")}):
            names = [r["name"] for r in self.env.all("aws_route53_record") if r["zone_id"] == zone]
            made = self.server.client("route53", "us-east-1").create_hosted_zone(Name=common_end(names), CallerReference=zone)
            self.ours[zone] = made["HostedZone"]["Id"].split("/")[-1]
        for d in self.env.data_sources:
            if d.type == "aws_ec2_managed_prefix_list":
                made = self.server.client("ec2", self.region).create_managed_prefix_list(PrefixListName=d["name"], MaxEntries=10, AddressFamily="IPv4")
                self.ours[d["id"]] = made["PrefixList"]["PrefixListId"]

    def make(self, r):
        given = models.given(models.schema(r.type), r.values, self.planned.get(r.address))
        given.update({name: r[name] for name in REFERRED.get(r.type, ()) if r[name]})
        composed, _ = models.compose(r.type, given)
        own = None
        for row, _, params in composed:
            if row.operation.startswith(ENDINGS) or row.operation == "TagResources":
                continue
            answer = self.call(r, row, completed(r, row, self.exchanged(r, params, own), r["region"] or self.region))
            if answer is None:
                break
            if own is None:
                self.learn(r, answer)
                if r["id"] in identities(r) and r["id"] not in self.ours and re.fullmatch(r"[a-z]+-[0-9a-f]{8,}", r["id"]) and r.type not in NAMELESS:
                    self.findings.append("%s: the answer does not say what it is called: %s" % (r.address, list(texts(answer))[:10]))
                own = self.ours.get(r["id"]) or r["name"] or r["id"]
        else:
            self.made += 1
        for name in identities(r):
            self.waiting.pop(name, None)

    def call(self, r, row, params):
        """The server's answer, or None; what it says against the call is a finding."""
        from botocore.exceptions import ClientError, EndpointConnectionError
        from botocore.parsers import ResponseParserError
        name = "%s.%s" % (row.service, row.operation)
        client = self.server.client(row.service, r["region"] or self.region)
        try:
            answer = getattr(client, snake(row.operation))(**params)
            self.calls += 1
            return answer
        except ClientError as e:
            error = e.response.get("Error", {})
            text = "%s: %s" % (error.get("Code"), error.get("Message"))
        except ResponseParserError:
            text = "500: an answer that is none"
        except EndpointConnectionError:
            text = "Not Found: asked at a name that only AWS has"
        if not_there(text):
            self.unknown.setdefault(name, []).append(r.address)
        else:
            self.findings.append("%s: %s: %s" % (r.address, name, text[:300]))
        return None

    def exchanged(self, r, value, own):
        """Parameters with the server's ids in place of ours."""
        if isinstance(value, dict):
            return {self.exchanged(r, k, own): self.exchanged(r, v, own) for k, v in value.items()}
        if isinstance(value, list):
            return [self.exchanged(r, v, own) for v in value]
        if not isinstance(value, str):
            return value
        if value == shapes.ID and own:
            return own
        for name in sorted((n for n in self.ours if n in value), key=len, reverse=True):
            value = value.replace(name, self.ours[name])
        for name, other in self.waiting.items():
            if name in value and other.address != r.address and other.type in shapes.SHAPES:
                self.findings.append("%s names %s before %s is made" % (r.address, name, other.address))
        return value.replace(self.account, ACCOUNT)

    def group_of_eks(self, cluster):
        """EKS makes a security group of its own, which the server only names."""
        ours = cluster.block("vpc_config")["cluster_security_group_id"]
        vpc = next(self.exchanged(cluster, v["id"], None) for v in self.env.all("aws_vpc"))
        self.ours[ours] = self.server.client("ec2", self.region).create_security_group(GroupName="eks-cluster-sg", Description="made by EKS", VpcId=vpc)["GroupId"]

    def learn(self, r, answer):
        """Which of the answer's texts stand where the plan has ids: those that are alike."""
        said = {}
        if r.type == "aws_eks_cluster":
            self.group_of_eks(r)
        for text in texts({k: v for k, v in answer.items() if k != "ResponseMetadata"}):
            name = text.split("/")[-1] if text.startswith("/") else text
            if name != ACCOUNT:
                said.setdefault(likeness(name), name)
        for name in identities(r):
            found = said.get(likeness(name.replace(self.account, ACCOUNT)))
            if found and found != name:
                self.ours[name] = found
            elif re.fullmatch(r"[a-z]+-[0-9a-f]{8,}", name):
                prefix = name.split("-")[0]
                alike = [x for x in texts(answer) if re.fullmatch(prefix + r"-[0-9a-f]{8,}", x)]
                if alike:
                    self.ours[name] = alike[0]
        for attribute, path in ANSWERS.get(r.type, {}).items():
            if r[attribute]:
                self.ours[r[attribute]] = at(answer, path)


def completed(r, row, params, region):
    """What the provider adds by itself and the plan does not hold: a bucket's place, a function's code."""
    if row.operation == "CreateBucket" and region != "us-east-1":
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if r.type == "aws_lambda_function" and row.operation == "CreateFunction":
        params["Code"] = {"ZipFile": next((stack.INFRA / "modules").glob("*/*/%s" % r["filename"].split("/")[-1])).read_bytes()}
    return params


def not_there(text):
    """Whether an answer says that the server has no such call; it answers a bare 500 as well."""
    return bool(re.search(r"^500: |NotImplemented|not been implemented|not yet implemented|NotYetImplemented|UnknownOperation|Not Found|Unknown", text))


def identities(r):
    """What others call a resource by and nobody chose: ids and ARNs that vary."""
    own = {v for k, v in r.values.items() if isinstance(v, str) and (k in ("id", "arn") or k.endswith(("_id", "_arn", "dns_name", "domain_name", "arn_suffix"))) and k not in chosen(r) and len(v) < 300}
    return sorted((v for v in own if VARIES.search(re.sub(r"(?<![0-9a-f])[0-9]{12}(?![0-9a-f])", "", v))), key=len, reverse=True)


def chosen(r):
    """Arguments: what the configuration may say."""
    return {n for n, a in models.schema(r.type).get("attributes", {}).items() if (a.get("optional") or a.get("required")) and not a.get("computed")}


def at(answer, path):
    for name in path.split("."):
        answer = answer[int(name) if name.isdigit() else name]
    return answer


def texts(value):
    if isinstance(value, dict):
        for v in value.values():
            yield from texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from texts(v)
    elif isinstance(value, str):
        yield value


def common_end(names):
    """The zone that names lie in."""
    parts = [list(reversed(n.rstrip(".").split("."))) for n in names]
    same = []
    for labels in zip(*parts):
        if len(set(labels)) > 1:
            break
        same.append(labels[0])
    return ".".join(reversed(same[:max(2, len(same) - 1)])) or "example.com"


def in_order(env):
    """The resources of an environment, each after those that it depends on."""
    out = []
    for a in env.applied:
        mine = {}
        for r in env.resources:
            if r.stack == a.stack:
                mine.setdefault(r.config_address, []).append(r)
        needs = {r.config_address: r.depends_on for r in env.resources if r.stack == a.stack}
        placed = set()

        def place(name):
            if name in placed or name not in mine:
                return
            placed.add(name)
            for other in needs[name]:
                place(other)
            out.extend(mine[name])
        for name in sorted(mine):
            place(name)
    return out


def replay(env, server):
    return Replay(env, server).run()


def summary(done):
    return json.dumps({"resources": done.made, "calls": done.calls, "unknown": {k: len(v) for k, v in sorted(done.unknown.items())}})
