/* The counter core without a server: ns per increment, one JSON object a line.
 *
 * Cells beside what one would otherwise write: a shared atomic, Concurrency Kit's fetch-and-add, a mutex, an atomic
 * per thread. Then names: hash, look-up and cell (tally_hit) at 1 k, 10 k and 1 M names of 24 bytes.
 * No flusher runs: a touched cell is queued once and then only found queued, as between two flushes.
 * Usage: core THREADS_MAX MS ROUNDS    Each figure is the median of the rounds. */

#include <ck_pr.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tally/shard.h"
#include "tally/tally.h"

#define THREADS_MAX 64
#define ROUNDS_MAX 64
#define NAME_BYTES 24
#define CHUNK 4096 /* increments between two looks at the clock */
#define KEYS_LARGE 1000000

struct core;

struct worker {
    struct core *core;
    uint32_t index;
    uint64_t done, position;
    double seconds;
    _Alignas(64) uint64_t own; /* the atomic of this thread alone */
    _Alignas(64) pthread_t thread;
};

struct core {
    struct tally *tally;
    uint32_t threads, keys;
    uint64_t ms;
    char (*names)[NAME_BYTES]; /* owned; in random order, as pages are hit */
    void (*chunk)(struct worker *w);
    pthread_barrier_t start;
    struct worker workers[THREADS_MAX];
    _Alignas(64) uint64_t shared;
    _Alignas(64) pthread_mutex_t mutex;
};

static void chunk_cell(struct worker *w)
{
    struct shard *s = tally_shard(w->core->tally, w->index);
    for (unsigned i = 0; i < CHUNK; i++)
        shard_add(s, 0, 1);
}

static void chunk_plain(struct worker *w)
{
    volatile uint64_t *cell = &w->own; /* so that the compiler does not add once for all */
    for (unsigned i = 0; i < CHUNK; i++)
        *cell = *cell + 1;
}

static void chunk_own_atomic(struct worker *w)
{
    for (unsigned i = 0; i < CHUNK; i++)
        __atomic_fetch_add(&w->own, 1, __ATOMIC_RELAXED);
}

static void chunk_shared_atomic(struct worker *w)
{
    for (unsigned i = 0; i < CHUNK; i++)
        __atomic_fetch_add(&w->core->shared, 1, __ATOMIC_SEQ_CST);
}

static void chunk_faa(struct worker *w)
{
    for (unsigned i = 0; i < CHUNK; i++)
        ck_pr_faa_64(&w->core->shared, 1);
}

static void chunk_mutex(struct worker *w)
{
    for (unsigned i = 0; i < CHUNK; i++) {
        pthread_mutex_lock(&w->core->mutex);
        w->core->shared++;
        pthread_mutex_unlock(&w->core->mutex);
    }
}

