# The first stack: network, keys, cluster and what the workloads need of AWS. It knows nothing of MemoryDB or of the edge but their names.

# The zones that everybody may use; local and wavelength zones are others.
data "aws_availability_zones" "here" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  account_root = "arn:${var.partition}:iam::${var.account_id}"
  # A region's zones are not always a, b and c, so they are asked for.
  zones = slice(coalescelist(var.zones, sort(data.aws_availability_zones.here.names)), 0, var.zone_count)

  person_policies = {
    read = [{ policy = "AmazonEKSViewPolicy", namespaces = [] }]
    operate = [
      { policy = "AmazonEKSViewPolicy", namespaces = [] },
      { policy = "AmazonEKSAdminPolicy", namespaces = concat([var.namespace], var.controller_namespaces) },
    ]
    break-glass = [{ policy = "AmazonEKSClusterAdminPolicy", namespaces = [] }]
  }
}

module "key" {
  source = "../../modules/kms"

  name                    = "${local.prefix}-platform"
  description             = "Kubernetes secrets, disks, images, logs and alarms of ${local.prefix}"
  account_id              = var.account_id
  partition               = var.partition
  administrators          = var.key_administrators
  deletion_window_in_days = var.permanent ? 30 : 7

  services = {
    Logs = {
      principals = ["logs.${var.region}.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      conditions = [{ test = "ArnLike", variable = "kms:EncryptionContext:aws:logs:arn", values = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"] }]
    }
    AlarmsAndEvents = {
      principals = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
      conditions = [{ test = "StringEquals", variable = "aws:SourceAccount", values = [var.account_id] }]
    }
  }

  # Managed node groups start their machines through this service-linked role.
  principals = {
    AutoScalingUses = {
      arns    = ["${local.account_root}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"]
      actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    }
    AutoScalingGrants = {
      arns                = ["${local.account_root}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"]
      actions             = ["kms:CreateGrant"]
      grants_for_aws_only = true
    }
  }
}

module "observability" {
  source = "../../modules/observability"

  name                = local.prefix
  region              = var.region
  account_id          = var.account_id
  partition           = var.partition
  topic_kms_key_arn   = module.key.arn
  subscriptions       = { for name, address in var.alarm_emails : name => { protocol = "email", endpoint = address } }
  kms_key_arn         = module.key.arn
  create_prometheus   = var.managed_prometheus
  metrics_bucket_name = var.thanos_bucket ? "${local.names.bucket_prefix}-metrics" : null
}

module "network" {
  source = "../../modules/network"

  name                    = local.prefix
  region                  = var.region
  partition               = var.partition
  account_id              = var.account_id
  iam_path                = local.names.iam_path
  permissions_boundary    = local.names.boundary
  vpc_cidr                = module.naming.vpc_cidr
  zones                   = local.zones
  public_cidrs            = module.naming.cidrs.public
  private_cidrs           = module.naming.cidrs.private
  data_cidrs              = module.naming.cidrs.data
  balancer_cidrs          = module.naming.cidrs.balancer
  peer_cidrs              = var.peer_cidrs
  nat                     = var.nat
  interface_endpoints     = var.interface_endpoints
  egress_ports            = var.egress_ports
  kms_key_arn             = module.key.arn
  flow_log_retention_days = var.log_retention_days

  private_subnet_tags  = { "karpenter.sh/discovery" = local.names.cluster }
  balancer_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }
}

module "access" {
  source = "../../modules/access"

  name                 = local.prefix
  region               = var.region
  partition            = var.partition
  account_id           = var.account_id
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary
  vpc_id               = module.network.vpc_id
  vpc_cidr             = module.network.vpc_cidr
  subnet_ids           = module.network.private_subnet_ids
  cluster_name         = local.names.cluster
  cluster_host         = trimprefix(module.eks.endpoint, "https://")
  environment          = var.environment
  people               = var.people
  alarm_topic_arns     = { alarms = module.observability.topic_arn }
  kms_key_arn          = module.key.arn
  host_running         = var.ops_host_running
  tags                 = module.naming.tags

