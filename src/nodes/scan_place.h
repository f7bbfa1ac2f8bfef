#pragma once
/* Which partitions a walk has behind it, and which it meets on the node where it is (owed/scan.h).
 *
 * Thread: pure functions. */

#include "owed/scan.h"

/* The first of those that are under way, or else of those that are not done. PARTITIONS_MAX when all are. */
uint32_t place_partition(const struct scan_place *p, uint32_t partitions);
/* `there`: partitions that live on the node now. At its beginning a walk through a node is for all of them. Later it is
 * only for those that have stayed. */
void place_settle(struct scan_place *p, const uint64_t there[SCAN_PARTITION_WORDS]);
/* What was under way is done, and the next node is to be walked through. */
void place_end_node(struct scan_place *p);
/* Another process answers, which does not know the cursor. */
void place_restart_node(struct scan_place *p);
