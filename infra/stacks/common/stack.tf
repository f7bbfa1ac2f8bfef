# What the three stacks have in common, linked into each of them as common.tf: versions, state, provider, names, and the variables of
# live/<environment>/common.tfvars.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # live/<environment>/<stack>.s3.tfbackend says where.
  backend "s3" {}
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = module.naming.tags
  }
}

# Names and addresses: the same module in every stack, so that all of them say the same.
module "naming" {
  source = "../../modules/naming"

  project     = var.project
  environment = var.environment
  region      = var.region
  partition   = var.partition
  account_id  = var.account_id
  vpc_cidr    = var.vpc_cidr
  zone_count  = var.zone_count
  tags        = var.tags
}

locals {
  prefix = module.naming.prefix
  names  = module.naming.names
}

variable "project" {
  description = "Short name of the project."
  type        = string
  default     = "tallyd"
}

variable "environment" {
  description = "Environment."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "account_id" {
  description = "AWS account."
  type        = string
}

variable "tags" {
  description = "Further tags of everything."
  type        = map(string)
  default     = {}
}

variable "vpc_cidr" {
  description = "Range of the VPC, a /16 that no other environment has."
  type        = string
}

variable "zone_count" {
  description = "Availability zones."
  type        = number
  default     = 3
}

variable "permanent" {
  description = "Whether the environment is to stay: deletion protection, 30 days to change one's mind about keys and secrets."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Addresses that hear of alarms, by name."
  type        = map(string)
  default     = {}
}

variable "key_administrators" {
  description = "ARNs of principals that administer the keys."
  type        = list(string)
  default     = []
}
