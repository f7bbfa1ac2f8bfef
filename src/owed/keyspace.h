#pragma once
/* How names become Redis keys, and which partition each belongs to (DESIGN 4.1).
 *
 * Thread: made before the flusher starts, then read only.
 * Standalone there is one partition, and a key is "<prefix><ns>:<key>". In a cluster it is "<prefix>{<tag>}<ns>:<key>",
 * so that all keys of a partition are in one hash slot. Partition and tag never change for the life of a data set:
 *   partition  SipHash-1-3 of the name under a constant, public key, modulo the number of partitions. The key is no
 *              secret, because every instance must agree. Who aims at one partition makes it slow, not wrong.
 *   tag        The slots are cut into as many equal stripes as there are partitions. The tag of partition i is the
 *              smallest decimal number whose slot is in the middle half of stripe i. So the partitions are spread over
 *              the nodes as evenly as the slots are, and lie on the edge of no node's range.
 * "<prefix>!meta" holds the number of partitions, so that two instances cannot disagree about it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "tally/name.h"

#define PARTITIONS_MAX 256
#define KEYSPACE_PREFIX_BYTES_MAX 128
#define KEYSPACE_META_BYTES_MAX 64

struct keyspace {
    uint32_t partitions;
    bool tagged;
    uint16_t prefix_bytes;
    char prefix[KEYSPACE_PREFIX_BYTES_MAX + 1];
    char prefixes[PARTITIONS_MAX][KEYSPACE_PREFIX_BYTES_MAX + 8]; /* of each partition's keys */
};

/* With 0 partitions it is standalone, which has one, without a tag. The prefix has no '{' that would be taken for a
 * tag's. */
void keyspace_init(struct keyspace *s, const char *prefix, uint32_t partitions);
uint32_t keyspace_partition(const struct keyspace *s, struct slice name);
/* Returns what stands before "<ns>:<key>" and "!ledger:…" of a partition. */
struct slice keyspace_prefix(const struct keyspace *s, uint32_t partition);
uint16_t keyspace_slot(const struct keyspace *s, uint32_t partition);

/* ---- totals of namespaces (owed/sums.h) ---- */
/* Appends "<prefix>!total:<partition>:<ns>". */
void keyspace_append_total_key(struct buf *out, struct slice prefix, uint32_t partition, struct slice ns);
/* Likewise "<prefix>!top:<partition>:<ns>", the highest keys of a namespace (tally/tops.h). */
void keyspace_append_top_key(struct buf *out, struct slice prefix, uint32_t partition, struct slice ns);

/* The key and the value that say how the data set is cut. */
struct slice keyspace_meta_key(const struct keyspace *s, char out[KEYSPACE_PREFIX_BYTES_MAX + 8]);
struct slice keyspace_meta_value(const struct keyspace *s, char out[KEYSPACE_META_BYTES_MAX]);
/* Returns how many partitions a meta value says, or 0 when it makes no sense to this version. */
uint32_t keyspace_meta_partitions(struct slice value);
