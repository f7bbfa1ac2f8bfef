#pragma once
/* The store has nodes, and each partition lives on one of them (DESIGN 4.1, 4.3).
 *
 * Thread: the flusher's.
 * A single server is one node with one partition, for life. In a cluster the topology brings the map, and each
 * partition joins the node that owns its slot. Nodes come with the first partition and go with the last. Nothing is
 * sent to any node before the meta key has agreed to the number of partitions.
 *
 * A partition leaves a node only between two of its transactions. What it had under way when a connection broke goes
 * with it. Its ledger moves with the slot and is replicated with it, so it tells the batch's fate on the new node.
 *
 * Failure modes:
 *   - A node is lost, or a partition is told MOVED or CLUSTERDOWN: the map is asked for until every partition is on a
 *     node that is ready.
 *   - Nobody serves a slot: its partition stays where it was.
 *   - The data set is cut otherwise than configured: an alarm, and nothing is ever sent. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/partition.h"
#include "nodes/read_queue.h"
#include "owed/accounts.h"
#include "owed/keyspace.h"
#include "redis/slots.h"

#define STORE_POLLS_MAX (2 * PARTITIONS_MAX + 2) /* the nodes, the topology, the scanner */

struct store_config {
    const struct flush_options *options; /* all pointers are the caller's, and outlive the store */
    struct accounts *accounts;
    struct read_queue *reads;
    const struct keyspace *space;
};

struct store;

int store_create(struct store **out, const struct store_config *config); /* 0 or -ENOMEM */
void store_destroy(struct store *s);
void store_tick(struct store *s, uint64_t now_ms);
/* Answers the reads that wait for a node which cannot be reached. Before the first attempt to reach it they wait. */
void store_fail_reads(struct store *s);
/* Makes new connections, with what the credentials are by then. */
void store_reconnect(struct store *s);
/* Where a partition lives, or NULL while it lives nowhere. `store` is a struct store. */
const struct node_address *store_home(void *store, uint32_t partition);
/* Keys are about to be forgotten, so what is kept may not say any more in which cells a batch was. */
void store_cover(struct store *s);
/* This process ends, and all is stored. Deletes its ledgers where no process comes after it. Returns whether that is
 * done, or cannot be done. */
bool store_try_part(struct store *s);
/* Is there a batch that is not resolved? */
bool store_is_busy(const struct store *s);
uint32_t store_poll(const struct store *s, struct pollfd out[STORE_POLLS_MAX]); /* how many */
uint64_t store_wake_ms(const struct store *s);
