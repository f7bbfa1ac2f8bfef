#pragma once
/* A cluster of fake Redis servers behind one transport: node i is "n<i>", port 7000 + i. Each slot has an owner; others
 * answer MOVED. A slot may be open (half way to another node): what is not there is answered ASK. The map that CLUSTER
 * SLOTS tells may lag behind the owners. */

#include "protocol/crc16.h"
#include "world.h"

#define CLUSTER_NODES 3
#define CLUSTER_PORT 7000
#define CLUSTER_PARTITIONS 16
#define CLUSTER_NAMES 200

struct fake_cluster {
    struct fake_redis nodes[CLUSTER_NODES];
    uint8_t owner[SLOTS];
    uint8_t told[CLUSTER_NODES][SLOTS]; /* by each node's map */
    bool open[SLOTS];
    bool down; /* CLUSTERDOWN to everything */
    uint64_t maps_asked;
    char text[128];
    struct keyspace space;
    struct world world;
};

static inline uint16_t slot_of_text(const char *key) { return key_slot((struct slice){key, strlen(key)}); }

static inline bool command_has_key(const struct fake_command *c)
{
    static const char *const names[] = {"WATCH", "GET", "GETRANGE", "SET", "INCRBY"};
    bool has = false;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        has |= strcmp(c->args[0], names[i]) == 0;
    return has;
}

static inline const char *fake_redirect(struct fake_redis *r, const struct fake_command *c)
{
    struct fake_cluster *f = r->cluster;

    if (!command_has_key(c))
        return NULL;
    uint16_t slot = slot_of_text(c->args[1]);
    if (f->down)
        return "-CLUSTERDOWN The cluster is down";
    bool here = &f->nodes[f->owner[slot]] == r;
    if (here && (!f->open[slot] || fake_key(r, c->args[1])->exists))
        return NULL;
    snprintf(f->text, sizeof(f->text), "-%s %u n%u:%u", here ? "ASK" : "MOVED", slot, f->owner[slot],
             CLUSTER_PORT + f->owner[slot]);
    return f->text;
}

/* One range for each run of slots with one owner. */
static inline void fake_cluster_slots(struct stream *s)
{
    struct fake_cluster *f = s->redis->cluster;
    const uint8_t *told = f->told[s->redis - f->nodes];
    int first[64], count = 0;

    f->maps_asked++;
    for (int slot = 0; slot < SLOTS; slot++) {
        if (slot == 0 || told[slot] != told[slot - 1]) {
            assert(count < 64);
            first[count++] = slot;
        }
    }
    buf_printf(&s->out, "*%d\r\n", count);
    for (int i = 0; i < count; i++) {
        int last = i + 1 < count ? first[i + 1] - 1 : SLOTS - 1, node = told[first[i]];
        buf_printf(&s->out, "*3\r\n:%d\r\n:%d\r\n*3\r\n$2\r\nn%d\r\n:%d\r\n$2\r\nid\r\n", first[i], last, node,
                   CLUSTER_PORT + node);
    }
}

static inline int fake_cluster_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct fake_cluster *f = ctx;

    assert(port >= CLUSTER_PORT && port < CLUSTER_PORT + CLUSTER_NODES);
    return fake_open(&f->nodes[port - CLUSTER_PORT], host, port, out);
}

/* To where slot `slot` belongs, by whatever map. */
static inline void cluster_give(struct fake_cluster *f, uint16_t slot, uint8_t to)
{
    f->owner[slot] = to;
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->told[i][slot] = to;
}

/* The keys go along. */
static inline void cluster_move(struct fake_cluster *f, uint16_t slot, uint8_t to)
{
    struct fake_redis *from = &f->nodes[f->owner[slot]];

    for (int i = 0; i < from->keys_count && from != &f->nodes[to]; i++) {
        struct fake_key *k = &from->keys[i];
        if (!k->exists || slot_of_text(k->name) != slot)
            continue;
        fake_set(&f->nodes[to], k->name, k->value);
        fake_delete(from, k->name);
    }
    cluster_give(f, slot, to);
    f->open[slot] = false;
}

