#include "api/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sync/atomic.h"
#include "sync/seqlock.h"

#define SLOTS (RANKING_NAMESPACES_MAX + 1)
#define WORD sizeof(uint64_t)
#define SLOT_WORDS (sizeof(struct ranking_namespace) / WORD)
_Static_assert(sizeof(struct ranking_namespace) % WORD == 0, "a namespace is a run of words");

struct slot {
    struct seqlock lock;
    uint64_t words[SLOT_WORDS]; /* a struct ranking_namespace. No keys: it is not in the last ranking */
};

struct board {
    uint32_t wanted;
    uint32_t count;
    uint64_t until_ms; /* so long it is fresh. 0: there was none */
    struct slot slots[SLOTS];
    /* The admin's worker's own: which namespace has which slot. */
    struct owner {
        char ns[NAME_NS_BYTES_MAX];
        uint8_t ns_bytes;
    } owners[SLOTS];
};

int board_create(struct board **out)
{
    struct board *b = calloc(1, sizeof(*b));
    if (!b)
        return -ENOMEM;
    for (uint32_t i = 0; i < SLOTS; i++)
        seqlock_init(&b->slots[i].lock);
    *out = b;
    return 0;
}

void board_destroy(struct board *b) { free(b); }

/* ---- the admin's worker ---- */

bool board_take_wish(struct board *b) { return cas_u32(&b->wanted, 1, 0); } /* partner: board_want() */

/* The number of words that say something: pages that are not there are not copied. */
static size_t words_of(const struct ranking_namespace *n)
{
    size_t bytes = offsetof(struct ranking_namespace, pages) + n->pages_count * sizeof(n->pages[0]);
    return (bytes + WORD - 1) / WORD;
}

static void slot_write(struct slot *s, const struct ranking_namespace *n)
{
    size_t words = words_of(n);
    seqlock_write_begin(&s->lock);
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, (const char *)n + i * WORD, WORD);
        store_relaxed_u64(&s->words[i], word); /* partner: board_read(), under the lock */
    }
    seqlock_write_end(&s->lock);
}

static uint32_t slot_of(struct board *b, const struct ranking_namespace *n)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (b->owners[i].ns_bytes == n->ns_bytes && memcmp(b->owners[i].ns, n->ns, n->ns_bytes) == 0)
            return i;
    return b->count;
}

/* Slots of namespaces that are gone are given to others when all are taken. */
static uint32_t slot_take(struct board *b, const struct ranking_namespace *n, const bool *used)
{
    uint32_t slot = slot_of(b, n);
    if (slot == SLOTS)
        for (slot = 0; used[slot];)
            slot++;
    memcpy(b->owners[slot].ns, n->ns, n->ns_bytes);
    b->owners[slot].ns_bytes = n->ns_bytes;
    return slot;
}

void board_publish(struct board *b, const struct ranking *r)
{
    static const struct ranking_namespace nothing;
    bool used[SLOTS] = {false};
    for (uint32_t i = 0; i < r->count; i++) { /* those that have one keep it */
        uint32_t slot = slot_of(b, &r->namespaces[i]);
        if (slot < b->count)
            used[slot] = true;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t slot = slot_take(b, &r->namespaces[i], used);
        used[slot] = true;
        slot_write(&b->slots[slot], &r->namespaces[i]);
        if (slot == b->count)
            store_release_u32(&b->count, slot + 1); /* partner: board_count() */
    }
    for (uint32_t i = 0; i < b->count; i++)
        if (!used[i])
            slot_write(&b->slots[i], &nothing);
    store_release_u64(&b->until_ms, r->made_ms + r->kept_ms); /* partner: board_is_fresh() */
}

/* ---- any worker ---- */

/* Partner of both: board_publish(). */
bool board_is_fresh(const struct board *b, uint64_t now_ms) { return now_ms < load_acquire_u64(&b->until_ms); }
bool board_is_there(const struct board *b) { return load_acquire_u64(&b->until_ms) != 0; }

bool board_want(struct board *b) { return cas_u32(&b->wanted, 0, 1); }              /* partner: board_take_wish() */
uint32_t board_count(const struct board *b) { return load_acquire_u32(&b->count); } /* partner: board_publish() */

bool board_read(const struct board *b, uint32_t slot, struct ranking_namespace *out)
{
    const struct slot *s = &b->slots[slot];
    unsigned version;
    do {
        version = seqlock_read_begin(&s->lock);
        for (size_t i = 0; i < SLOT_WORDS; i++) {
            uint64_t word = load_relaxed_u64(&s->words[i]); /* partner: slot_write() */
            memcpy((char *)out + i * WORD, &word, WORD);
        }
    } while (seqlock_read_retry(&s->lock, version));
    return out->keys > 0;
}