static void chunk_hit(struct worker *w)
{
    struct core *c = w->core;
    for (unsigned i = 0; i < CHUNK; i++) {
        if (++w->position >= c->keys)
            w->position = 0;
        tally_hit(c->tally, w->index, (struct slice){c->names[w->position], NAME_BYTES}, 1);
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time, so that neighbours on the machine are not counted. */
static double thread_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(w->index, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set); /* contention needs a CPU each; a hint elsewhere */
    pthread_barrier_wait(&w->core->start);
    double until = now_s() + (double)w->core->ms / 1e3, began = thread_s();
    for (w->done = 0; now_s() < until; w->done += CHUNK)
        w->core->chunk(w);
    w->seconds = thread_s() - began;
    return NULL;
}

/* CPU ns per increment over all threads. */
static double run(struct core *c, void (*chunk)(struct worker *w), uint32_t threads)
{
    double seconds = 0, done = 0;
    c->chunk = chunk;
    pthread_barrier_init(&c->start, NULL, threads);
    for (uint32_t i = 0; i < threads; i++) {
        struct worker *w = &c->workers[i];
        w->core = c;
        w->index = i;
        w->position = (uint64_t)i * (c->keys / threads);
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            abort();
    }
    for (uint32_t i = 0; i < threads; i++) {
        pthread_join(c->workers[i].thread, NULL);
        seconds += c->workers[i].seconds;
        done += (double)c->workers[i].done;
    }
    pthread_barrier_destroy(&c->start);
    return seconds * 1e9 / done;
}

static const struct variant {
    const char *name;
    void (*chunk)(struct worker *w);
    uint32_t keys; /* 0: no names */
} variants[] = {
    {"plain load and store", chunk_plain, 0},
    {"cell (shard_add)", chunk_cell, 0},
    {"atomic per thread", chunk_own_atomic, 0},
    {"shared atomic", chunk_shared_atomic, 0},
    {"ck_pr_faa", chunk_faa, 0},
    {"mutex", chunk_mutex, 0},
    {"hash + cell, 1 k keys", chunk_hit, 1000},
    {"hash + cell, 10 k keys", chunk_hit, 10000},
    {"hash + cell, 1 M keys", chunk_hit, KEYS_LARGE},
};
#define VARIANTS (sizeof(variants) / sizeof(*variants))

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void names_make(struct core *c)
{
    char text[NAME_BYTES + 1];
    for (uint32_t i = 0; i < KEYS_LARGE; i++) {
        snprintf(text, sizeof(text), "blog/page-%014u", i);
        memcpy(c->names[i], text, NAME_BYTES);
    }
    srandom(1);
    for (uint32_t i = KEYS_LARGE - 1; i > 0; i--) { /* Fisher and Yates */
        uint32_t j = (uint32_t)random() % (i + 1);
        char kept[NAME_BYTES];
        memcpy(kept, c->names[i], NAME_BYTES);
        memcpy(c->names[i], c->names[j], NAME_BYTES);
        memcpy(c->names[j], kept, NAME_BYTES);
    }
}

/* A tally of its own for each number of names, so that its table has the size that these names need. */
static struct tally *tally_filled(struct core *c, uint32_t keys, uint32_t threads)
{
    struct tally *t;
    if (tally_create(&t, &(struct tally_config){.workers = threads, .keys_max = KEYS_LARGE}) < 0)
        abort();
    for (uint32_t worker = 0; worker < threads; worker++)
        for (uint32_t i = 0; i < (keys ? keys : 1); i++)
            tally_hit(t, worker, (struct slice){c->names[i], NAME_BYTES}, 1);
    return t;
}

static void variant_run(struct core *c, const struct variant *v, uint32_t threads, uint32_t rounds)
{
    double ns[ROUNDS_MAX];
    c->keys = v->keys ? v->keys : 1;
    c->tally = tally_filled(c, v->keys, threads);
    run(c, v->chunk, threads); /* warm */
    for (uint32_t i = 0; i < rounds; i++)
        ns[i] = run(c, v->chunk, threads);
    qsort(ns, rounds, sizeof(*ns), compare);
    printf("{\"name\": \"%s\", \"threads\": %u, \"ns\": %.2f, \"min\": %.2f, \"max\": %.2f}\n", v->name, threads,
           ns[rounds / 2], ns[0], ns[rounds - 1]);
    fflush(stdout);
    tally_destroy(c->tally);
}

int main(int argc, char **argv)
{
    uint32_t threads_max = argc == 4 ? (uint32_t)atoi(argv[1]) : 0, rounds = argc == 4 ? (uint32_t)atoi(argv[3]) : 0;
    struct core *c = aligned_alloc(64, sizeof(*c));
    if (!c || threads_max < 1 || threads_max > THREADS_MAX || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: core THREADS(1-%d) MS ROUNDS(1-%d)\n", THREADS_MAX, ROUNDS_MAX);
        return 64;
    }
    memset(c, 0, sizeof(*c));
    pthread_mutex_init(&c->mutex, NULL);
    c->ms = strtoul(argv[2], NULL, 10);
    c->names = calloc(KEYS_LARGE, NAME_BYTES);
    if (!c->names)
        return 1;
    names_make(c);
    for (uint32_t threads = 1; threads <= threads_max; threads *= 2)
        for (size_t v = 0; v < VARIANTS; v++)
            variant_run(c, &variants[v], threads, rounds);
    free(c->names);
    free(c);
}
