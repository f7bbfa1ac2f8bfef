"""The stub must refuse what the provider refuses: each kind of mistake, with Terraform's own words."""
import json

import pytest

import stack

HEAD = '''
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "%s"
    }
  }
}

provider "aws" {
  region = "eu-central-1"
}
'''


def head(version="~> 6.25"):
    return HEAD % version


def said(p):
    return stack.unwrap(p.stderr + p.stdout)


MISTAKES = {
    "unknown argument": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n  cidr_blok = "x"\n}', r'An argument named "cidr_blok" is not expected here'),
    "missing required argument": ('resource "aws_memorydb_cluster" "x" {\n  node_type = "db.t4g.small"\n}', r'The argument "acl_name" is required, but no definition was found'),
    "wrong type: text for a number": ('resource "aws_memorydb_cluster" "x" {\n  acl_name = "a"\n  node_type = "b"\n  num_shards = "two"\n}', r'Inappropriate value for attribute "num_shards": a number is required'),
    "wrong type: text for a list": ('resource "aws_memorydb_cluster" "x" {\n  acl_name = "a"\n  node_type = "b"\n  security_group_ids = "sg-1"\n}', r'Inappropriate value for attribute "security_group_ids": set of string required'),
    "wrong type: number for a bool": ('resource "aws_memorydb_cluster" "x" {\n  acl_name = "a"\n  node_type = "b"\n  tls_enabled = 7\n}', r'Inappropriate value for attribute "tls_enabled": bool required|a bool is required'),
    "wrong type: list for a map": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n  tags = ["a"]\n}', r'Inappropriate value for attribute "tags": map of string required'),
    "unknown block": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n  encryption {}\n}', r'Blocks of type "encryption" are not expected here'),
    "too many blocks": ('resource "aws_lb_target_group" "x" {\n  name = "x"\n  port = 80\n  protocol = "TCP"\n  health_check {}\n  health_check {}\n}', r'Too many health_check blocks|No more than 1 "health_check" blocks are allowed'),
    "too few blocks": ('resource "aws_eks_cluster" "x" {\n  name = "x"\n  role_arn = "arn:aws:iam::1:role/x"\n}', r'Insufficient vpc_config blocks|At least 1 "vpc_config" blocks are required'),
    "missing argument of a block": ('resource "aws_eks_cluster" "x" {\n  name = "x"\n  role_arn = "arn:aws:iam::1:role/x"\n  vpc_config {}\n}', r'The argument "subnet_ids" is required'),
    "unknown argument of a nested block": ('resource "aws_eks_cluster" "x" {\n  name = "x"\n  role_arn = "arn:aws:iam::1:role/x"\n  vpc_config {\n    subnet_ids = []\n    private = true\n  }\n}', r'An argument named "private" is not expected here'),
    "setting a computed attribute": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n  arn = "arn:aws:x"\n}', r'Value for unconfigurable attribute|Can.t configure a value for "arn"'),
    "unknown resource type": ('resource "aws_memorydb_klaster" "x" {\n}', r'does not support resource type "aws_memorydb_klaster"'),
    "unknown data source": ('data "aws_caller_identitty" "x" {\n}', r'does not support data source "aws_caller_identitty"'),
    "unknown attribute in a reference": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n}\noutput "o" {\n  value = aws_vpc.x.cidr\n}', r'This object has no argument, nested block, or exported attribute named "cidr"'),
    "unknown argument of a data source": ('data "aws_availability_zones" "x" {\n  regio = "x"\n}', r'An argument named "regio" is not expected here'),
    "unknown statement of a web ACL": ('resource "aws_wafv2_web_acl" "x" {\n  scope = "CLOUDFRONT"\n  default_action {\n    allow {}\n  }\n  visibility_config {\n    cloudwatch_metrics_enabled = true\n    metric_name = "x"\n    sampled_requests_enabled = true\n  }\n  rule {\n    name = "r"\n    priority = 1\n    statement {\n      rate_limit_statement {}\n    }\n    visibility_config {\n      cloudwatch_metrics_enabled = true\n      metric_name = "x"\n      sampled_requests_enabled = true\n    }\n  }\n}', r'Blocks of type "rate_limit_statement" are not expected here'),
    "a name that AWS finds too long": ('resource "aws_lb_target_group" "x" {\n  name = "a-name-of-more-than-32-characters-in-all"\n  port = 80\n  protocol = "TCP"\n}', r'cannot be longer than 32 characters'),
    "a value that is not among those accepted": ('resource "aws_memorydb_cluster" "x" {\n  acl_name = "a"\n  node_type = "b"\n  engine = "memcached"\n}', r'expected engine to be one of'),
    "arguments that exclude each other": ('resource "aws_iam_role" "x" {\n  name = "a"\n  name_prefix = "b"\n  assume_role_policy = "{}"\n}', r'exclude each other'),
    "two sources for one rule": ('resource "aws_vpc_security_group_ingress_rule" "x" {\n  security_group_id = "sg-1"\n  ip_protocol = "tcp"\n  cidr_ipv4 = "10.0.0.0/8"\n  prefix_list_id = "pl-1"\n}', r'exactly one of'),
    "a CIDR with host bits": ('resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.1/16"\n}', r'is not a valid CIDR block; did you mean'),
    "a policy that is not JSON": ('resource "aws_iam_policy" "x" {\n  policy = "{,}"\n}', r'contains an invalid JSON policy'),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_refused(kind, tmp_path):
    text, message = MISTAKES[kind]
    p = stack.snippet(tmp_path, head() + text, "validate")
    assert p.returncode != 0, "accepted:\n" + text
    import re
    assert re.search(message, said(p)), said(p)