static inline uint16_t cluster_slot(const struct fake_cluster *f, uint32_t partition)
{
    return keyspace_slot(&f->space, partition);
}

static inline struct fake_redis *cluster_node(struct fake_cluster *f, uint32_t partition)
{
    return &f->nodes[f->owner[cluster_slot(f, partition)]];
}

static inline uint32_t cluster_partition(const struct fake_cluster *f, const char *name)
{
    return keyspace_partition(&f->space, (struct slice){name, strlen(name)});
}

/* Of "ns/key": what the node that owns it holds. */
static inline int64_t cluster_value(struct fake_cluster *f, const char *name)
{
    uint32_t p = cluster_partition(f, name);
    char key[128];

    snprintf(key, sizeof(key), "%s%s", keyspace_prefix(&f->space, p).at, name);
    *strchr(key + keyspace_prefix(&f->space, p).bytes, '/') = ':';
    return fake_value(cluster_node(f, p), key);
}

/* A name of the partition, other for other `i`. */
static inline void cluster_name(const struct fake_cluster *f, uint32_t partition, int i, char out[32])
{
    for (int n = 0, found = -1; found < i; n++) {
        snprintf(out, 32, "n/%d", n);
        found += cluster_partition(f, out) == partition;
    }
}

static inline struct fake_cluster *cluster_create(const struct world_options *options)
{
    struct fake_cluster *f = calloc(1, sizeof(*f));
    struct world_options o = *options;

    o.transport = (struct transport){&fake_ops, f};
    static struct transport_ops ops; /* those of the fake Redis, but for the choice of the node */
    ops = fake_ops;
    ops.open = fake_cluster_open;
    o.transport.ops = &ops;
    o.partitions = o.partitions ? o.partitions : CLUSTER_PARTITIONS;
    o.port = CLUSTER_PORT;
    for (int i = 0; i < CLUSTER_NODES; i++) {
        fake_init(&f->nodes[i]);
        f->nodes[i].redirect = fake_redirect;
        f->nodes[i].cluster_slots = fake_cluster_slots;
        f->nodes[i].cluster = f;
    }
    for (int slot = 0; slot < SLOTS; slot++)
        cluster_give(f, (uint16_t)slot, (uint8_t)(slot * CLUSTER_NODES / SLOTS));
    keyspace_init(&f->space, "t:", o.partitions);
    world_init_with(&f->world, &o);
    f->world.others = f->nodes;
    f->world.others_count = CLUSTER_NODES;
    return f;
}

static inline void cluster_destroy(struct fake_cluster *f)
{
    world_fini(&f->world);
    for (int i = 0; i < CLUSTER_NODES; i++)
        fake_fini(&f->nodes[i]);
    free(f);
}

/* ---- the whole of it at once ---- */

static inline struct fake_cluster *cluster_start(void) { return cluster_create(&(struct world_options){0}); }

static inline void cluster_hit_all(struct fake_cluster *f, uint64_t n)
{
    char name[32];

    for (int i = 0; i < CLUSTER_NAMES; i++) {
        snprintf(name, sizeof(name), "n/%d", i);
        world_hit(&f->world, (uint32_t)i & 1, name, n + (uint64_t)i);
    }
}

/* Each name was hit `times` times, by `n` and its number in all. */
static inline void cluster_assert_all(struct fake_cluster *f, uint64_t n, uint64_t times)
{
    char name[32];

    for (int i = 0; i < CLUSTER_NAMES; i++) {
        snprintf(name, sizeof(name), "n/%d", i);
        assert_int_equal(cluster_value(f, name), n + times * (uint64_t)i);
    }
    for (int i = 0; i < CLUSTER_NODES; i++)
        assert_int_equal(f->nodes[i].executed_outside_multi, 0);
    struct flusher_books b = world_books(&f->world);
    assert_int_equal(b.stored, f->world.accepted);
    assert_int_equal(b.in_flight + b.poisoned + b.lost, 0);
}

static inline uint64_t cluster_errors(const struct fake_cluster *f, enum redis_error_class c)
{
    return f->world.stats.errors_by_class[c];
}
