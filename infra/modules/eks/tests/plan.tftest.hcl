mock_provider "aws" {}

variables {
  name        = "tallyd-test"
  region      = "eu-central-1"
  account_id  = "111122223333"
  vpc_id      = "vpc-1"
  vpc_cidr    = "10.20.0.0/16"
  subnet_ids  = ["subnet-1", "subnet-2"]
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "private_by_default" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this[0].vpc_config[0].endpoint_private_access && !aws_eks_cluster.this[0].vpc_config[0].endpoint_public_access
    error_message = "The API must be private unless addresses are named."
  }

  assert {
    condition     = length(aws_eks_cluster.this[0].enabled_cluster_log_types) == 5
    error_message = "All five logs."
  }

  assert {
    condition     = aws_eks_cluster.this[0].encryption_config[0].provider[0].key_arn == var.kms_key_arn
    error_message = "Secrets are encrypted with our key."
  }

  assert {
    condition     = aws_eks_cluster.this[0].access_config[0].authentication_mode == "API" && !aws_eks_cluster.this[0].access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Access entries and nothing else."
  }
}

run "public_for_named_addresses" {
  command = plan

  variables {
    public_access_cidrs = ["203.0.113.7/32"]
  }

  assert {
    condition     = aws_eks_cluster.this[0].vpc_config[0].endpoint_public_access && aws_eks_cluster.this[0].vpc_config[0].public_access_cidrs == toset(["203.0.113.7/32"])
    error_message = "Exactly the named addresses."
  }
}

run "refuses_the_world" {
  command = plan

  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.public_access_cidrs]
}

run "refuses_an_old_version" {
  command = plan

  variables {
    kubernetes_version = "1.32"
  }

  expect_failures = [var.kubernetes_version]
}

run "refuses_system_masters" {
  command = plan

  variables {
    access_entries = { me = { principal_arn = "arn:aws:iam::111122223333:role/me", kubernetes_groups = ["system:masters"] } }
  }

  expect_failures = [var.access_entries]
}

run "namespaced_policies" {
  command = plan

  variables {
    access_entries = {
      web = { principal_arn = "arn:aws:iam::111122223333:role/web", policies = [{ policy = "AmazonEKSViewPolicy", namespaces = ["tallyd"] }] }
    }
  }

  assert {
    condition     = aws_eks_access_policy_association.this["web/AmazonEKSViewPolicy"].access_scope[0].type == "namespace"
    error_message = "A policy with namespaces reaches only those."
  }
}

run "addons_have_roles_of_their_own" {
  command = plan

  assert {
    condition     = length(aws_eks_addon.this) == 5 && length(aws_iam_role.addon) == 1 && contains(keys(aws_iam_role.addon), "vpc-cni")
    error_message = "The CNI calls AWS with its own role."
  }
}

run "nodes_take_nothing_from_addresses" {
  command = plan

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.node_from_control_plane : r.cidr_ipv4 == null]) && aws_vpc_security_group_ingress_rule.node_from_node[0].cidr_ipv4 == null
    error_message = "Nodes trust groups, not addresses."
  }
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_eks_cluster.this) + length(aws_iam_role.cluster) + length(aws_eks_addon.this) + length(aws_security_group.node) + length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "create = false must create nothing."
  }
}

run "insights_with_a_role_and_logs_that_end" {
  command = plan

  variables {
    container_insights = { version = "v6.2.0-eksbuild.1" }
  }

  assert {
    condition     = aws_eks_addon.this["amazon-cloudwatch-observability"].pod_identity_association != null && length(aws_iam_role.addon) == 2
    error_message = "The agent has a role of its own."
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.insights) == 4 && alltrue([for g in aws_cloudwatch_log_group.insights : g.retention_in_days == 90 && g.kms_key_id == var.kms_key_arn])
    error_message = "Encrypted, and not for ever."
  }

  assert {
    condition     = jsondecode(aws_eks_addon.this["amazon-cloudwatch-observability"].configuration_values).tolerations[0].operator == "Exists"
    error_message = "Also on the nodes that take hits only."
  }
}

run "no_insights_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_log_group.insights) == 0 && !contains(keys(aws_eks_addon.this), "amazon-cloudwatch-observability")
    error_message = "They cost money."
  }
}

run "refuses_insights_of_an_old_agent" {
  command = plan

  variables {
    container_insights = { version = "v2.1.0-eksbuild.1" }
  }

  expect_failures = [var.container_insights]
}
