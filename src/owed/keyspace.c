#include "owed/keyspace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "protocol/crc16.h"

/* Never change it: every data set depends on it. */
static const struct siphash_key partition_key = {0x702064796c6c6174, 0x6e6f697469747261}; /* "tallyd partition" */

#define META_FORMAT "tallyd format=1 partitions="

static uint32_t stripe_of(uint32_t slot, uint32_t partitions) { return slot * partitions / SLOTS; }

static bool in_the_middle(uint32_t slot, uint32_t stripe, uint32_t partitions)
{
    uint32_t first = stripe * SLOTS / partitions, width = SLOTS / partitions;

    return slot >= first + width / 4 && slot < first + width - width / 4;
}

static void keyspace_choose_tags(struct keyspace *s)
{
    char tag[16];

    for (uint32_t found = 0, number = 0; found < s->partitions; number++) {
        int bytes = snprintf(tag, sizeof(tag), "%u", number);
        uint32_t slot = key_slot((struct slice){tag, (size_t)bytes}), stripe = stripe_of(slot, s->partitions);
        if (s->prefixes[stripe][0] || !in_the_middle(slot, stripe, s->partitions))
            continue;
        int whole = snprintf(s->prefixes[stripe], sizeof(s->prefixes[0]), "%s{%s}", s->prefix, tag);
        assert(whole > 0 && (size_t)whole < sizeof(s->prefixes[0]));
        found++;
    }
}

void keyspace_init(struct keyspace *s, const char *prefix, uint32_t partitions)
{
    size_t bytes = strlen(prefix);

    assert(partitions <= PARTITIONS_MAX && bytes <= KEYSPACE_PREFIX_BYTES_MAX);
    *s = (struct keyspace){
        .partitions = partitions ? partitions : 1, .tagged = partitions > 0, .prefix_bytes = (uint16_t)bytes};
    memcpy(s->prefix, prefix, bytes);
    if (s->tagged)
        keyspace_choose_tags(s);
    else
        memcpy(s->prefixes[0], prefix, bytes);
}

uint32_t keyspace_partition(const struct keyspace *s, struct slice name)
{
    uint32_t partition;
    struct slice ns;

    if (s->partitions == 1)
        return 0;
    if (name_total_read(name, &partition, &ns) || name_top_read(name, &partition, &ns))
        return partition % s->partitions;
    return (uint32_t)(siphash13(&partition_key, name.at, name.bytes) % s->partitions);
}

static void append_key_of(struct buf *out, struct slice prefix, struct slice what, uint32_t partition, struct slice ns)
{
    buf_append_slice(out, prefix);
    buf_append_slice(out, what);
    buf_append_u64(out, partition);
    buf_append(out, ":", 1);
    buf_append_slice(out, ns);
}

void keyspace_append_total_key(struct buf *out, struct slice prefix, uint32_t partition, struct slice ns)
{
    append_key_of(out, prefix, SLICE("!total:"), partition, ns);
}

void keyspace_append_top_key(struct buf *out, struct slice prefix, uint32_t partition, struct slice ns)
{
    append_key_of(out, prefix, SLICE("!top:"), partition, ns);
}

struct slice keyspace_prefix(const struct keyspace *s, uint32_t partition)
{
    const char *prefix = s->prefixes[partition];

    return (struct slice){prefix, strlen(prefix)};
}

uint16_t keyspace_slot(const struct keyspace *s, uint32_t partition) { return key_slot(keyspace_prefix(s, partition)); }

struct slice keyspace_meta_key(const struct keyspace *s, char out[KEYSPACE_PREFIX_BYTES_MAX + 8])
{
    int bytes = snprintf(out, KEYSPACE_PREFIX_BYTES_MAX + 8, "%s!meta", s->prefix);

    return (struct slice){out, (size_t)bytes};
}

struct slice keyspace_meta_value(const struct keyspace *s, char out[KEYSPACE_META_BYTES_MAX])
{
    int bytes = snprintf(out, KEYSPACE_META_BYTES_MAX, META_FORMAT "%u", s->partitions);

    return (struct slice){out, (size_t)bytes};
}

uint32_t keyspace_meta_partitions(struct slice value)
{
    const struct slice format = SLICE(META_FORMAT);
    uint32_t n = 0;

    if (value.bytes <= format.bytes || value.bytes > format.bytes + 5 || memcmp(value.at, format.at, format.bytes) != 0)
        return 0;
    for (size_t i = format.bytes; i < value.bytes; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 0;
        n = n * 10 + (uint32_t)(value.at[i] - '0');
    }
    return n;
}
