output "memorydb_name" {
  description = "Name of the cluster."
  value       = module.memorydb.name
}

output "memorydb_host" {
  description = "Where the daemon connects to."
  value       = module.memorydb.endpoint
}

output "memorydb_port" {
  description = "Port of the cluster."
  value       = module.memorydb.port
}

output "memorydb_users" {
  description = "User names by short name."
  value       = module.memorydb.user_names
}

output "access_strings" {
  description = "Access string of each user."
  value       = module.memorydb.access_strings
}

output "secret_names" {
  description = "Secrets of the users, for External Secrets."
  value       = module.secrets.user_secret_names
}

output "token_secret_names" {
  description = "Secrets of the tokens, for External Secrets."
  value       = module.secrets.token_secret_names
}

output "rotation_function_name" {
  description = "Rotation function."
  value       = module.secrets.rotation_function_name
}

output "backup_state_machine_arn" {
  description = "The backup, to start by hand."
  value       = module.backup.state_machine_arn
}

output "backup_bucket_name" {
  description = "Bucket of the backups."
  value       = module.backup.bucket_name
}

output "backup_replica_bucket_name" {
  description = "Bucket of their copy."
  value       = module.backup.replica_bucket_name
}
