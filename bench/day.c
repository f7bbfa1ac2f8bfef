/* A day of a site with more pages than --max-keys, in simulated time: hits by Zipf, a flush a second, keys that are
 * forgotten when they were idle. The real tally, keys and forgetting, and a store that is an array.
 *
 * Usage: day [hours] [hits a second] [pages] [max-keys]
 * It passes when each sum is what was accepted, no page of the REGULAR most frequent ones was refused, and the memory
 * of the last hour is that of the first quarter. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "flush/forgetting.h"
#include "owed/keys.h"
#include "sync/barrier.h"

#define REGULAR 1000
#define KEY_IDLE_MS 600000
#define REPLAY_WINDOW_MS 60000
#define TICKS 20 /* of forgetting in a second */
#define GROWTH_MAX 1.05
#define PAUSES_MAX (1 << 20)

struct day {
    uint64_t hours, rate, max_keys;
    uint32_t pages;
    uint64_t random, now_ms;
    double *sums; /* of the chances of all pages, in order */
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct writes writes;
    struct flusher_stats stats;
    struct forgetting *forgetting;
    bool woken;
    uint32_t *stored, *accepted; /* by page */
    uint64_t hits, refused, refused_regular;
    uint32_t keys_most;
    uint32_t pauses[PAUSES_MAX]; /* ns that a step of forgetting held the worker up, the last so many */
    uint64_t pauses_count;
};

