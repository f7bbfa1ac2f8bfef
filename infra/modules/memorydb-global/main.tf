# MemoryDB Multi-Region: active in several regions, and the last writer wins.
#
# Two regions that INCRBY the same key at once keep one of the two results: counts are lost, and nothing says so. tallyd may run on it only
# in absolute mode (one hash field per instance, HSET, readers sum), where no two writers share a field. The module refuses anything else.

resource "aws_memorydb_multi_region_cluster" "this" {
  count = var.create ? 1 : 0

  multi_region_cluster_name_suffix  = var.name
  description                       = "Counters of ${var.name}, absolute mode only"
  engine                            = var.engine
  engine_version                    = var.engine_version
  node_type                         = var.node_type
  num_shards                        = var.num_shards
  multi_region_parameter_group_name = var.parameter_group_name
  tls_enabled                       = true
  tags                              = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = var.counter_mode == "absolute" && var.accept_last_writer_wins
      error_message = "MemoryDB Multi-Region resolves conflicts by last-writer-wins: concurrent INCRBY in two regions loses counts. Run tallyd in absolute mode (counter_mode = \"absolute\") and say so with accept_last_writer_wins = true."
    }

    precondition {
      condition     = length(var.regions) >= 2
      error_message = "With one region there is no need for Multi-Region."
    }
  }
}
