module "access" {
  source = "../.."

  name         = "tallyd-dev"
  region       = "eu-central-1"
  account_id   = "111122223333"
  vpc_id       = "vpc-11111111"
  vpc_cidr     = "10.20.0.0/16"
  subnet_ids   = ["subnet-11111111"]
  cluster_name = "tallyd-dev"
  cluster_host = "0123.gr7.eu-central-1.eks.amazonaws.com"
  environment  = "dev"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
  # a release that exists: aws ssm get-parameters-by-path --path /aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard
  ami_parameter = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-arm64-standard-1.34-v20260715/image_id"
}

output "session_document" {
  description = "Start a session with: aws ssm start-session --document-name <this> --target <instance>"
  value       = module.access.session_document
}