static double chance(struct day *d)
{
    uint64_t z = d->random += UINT64_C(0x9E3779B97F4A7C15); /* SplitMix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static uint32_t draw_page(struct day *d)
{
    double at = chance(d) * d->sums[d->pages - 1];
    uint32_t low = 0, high = d->pages - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (d->sums[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void hit(struct day *d)
{
    char text[32];
    uint32_t page = draw_page(d);
    struct slice name = {text, (size_t)snprintf(text, sizeof(text), "day/page-%u", page)};

    d->hits++;
    if (tally_hit(d->tally, 0, name, 1) == TALLY_COUNTED) {
        d->accepted[page]++;
        return;
    }
    d->refused++;
    d->refused_regular += page < REGULAR;
}

static void on_wake(void *ctx, uint32_t worker)
{
    (void)worker;
    ((struct day *)ctx)->woken = true;
}

static void on_covers(void *ctx) { (void)ctx; }

static void store_key(struct day *d, uint32_t key)
{
    struct slice name = keys_name(d->keys, key);
    char number[16] = "";

    memcpy(number, name.at + strlen("day/page-"), name.bytes - strlen("day/page-"));
    uint32_t *stored = &d->stored[strtoul(number, NULL, 10)];
    for (key_cell c = keys_first_cell(d->keys, key); c; c = keys_next_cell(d->keys, c)) {
        uint64_t count = keys_count(d->keys, c);
        *stored += (uint32_t)(count - keys_baseline(d->keys, c));
        keys_set_baseline(d->keys, c, count);
    }
    keys_use(d->keys, key, d->now_ms);
    keys_publish(d->keys, key, *stored, d->now_ms);
}

static void flush(struct day *d)
{
    keys_set_clock(d->keys, d->now_ms);
    keys_collect(d->keys);
    while (keys_dirty(d->keys))
        store_key(d, keys_pop_dirty(d->keys, 0));
}

/* The worker's part of a step, between two hits. */
static void answer(struct day *d)
{
    uint64_t began = clock_mono_ns();

    tally_answer(d->tally, 0);
    d->pauses[d->pauses_count++ % PAUSES_MAX] = (uint32_t)(clock_mono_ns() - began);
}

/* One second: hits, and between them the flusher's moments. */
static void second(struct day *d)
{
    for (uint32_t tick = 0; tick < TICKS; tick++) {
        for (uint64_t i = d->rate * tick / TICKS; i < d->rate * (tick + 1) / TICKS; i++)
            hit(d);
        d->now_ms += 1000 / TICKS;
        keys_set_clock(d->keys, d->now_ms);
        for (int turn = 0; turn < 64; turn++) {
            d->woken = false;
            forgetting_tick(d->forgetting, d->now_ms);
            if (!d->woken)
                break;
            answer(d);
        }
    }
    flush(d);
    if (tally_keys(d->tally) > d->keys_most)
        d->keys_most = tally_keys(d->tally);
}

static uint64_t resident_bytes(void)
{
    unsigned long long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%llu %llu", &all, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void begin(struct day *d)
{
    static const struct flush_options options = {.key_idle_ms = KEY_IDLE_MS, .replay_window_ms = REPLAY_WINDOW_MS};
    const struct tally_config tally = {.workers = 1, .keys_max = (uint32_t)d->max_keys};
    double sum = 0;

    d->random = 1;
    d->now_ms = 1000;
    d->sums = malloc(d->pages * sizeof(*d->sums));
    d->stored = malloc(d->pages * sizeof(*d->stored));
    d->accepted = malloc(d->pages * sizeof(*d->accepted));
    if (!d->sums || !d->stored || !d->accepted || barrier_init() || tally_create(&d->tally, &tally))
        exit(2);
    memset(d->stored, 0, d->pages * sizeof(*d->stored)); /* resident before the day begins */
    memset(d->accepted, 0, d->pages * sizeof(*d->accepted));
    for (uint32_t i = 0; i < d->pages; i++)
        d->sums[i] = sum += 1.0 / (i + 1);
    tally_open_desks(d->tally, false);
    keyspace_init(&d->space, "t:", 0);
    const struct forgetting_config config = {.options = &options,
                                             .tally = d->tally,
                                             .writes = &d->writes,
                                             .stats = &d->stats,
                                             .wake = on_wake,
                                             .covers = on_covers,
                                             .ctx = d};
    struct forgetting_config with = config;
    if (keys_create(&d->keys, d->tally, &d->space))
        exit(2);
    with.keys = d->keys;
    if (forgetting_create(&d->forgetting, &with))
        exit(2);
}

static int by_length(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void report_pauses(struct day *d)
{
    uint64_t count = d->pauses_count < PAUSES_MAX ? d->pauses_count : PAUSES_MAX;

    if (count == 0)
        return;
    qsort(d->pauses, count, sizeof(d->pauses[0]), by_length);
    printf("%" PRIu64 " steps of forgetting held the worker up, each for %.1f µs (median), %.1f (p99), %.1f (p99.9), "
           "%.1f (longest)\n",
           d->pauses_count, d->pauses[count / 2] / 1e3, d->pauses[count * 99 / 100] / 1e3,
           d->pauses[count * 999 / 1000] / 1e3, d->pauses[count - 1] / 1e3);
}

static uint64_t number(int argc, char **argv, int i, uint64_t otherwise)
{
    return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct day *d = calloc(1, sizeof(*d));
    uint64_t first = 0, last = 0, wrong = 0;

    if (!d)
        return 2;
    d->hours = number(argc, argv, 1, 24);
    d->rate = number(argc, argv, 2, 1500);
    d->pages = (uint32_t)number(argc, argv, 3, 5000000);
    d->max_keys = number(argc, argv, 4, 200000);
    begin(d);
    for (uint64_t hour = 1; hour <= d->hours; hour++) {
        for (uint32_t s = 0; s < 3600; s++)
            second(d);
        last = resident_bytes();
        if (hour <= (d->hours + 3) / 4)
            first = last;
        printf("hour %2" PRIu64 "  %" PRIu64 " hits, %" PRIu64 " refused, %u keys, %" PRIu64 " forgotten, %" PRIu64
               " MiB\n",
               hour, d->hits, d->refused, tally_keys(d->tally), (uint64_t)d->stats.keys_forgotten, last >> 20);
        fflush(stdout);
    }
    forgetting_finish(d->forgetting);
    flush(d);
    for (uint32_t i = 0; i < d->pages; i++)
        wrong += d->stored[i] != d->accepted[i];
    report_pauses(d);
    double growth = (double)last / (double)first;
    printf("%" PRIu64 " sums differ, %" PRIu64 " refused, %" PRIu64
           " of them of the %d most frequent pages, %u keys at most, memory %.3f\n",
           wrong, d->refused, d->refused_regular, REGULAR, d->keys_most, growth);
    bool passed = wrong == 0 && d->refused_regular == 0 && d->keys_most <= d->max_keys && growth <= GROWTH_MAX;
    forgetting_destroy(d->forgetting);
    keys_destroy(d->keys);
    tally_destroy(d->tally);
    free(d->sums);
    free(d->stored);
    free(d->accepted);
    free(d);
    return passed ? 0 : 1;
}