def test_a_right_configuration_is_accepted(tmp_path):
    """The control: without it, a stub that refuses everything would pass the test above."""
    p = stack.snippet(tmp_path, head() + '''
resource "aws_vpc" "x" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "x" }
}

resource "aws_memorydb_cluster" "x" {
  acl_name           = "a"
  node_type          = "db.t4g.small"
  num_shards         = 2
  security_group_ids = ["sg-1"]
  tls_enabled        = true
}
''', "validate")
    assert p.returncode == 0, said(p)


@pytest.mark.parametrize("constraint, accepted", [("~> 6.25", True), ("6.25.0", True), (">= 7.0", False), ("~> 5.0", False)])
def test_init_checks_the_version_constraint(constraint, accepted, tmp_path):
    p = stack.snippet(tmp_path, head(constraint))
    assert (p.returncode == 0) == accepted, said(p)


APPLIED = '''
provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
  default_tags {
    tags = { Owner = "x" }
  }
}

data "aws_region" "here" {}
data "aws_region" "there" {
  provider = aws.virginia
}
data "aws_availability_zones" "here" {}
data "aws_cloudfront_cache_policy" "off" {
  name = "Managed-CachingDisabled"
}

resource "aws_s3_bucket" "b" {
  provider = aws.virginia
  bucket   = "some-bucket"
  tags     = { Name = "b" }
}

resource "aws_subnet" "s" {
  count      = 2
  vpc_id     = "vpc-1"
  cidr_block = "10.0.${count.index}.0/24"
}

resource "aws_eip" "twins" {
  count  = 2
  domain = "vpc"
}

resource "aws_iam_role" "r" {
  name               = "r"
  path               = "/p/"
  assume_role_policy = data.aws_iam_policy_document.d.json
}

resource "aws_memorydb_user" "u" {
  user_name     = "u"
  access_string = "on ~* &* +@all"
  authentication_mode {
    type      = "password"
    passwords = ["0123456789abcdef"]
  }
}

data "aws_iam_policy_document" "d" {
  source_policy_documents = [jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "First", Effect = "Deny", Action = "s3:*", Resource = "*" }] })]

  statement {
    sid       = "Second"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.b.arn}/&{aws:username}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceVpc"
      values   = ["vpc-1"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = ["1", "2"]
    }
  }

  statement {
    effect      = "Deny"
    not_actions = ["s3:ListBucket"]
    resources   = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
'''


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    folder = tmp_path_factory.mktemp("applied")
    p = stack.snippet(folder, head() + APPLIED, "apply", "-auto-approve")
    assert p.returncode == 0, said(p)
    e = stack.clean_env(STUB_SCAN=folder)
    state = json.loads(stack.terraform("show", "-json", cwd=folder, env=e).stdout)
    plan = stack.terraform("plan", "-no-color", "-detailed-exitcode", cwd=folder, env=e, check=False)
    return {r["address"]: r["values"] for r in state["values"]["root_module"]["resources"]}, plan


def test_computed_values_have_the_shape_of_aws(applied):
    v, _ = applied
    assert v["aws_s3_bucket.b"]["arn"] == "arn:aws:s3:::some-bucket"
    assert v["aws_s3_bucket.b"]["bucket_regional_domain_name"] == "some-bucket.s3.us-east-1.amazonaws.com"
    assert v["aws_iam_role.r"]["arn"] == "arn:aws:iam::123456789012:role/p/r"
    assert v["aws_memorydb_user.u"]["arn"] == "arn:aws:memorydb:eu-central-1:123456789012:user/u"
    ids = [v["aws_subnet.s[0]"]["id"], v["aws_subnet.s[1]"]["id"], v["aws_eip.twins[0]"]["id"], v["aws_eip.twins[1]"]["id"]]
    assert len(set(ids)) == 4 and ids[0].startswith("subnet-") and ids[2].startswith("eipalloc-"), ids


