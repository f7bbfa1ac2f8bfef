#include "ledger/roster.h"

#include "sync/atomic.h"

/* Relaxed, word by word: the sequence lock orders them; the partner of a store is the load in node_load(). */
static void node_store(struct roster_node *to, const struct roster_node *from)
{
    for (int i = 0; i < ROSTER_NAME_WORDS; i++)
        store_relaxed_u64(&to->words[i], from->words[i]);
    store_relaxed_u64(&to->connected, from->connected);
}

static void node_load(struct roster_node *to, const struct roster_node *from)
{
    for (int i = 0; i < ROSTER_NAME_WORDS; i++)
        to->words[i] = load_relaxed_u64(&from->words[i]);
    to->connected = load_relaxed_u64(&from->connected);
}

void roster_write(struct roster *r, const struct roster_node nodes[], uint32_t count)
{
    count = count < ROSTER_NODES_MAX ? count : ROSTER_NODES_MAX;
    seqlock_write_begin(&r->lock);
    for (uint32_t i = 0; i < count; i++)
        node_store(&r->nodes[i], &nodes[i]);
    store_relaxed_u64(&r->count, count);
    seqlock_write_end(&r->lock);
}

uint32_t roster_read(const struct roster *r, struct roster_node out[ROSTER_NODES_MAX])
{
    unsigned version;
    uint32_t count;

    do {
        version = seqlock_read_begin(&r->lock);
        count = (uint32_t)load_relaxed_u64(&r->count);
        for (uint32_t i = 0; i < count && i < ROSTER_NODES_MAX; i++)
            node_load(&out[i], &r->nodes[i]);
    } while (seqlock_read_retry(&r->lock, version));
    return count;
}
