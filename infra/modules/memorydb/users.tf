# Users get a list of commands and a key pattern; the access string is written here, so nobody can slip in +@all or nopass.

locals {
  access_strings = {
    for name, u in var.users : name => join(" ", concat(
      ["on"],
      [for k in u.keys : "~${k}"],
      ["resetchannels", "-@all"],
      [for c in sort(u.commands) : "+${lower(c)}"],
    ))
  }
}

resource "aws_memorydb_user" "password" {
  for_each = { for name, u in var.users : name => u if var.create && u.auth == "password" }

  user_name     = "${var.user_name_prefix}${each.key}"
  access_string = local.access_strings[each.key]
  tags          = var.tags

  authentication_mode {
    type      = "password"
    passwords = [var.initial_passwords[each.key]]
  }

  lifecycle {
    # The rotation function owns the passwords from here on: the current one and the one before. The first one is only ever
    # valid until the first rotation, which runs as soon as the secret exists, so the copy in the state is worth nothing.
    ignore_changes = [authentication_mode[0].passwords]
  }
}

resource "aws_memorydb_user" "iam" {
  for_each = { for name, u in var.users : name => u if var.create && u.auth == "iam" }

  user_name     = "${var.user_name_prefix}${each.key}"
  access_string = local.access_strings[each.key]
  tags          = var.tags

  authentication_mode {
    type = "iam"
  }
}

resource "aws_memorydb_acl" "this" {
  count = var.create ? 1 : 0

  name       = var.name
  user_names = concat([for u in aws_memorydb_user.password : u.user_name], [for u in aws_memorydb_user.iam : u.user_name])
  tags       = var.tags

  lifecycle {
    precondition {
      condition     = length(var.users) > 0
      error_message = "An ACL without users locks everybody out."
    }
  }
}
