# Managed node groups, and the user data that Karpenter's nodes get too.
#
# User data has two parts: a NodeConfig for nodeadm (CPU manager, reserved resources) and a shell part that writes the seccomp profile.
# The profile is the file of the repository, compressed, and checked against its own hash on the node: what runs is byte for byte what was tested.

locals {
  seccomp_sha256 = sha256(var.seccomp_profile_json)

  shell = templatefile("${path.module}/templates/seccomp.sh.tftpl", {
    profile = base64gzip(var.seccomp_profile_json)
    sha256  = local.seccomp_sha256
  })

  kubelet_base = {
    # Unpacked images and logs must not fill the disk unnoticed.
    imageGCHighThresholdPercent = 80
    imageGCLowThresholdPercent  = 70
    containerLogMaxSize         = "20Mi"
    containerLogMaxFiles        = 3
    # A pod serves on for 120 s, drains and flushes in 45 and has 180 in all; the last 10 of the 200 belong to critical pods.
    shutdownGracePeriod             = "200s"
    shutdownGracePeriodCriticalPods = "10s"
    kubeReserved                    = { cpu = "100m", memory = "512Mi" }
    systemReserved                  = { cpu = "100m", memory = "256Mi" }
  }

  kubelet_static = {
    cpuManagerPolicy = "static"
    # Guaranteed pods with whole cores get them alone; the static manager insists on a reservation for everybody else.
    reservedSystemCPUs = var.reserved_system_cpus
    # nodeadm sets /system and /runtime. The kubelet refuses either of them beside a list of reserved CPUs.
    systemReservedCgroup = ""
    kubeReservedCgroup   = ""
  }

  node_config = {
    for kind, kubelet in { plain = local.kubelet_base, static = merge(local.kubelet_base, local.kubelet_static) } :
    kind => yamlencode({
      apiVersion = "node.eks.aws/v1alpha1"
      kind       = "NodeConfig"
      spec       = { kubelet = { config = kubelet } }
    })
  }

  user_data = {
    for kind, config in local.node_config :
    kind => templatefile("${path.module}/templates/user-data.mime.tftpl", { node_config = config, shell = local.shell })
  }

  groups = var.create ? var.groups : {}
}

resource "aws_iam_role" "node" {
  count = var.create ? 1 : 0

  name                 = "${var.cluster_name}-node"
  path                 = var.iam_path
  description          = "Managed nodes of ${var.cluster_name}: join, pull images, nothing else"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = var.create ? toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]) : toset([])

  role       = aws_iam_role.node[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.key}"
}

resource "aws_launch_template" "this" {
  for_each = local.groups

  name                   = "${var.cluster_name}-${each.key}"
  description            = "Node group ${each.key} of ${var.cluster_name}"
  update_default_version = true
  user_data              = base64encode(local.user_data[each.value.static_cpus ? "static" : "plain"])
  vpc_security_group_ids = var.security_group_ids
  tags                   = var.tags

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      kms_key_id            = var.kms_key_arn
      volume_size           = each.value.disk_gib
      volume_type           = "gp3"
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.cluster_name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = local.groups

  cluster_name    = var.cluster_name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node[0].arn
  subnet_ids      = var.subnet_ids
  ami_type        = each.value.ami_type
  # The image is pinned: it changes by a commit, not by the day on which somebody applies.
  release_version = each.value.release_version
  version         = each.value.release_version == null ? var.kubernetes_version : null
  capacity_type   = each.value.capacity_type
  instance_types  = each.value.instance_types
  labels          = each.value.labels
  tags            = var.tags

  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.min_size
    max_size     = each.value.max_size
    desired_size = each.value.desired_size
  }

  update_config {
    max_unavailable_percentage = 33
  }

  node_repair_config {
    enabled = true
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = taint.value.effect
    }
  }

  lifecycle {
    # Scaled by hand or by an event's schedule; Terraform must not take nodes away in the middle of one.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

# Floors for events that are known beforehand: machines are there before the readers, and go again afterwards.
resource "aws_autoscaling_schedule" "this" {
  for_each = var.create ? var.schedules : {}

  autoscaling_group_name = aws_eks_node_group.this[each.value.group].resources[0].autoscaling_groups[0].name
  scheduled_action_name  = each.key
  recurrence             = each.value.recurrence
  time_zone              = each.value.time_zone
  min_size               = each.value.min_size
  max_size               = var.groups[each.value.group].max_size
  desired_capacity       = each.value.min_size
}