  ami_parameter = "/aws/service/eks/optimized-ami/${var.kubernetes_version}/amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-arm64-standard-${var.kubernetes_version}-v${split("-", var.node_release)[1]}/image_id"
}

module "eks" {
  source = "../../modules/eks"

  name                 = local.names.cluster
  region               = var.region
  partition            = var.partition
  account_id           = var.account_id
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary
  kubernetes_version   = var.kubernetes_version
  deletion_protection  = var.permanent
  vpc_id               = module.network.vpc_id
  vpc_cidr             = module.network.vpc_cidr
  subnet_ids           = module.network.private_subnet_ids
  kms_key_arn          = module.key.arn
  public_access_cidrs  = var.api_public_access_cidrs
  log_retention_days   = var.log_retention_days
  alarm_actions        = [module.observability.topic_arn]
  addons               = var.addons
  container_insights   = var.container_insights
  egress_ports         = var.egress_ports

  api_client_security_group_ids = { operations-host = module.access.host_security_group_id }

  # People reach the API through a tunnel with rights of their own; the host that carries the tunnel has none worth taking.
  access_entries = merge(
    {
      operations-host = {
        principal_arn = module.access.host_role_arn
        policies      = [{ policy = "AmazonEKSViewPolicy" }]
      }
    },
    {
      for name, arn in module.access.person_role_arns : "person-${name}" => {
        principal_arn = arn
        policies      = local.person_policies[name]
      }
    },
    {
      for name, arn in var.cluster_admins : name => {
        principal_arn = arn
        policies      = [{ policy = "AmazonEKSClusterAdminPolicy" }]
      }
    },
    {
      for name, arn in var.cluster_viewers : name => {
        principal_arn = arn
        policies      = [{ policy = "AmazonEKSAdminViewPolicy", namespaces = [var.namespace] }]
      }
    },
  )
}

module "nodes" {
  source = "../../modules/nodes"

  cluster_name         = module.eks.name
  kubernetes_version   = var.kubernetes_version
  partition            = var.partition
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary
  subnet_ids           = module.network.private_subnet_ids
  security_group_ids   = [module.eks.node_security_group_id]
  kms_key_arn          = module.key.arn
  seccomp_profile_json = coalesce(var.seccomp_profile_json, file("${path.module}/../../../deploy/seccomp/tallyd.json"))
  tags                 = module.naming.tags

  groups    = { for name, g in var.node_groups : name => merge(g, { release_version = var.node_release }) }
  schedules = local.event_schedules
}

module "karpenter" {
  source = "../../modules/karpenter"

  cluster_name         = module.eks.name
  region               = var.region
  partition            = var.partition
  account_id           = var.account_id
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary
  kms_key_arn          = module.key.arn
}

module "ecr" {
  source = "../../modules/ecr"

  repositories      = var.repositories
  account_id        = var.account_id
  partition         = var.partition
  kms_key_arn       = module.key.arn
  force_delete      = !var.permanent
  manage_registry   = var.manage_registry
  enhanced_scanning = var.enhanced_scanning
  replica_regions   = var.image_replica_regions
}

# Pipelines that push images. Those that apply are made by bootstrap, which also makes the identity providers.
module "ci" {
  source = "../../modules/ci-oidc"

  create               = length(var.image_pipelines) > 0
  create_providers     = false
  name                 = local.prefix
  account_id           = var.account_id
  partition            = var.partition
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary

  roles = {
    for name, p in var.image_pipelines : name => {
      host                 = p.host
      subjects             = p.subjects
      push_repository_arns = [for r in var.repositories : "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${r}"]
    }
  }
}

module "budget" {
  source = "../../modules/budgets"

  name        = local.prefix
  environment = var.environment
  monthly_usd = var.monthly_budget_usd
  anomaly_usd = var.anomaly_usd
  emails      = values(var.alarm_emails)

  cost_tag_active = var.cost_tag_active
}
