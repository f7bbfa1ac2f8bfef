# The rule set that is built into tflint, all of it but the registry's conventions for file names.
config {
  call_module_type    = "local"
  disabled_by_default = false
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# main.tf, variables.tf and outputs.tf exist; larger modules have further files by topic.
rule "terraform_standard_module_structure" {
  enabled = false
}
