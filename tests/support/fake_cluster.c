#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_cluster.h"

uint16_t slot_of_text(const char *key) { return key_slot((struct slice){key, strlen(key)}); }

/* What is not there of an open slot is with the next node. */
static struct model_slot seat_slot(void *ctx, uint16_t slot)
{
    const struct cluster_seat *seat = ctx;
    const struct fake_cluster *f = seat->cluster;
    const uint8_t owner = f->owner[slot];

    return (struct model_slot){
        .owner = f->address[owner],
        .migrating = f->open[slot] ? f->address[(owner + 1) % CLUSTER_NODES] : NULL,
        .mine = owner == seat->node,
    };
}

void fake_cluster_slots(void *ctx, struct buf *out)
{
    const struct cluster_seat *seat = ctx;
    const uint8_t *told = seat->cluster->told[seat->node];
    int first[64], count = 0;

    seat->cluster->maps_asked++;
    for (int slot = 0; slot < SLOTS; slot++) {
        if (slot == 0 || told[slot] != told[slot - 1]) {
            assert(count < 64);
            first[count++] = slot;
        }
    }
    buf_printf(out, "*%d\r\n", count);
    for (int i = 0; i < count; i++) {
        int last = i + 1 < count ? first[i + 1] - 1 : SLOTS - 1, node = told[first[i]];
        buf_printf(out, "*3\r\n:%d\r\n:%d\r\n*3\r\n$2\r\nn%d\r\n:%d\r\n$2\r\nid\r\n", first[i], last, node,
                   CLUSTER_PORT + node);
    }
}

void cluster_set_down(struct fake_cluster *f, bool down)
{
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].model.cluster.down = down;
}

static int fake_cluster_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct fake_cluster *f = ctx;

    assert(port >= CLUSTER_PORT && port < CLUSTER_PORT + CLUSTER_NODES);
    return fake_open(&f->nodes[port - CLUSTER_PORT], host, port, out);
}

void cluster_give(struct fake_cluster *f, uint16_t slot, uint8_t to)
{
    f->owner[slot] = to;
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->told[i][slot] = to;
}

void cluster_move(struct fake_cluster *f, uint16_t slot, uint8_t to)
{
    struct model *from = &f->nodes[f->owner[slot]].model;

    while (from != &f->nodes[to].model && model_migrate(from, &f->nodes[to].model, slot))
        ;
    cluster_give(f, slot, to);
    f->open[slot] = false;
}

uint16_t cluster_slot(const struct fake_cluster *f, uint32_t partition) { return keyspace_slot(&f->space, partition); }

struct fake_redis *cluster_node(struct fake_cluster *f, uint32_t partition)
{
    return &f->nodes[f->owner[cluster_slot(f, partition)]];
}

static uint32_t cluster_partition(const struct fake_cluster *f, const char *name)
{
    return keyspace_partition(&f->space, (struct slice){name, strlen(name)});
}

int64_t cluster_value(struct fake_cluster *f, const char *name)
{
    uint32_t p = cluster_partition(f, name);
    char key[128];

    snprintf(key, sizeof(key), "%s%s", keyspace_prefix(&f->space, p).at, name);
    *strchr(key + keyspace_prefix(&f->space, p).bytes, '/') = ':';
    return fake_value(cluster_node(f, p), key);
}

void cluster_name(const struct fake_cluster *f, uint32_t partition, int i, char out[32])
{
    for (int n = 0, found = -1; found < i; n++) {
        snprintf(out, 32, "n/%d", n);
        found += cluster_partition(f, out) == partition;
    }
}

static void cluster_seat(struct fake_cluster *f, uint8_t node)
{
    fake_init(&f->nodes[node]);
    snprintf(f->address[node], sizeof(f->address[node]), "n%u:%u", node, CLUSTER_PORT + node);
    f->seats[node] = (struct cluster_seat){f, node};
    f->nodes[node].model.cluster =
        (struct model_cluster){.ctx = &f->seats[node], .slot = seat_slot, .slots = fake_cluster_slots};
}

struct fake_cluster *cluster_create(const struct world_options *options)
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
    for (int i = 0; i < CLUSTER_NODES; i++)
        cluster_seat(f, (uint8_t)i);
    for (int slot = 0; slot < SLOTS; slot++)
        cluster_give(f, (uint16_t)slot, (uint8_t)(slot * CLUSTER_NODES / SLOTS));
    keyspace_init(&f->space, "t:", o.partitions);
    world_init_with(&f->world, &o);
    f->world.others = f->nodes;
    f->world.others_count = CLUSTER_NODES;
    return f;
}

void cluster_destroy(struct fake_cluster *f)
{
    world_fini(&f->world);
    for (int i = 0; i < CLUSTER_NODES; i++)
        fake_fini(&f->nodes[i]);
    free(f);
}

struct fake_cluster *cluster_start(void) { return cluster_create(&(struct world_options){0}); }

void cluster_hit_all(struct fake_cluster *f, uint64_t n)
{
    char name[32];

    for (int i = 0; i < CLUSTER_NAMES; i++) {
        snprintf(name, sizeof(name), "n/%d", i);
        world_hit(&f->world, (uint32_t)i & 1, name, n + (uint64_t)i);
    }
}

void cluster_assert_all(struct fake_cluster *f, uint64_t n, uint64_t times)
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

uint64_t cluster_errors(const struct fake_cluster *f, enum redis_error_class c)
{
    return f->world.stats.errors_by_class[c];
}
