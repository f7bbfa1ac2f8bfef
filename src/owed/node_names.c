#include "owed/node_names.h"

#include "sync/atomic.h"

/* Relaxed, word by word: the sequence lock orders them; the partner of a store is the load in node_load(). */
static void node_store(struct node_name *to, const struct node_name *from)
{
    for (int i = 0; i < NODE_NAME_WORDS; i++)
        store_relaxed_u64(&to->words[i], from->words[i]);
    store_relaxed_u64(&to->connected, from->connected);
}

static void node_load(struct node_name *to, const struct node_name *from)
{
    for (int i = 0; i < NODE_NAME_WORDS; i++)
        to->words[i] = load_relaxed_u64(&from->words[i]);
    to->connected = load_relaxed_u64(&from->connected);
}

void node_names_write(struct node_names *r, const struct node_name nodes[], uint32_t count)
{
    count = count < NODE_NAMES_MAX ? count : NODE_NAMES_MAX;
    seqlock_write_begin(&r->lock);
    for (uint32_t i = 0; i < count; i++)
        node_store(&r->nodes[i], &nodes[i]);
    store_relaxed_u64(&r->count, count);
    seqlock_write_end(&r->lock);
}

uint32_t node_names_read(const struct node_names *r, struct node_name out[NODE_NAMES_MAX])
{
    unsigned version;
    uint32_t count;

    do {
        version = seqlock_read_begin(&r->lock);
        count = (uint32_t)load_relaxed_u64(&r->count);
        for (uint32_t i = 0; i < count && i < NODE_NAMES_MAX; i++)
            node_load(&out[i], &r->nodes[i]);
    } while (seqlock_read_retry(&r->lock, version));
    return count;
}