def test_each_provider_alias_has_its_own_region_and_tags(applied):
    v, _ = applied
    assert v["data.aws_region.here"]["region"] == "eu-central-1"
    assert v["data.aws_region.there"]["region"] == "us-east-1"
    assert v["data.aws_availability_zones.here"]["names"] == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    assert v["aws_s3_bucket.b"]["tags_all"] == {"Name": "b", "Owner": "x"}


def test_managed_cloudfront_policies_have_their_real_ids(applied):
    v, _ = applied
    assert v["data.aws_cloudfront_cache_policy.off"]["id"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def test_policy_documents_are_rendered(applied):
    v, _ = applied
    doc = json.loads(v["data.aws_iam_policy_document.d"]["json"])
    assert doc == {"Version": "2012-10-17", "Statement": [
        {"Sid": "First", "Effect": "Deny", "Action": "s3:*", "Resource": "*"},
        {"Sid": "Second", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
         "Resource": "arn:aws:s3:::some-bucket/${aws:username}/*", "Principal": {"AWS": "*"},
         "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalAccount": ["1", "2"]}}},
        {"Effect": "Deny", "NotAction": "s3:ListBucket", "Resource": "*", "Principal": "*"}]}


def test_a_second_plan_finds_nothing_to_do(applied):
    _, plan = applied
    assert plan.returncode == 0, said(plan)


def test_an_unknown_managed_policy_is_an_error(tmp_path):
    p = stack.snippet(tmp_path, head() + 'data "aws_cloudfront_cache_policy" "x" {\n  name = "Managed-CachingDisable"\n}\n', "plan")
    assert p.returncode != 0 and "no cloudfront_cache_policy named" in said(p)


def test_computed_attributes_are_unknown_in_a_plan(tmp_path):
    """A for_each over what only an apply can know must fail here as it does in AWS."""
    p = stack.snippet(tmp_path, head() + '''
resource "aws_vpc" "x" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "y" {
  for_each   = toset([aws_vpc.x.id])
  vpc_id     = each.key
  cidr_block = "10.0.0.0/24"
}
''', "plan")
    assert p.returncode != 0 and "Invalid for_each argument" in said(p)


def test_stacks_find_each_other_and_nothing_else(tmp_path):
    env = {"STUB_CLOUD": tmp_path / "cloud", "STUB_STRICT": "1"}
    one = 'resource "aws_ssm_parameter" "p" {\n  name = "/a/b"\n  type = "String"\n  value = "hello"\n}\nresource "aws_ssm_parameter" "q" {\n  name = "/a/q"\n  type = "String"\n  insecure_value = "hello"\n}\n'
    two = 'data "aws_ssm_parameter" "p" {\n  name = "%s"\n}\noutput "o" {\n  value = nonsensitive(data.aws_ssm_parameter.p.value)\n}\n'
    assert stack.snippet(tmp_path / "one", head() + one, "apply", "-auto-approve", env=env).returncode == 0
    p = stack.snippet(tmp_path / "two", head() + two % "/a/b", "apply", "-auto-approve", env=env)
    assert p.returncode == 0 and 'o = "hello"' in p.stdout, said(p)
    for name in ("/a/b", "/a/q"):
        p = stack.snippet(tmp_path / "insecure", head() + (two % name).replace("nonsensitive(data.aws_ssm_parameter.p.value)", "data.aws_ssm_parameter.p.insecure_value"), "apply", "-auto-approve", env=env)
        assert p.returncode == 0 and 'o = "hello"' in p.stdout, said(p)
    p = stack.snippet(tmp_path / "three", head() + two % "/a/c", "plan", env=env)
    assert p.returncode != 0 and "nothing applied so far answers" in said(p), said(p)


def test_the_whole_provider_loads(tmp_path):
    """Without STUB_SCAN every type is served; Terraform itself checks each schema."""
    index = json.loads((stack.BUILD / "schema" / "index.json").read_text())
    assert index["resources"] > 1500 and index["data"] > 600 and len(index["unreadable"]) <= 3, index
    folder = tmp_path
    (folder / "main.tf").write_text(head())
    e = stack.clean_env()
    stack.terraform("init", "-no-color", cwd=folder, env=e)
    p = stack.terraform("providers", "schema", "-json", cwd=folder, env=e)
    served = next(iter(json.loads(p.stdout)["provider_schemas"].values()))
    assert len(served["resource_schemas"]) == index["resources"] and len(served["data_source_schemas"]) == index["data"]
