#pragma once
/* A process that does not run, for the admin pages: a real tally of two workers, and statistics that a test sets.
 * The functions that follow stand in for those of api/, flush/ and net/ at link time. So they are in a header, and not
 * in the library of what tests share, where each test of api/ would find them. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "admin/sources.h"

#define FAKE_WORKERS 2

struct fake {
    struct sources sources;
    struct options options;
    struct api_stats stats[FAKE_WORKERS];
    struct worker_stats worker_stats[FAKE_WORKERS];
    struct engine_stats engine_stats;
    struct flusher_stats flusher_stats;
    struct flusher_books books;
    struct worker *workers[FAKE_WORKERS];
    struct policy_watch policy_watch[POLICY_PARTS];
    struct process_figures process;
};

static struct fake fake_process;

static struct fake *fake_start(void)
{
    struct fake *fake = memset(&fake_process, 0, sizeof(fake_process));
    struct tally_config config = {.workers = FAKE_WORKERS, .keys_max = 100};
    struct error err;
    const char *const arguments[] = {"tallyd"}, *const environment[] = {NULL};
    int result = options_load(&fake->options, 1, arguments, environment, &err);
    assert(result == 0);
    for (int i = 0; i < FAKE_WORKERS; i++) /* never looked into: the address tells which it is */
        fake->workers[i] = (struct worker *)&fake->worker_stats[i];
    fake->sources = (struct sources){.options = &fake->options,
                                     .policy_watch = fake->policy_watch,
                                     .process = &fake->process,
                                     .workers = fake->workers,
                                     .workers_count = FAKE_WORKERS,
                                     .instance = "fake",
                                     .life = LIFE_READY};
    fake->process = (struct process_figures){.statm_fd = -1, .fds_fd = -1, .fds_max = 64, .memory_limit = 1 << 20};
    result = tally_create(&fake->sources.tally, &config);
    assert(result == 0);
    return fake;
}

static void fake_stop(struct fake *fake)
{
    tally_destroy(fake->sources.tally);
    options_fini(&fake->options);
}

/* As the api counts one. */
static inline void fake_hit(struct fake *fake, uint32_t worker, const char *name, uint64_t n)
{
    struct slice slice = {name, strlen(name)};
    enum tally_result result = tally_hit(fake->sources.tally, worker, slice, n);
    assert(result == TALLY_COUNTED);
    fake->stats[worker].hits_accepted += n;
}

const struct api_stats *api_stats(const struct api *api, uint32_t worker)
{
    (void)api;
    return &fake_process.stats[worker];
}

void flusher_books(const struct flusher *f, struct flusher_books *out)
{
    (void)f;
    *out = fake_process.books;
}

const struct flusher_stats *flusher_stats(const struct flusher *f)
{
    (void)f;
    return &fake_process.flusher_stats;
}

const struct worker_stats *worker_stats(const struct worker *w) { return (const struct worker_stats *)w; }

const struct engine_stats *worker_engine_stats(const struct worker *w)
{
    (void)w;
    return &fake_process.engine_stats;
}

const char *worker_engine_name(const struct worker *w)
{
    (void)w;
    return "fake";
}

uint16_t worker_port(const struct worker *w)
{
    (void)w;
    return 8080;
}
