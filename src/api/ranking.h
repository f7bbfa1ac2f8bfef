#pragma once
/* The namespaces and the most hit pages of what this process counts, for dashboards.
 *
 * Thread: the admin worker's. It reads what any thread may.
 * Of a page that only other processes count nothing is known here. A number is what the store said at the page's last
 * flush here, so it has the hits of others in it. Without a store it is what was counted here. One walk over all cells
 * makes the ranking, and serves everybody for RANKING_KEPT_MS, or RANKING_KEPT_TIMES as long as it took. It takes some
 * 0.25 s a million names, so all dashboards together take a twentieth of a CPU at most. A name that is forgotten during
 * the walk may be missed. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tally/tally.h"

#define RANKING_KEPT_MS 1000
#define RANKING_KEPT_TIMES 20
#define RANKING_NAMESPACES_MAX 256 /* those met first. The others are summed up */
#define RANKING_PAGES_MAX 20       /* of one namespace */

struct ranking_page {
    char name[NAME_BYTES_MAX];
    uint16_t name_bytes;
    int64_t value;
};

struct ranking_namespace {
    char ns[NAME_NS_BYTES_MAX];
    uint8_t ns_bytes; /* 0 in the sum of those that have no place of their own */
    uint64_t keys;
    int64_t value;
    uint64_t counted; /* by this process alone, since its start. It never jumps, so it tells how fast it grows */
    uint32_t pages_count;
    struct ranking_page pages[RANKING_PAGES_MAX]; /* the highest first */
};

struct ranking {
    uint64_t made_ms; /* monotonic, or 0 */
    uint64_t kept_ms; /* so long it serves */
    uint32_t count;
    struct ranking_namespace namespaces[RANKING_NAMESPACES_MAX + 1];
};

/* Makes it anew unless it is fresh. Without memory it stays as it is. */
void ranking_make(struct ranking *r, struct tally *t, uint64_t now_ms);
/* [{"ns":…,"keys":…,"value":…,"counted":…,"top":[{"key":…,"value":…},…]},…], the largest first. `ns` is null for the
 * others. */
void ranking_print(const struct ranking *r, struct buf *out);
void ranking_namespace_print(const struct ranking_namespace *n, struct buf *out); /* one of them */
